#include "shoal/read/source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <stop_token>
#include <thread>

#include "shoal/core/error.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

class SourceTest : public ::testing::Test {
 protected:
  fs::path file(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  const ScratchFolder folder_;
};

struct Read {
  Strings texts;
  std::vector<Strings> others;  // column by column
  Strings text_columns, other_columns;
  ReadReport report;
};

Read read_all(Source source, Index batch = 1000) {
  Read out{.text_columns = source.text_columns(), .other_columns = source.other_columns()};
  out.others.resize(out.other_columns.size());
  Texts texts;
  std::vector<Texts> others;
  while (source.next(batch, texts, others)) {
    EXPECT_LE(texts.size(), batch);
    for (Index i = 0; i < texts.size(); ++i) out.texts.emplace_back(texts[i]);
    for (Index c = 0; c < others.size(); ++c) {
      EXPECT_EQ(others[c].size(), texts.size());
      for (Index i = 0; i < others[c].size(); ++i) out.others[c].emplace_back(others[c][i]);
    }
  }
  EXPECT_FALSE(source.next(1, texts, others));
  EXPECT_EQ(texts.size(), 0u);
  EXPECT_LE(source.bytes_read(), source.bytes_total().value_or(source.bytes_read()));
  out.report = source.report();
  EXPECT_EQ(out.report.rows, out.texts.size());
  return out;
}

Read read_file(const fs::path& path, ReadOptions options = {}) {
  return read_all(Source({path}, std::move(options)));
}

// The fault and message of whatever `work` throws.
void expect_error(Fault fault, const Strings& parts, const std::function<void()>& work) {
  try {
    work();
    ADD_FAILURE() << "nothing was thrown; expected " << parts.front();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault, fault) << e.what();
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what() << "\nlacks " << part;
    }
  }
}

TEST_F(SourceTest, FirstColumnWhateverItHolds) {
  Source source({file("a.jsonl",
                      "{\"score\":4.5,\"text\":\"a b c\",\"list\":[\"x\",1]}\n"
                      "{\"score\":null,\"text\":\"d\"}\n")},
                {.first_column = true});
  EXPECT_EQ(source.columns(), (Strings{"score", "text", "list"}));
  EXPECT_EQ(source.text_columns(), Strings{"score"});
  Texts first;
  std::vector<Texts> others;
  ASSERT_TRUE(source.next(10, first, others));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0], "4.5");
  EXPECT_EQ(others[1][0], "[\"x\",1]");
  EXPECT_EQ(source.kinds()[0], "jsj");
  EXPECT_EQ(source.kinds()[1], "nsm");
}

TEST_F(SourceTest, HeaderExample) {
  const fs::path path = file("reviews.csv", "id,review,stars\n1,\"Good, really\",5\n2,Bad,1\n");
  Source source({path}, {.text_columns = {"review"}});
  EXPECT_EQ(source.text_columns(), Strings{"review"});
  EXPECT_EQ(source.other_columns(), (Strings{"id", "stars"}));
  Texts texts;
  std::vector<Texts> others;
  ASSERT_TRUE(source.next(1024, texts, others));
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0], "Good, really");
  EXPECT_EQ(others[1][1], "1");
  EXPECT_FALSE(source.next(1024, texts, others));
  EXPECT_EQ(texts.size(), 0u) << "what they held is gone at the end";
  EXPECT_EQ(source.bytes_total(), fs::file_size(path));
  EXPECT_EQ(source.bytes_read(), fs::file_size(path));
}

TEST_F(SourceTest, DirtOfRealCsv) {
  const Read r = read_file(file("dirt.csv",
                                "\xEF\xBB\xBF"
                                "id,text,,id\r\n"
                                "1,\"two\r\nlines and a \"\"quote\"\"\",x,y\r\n"
                                "\r\n"
                                "2,5\" disk,short\r\n"
                                "3, spaces stay ,x,a,b\r\n"
                                "4,trailing,x,y,,\r\n"
                                "   \r\n"
                                "5,\"closed\" and on,,"));
  EXPECT_EQ(r.other_columns, (Strings{"id", "column_3", "id_2"}));
  EXPECT_EQ(r.texts, (Strings{"two\r\nlines and a \"quote\"", "5\" disk", " spaces stay ", "trailing",
                              "closed and on"}));
  EXPECT_EQ(r.others[2], (Strings{"y", "", "a,b", "y", ""}));
  EXPECT_EQ(r.report.empty_rows, 2u);
  EXPECT_EQ(r.report.short_rows, 1u);
  EXPECT_EQ(r.report.long_rows, 2u);
  EXPECT_EQ(r.report.stray_quotes, 1u);
  ASSERT_EQ(r.report.notes.size(), 4u);
  EXPECT_NE(r.report.notes[3].find("dirt.csv, line 9: text follows a closing quote ( and on)"),
            std::string::npos)
      << r.report.notes[3];
  EXPECT_NE(r.report.notes[0].find("dirt.csv, line 5: 3 fields, the header has 4"), std::string::npos);
}

TEST_F(SourceTest, LineEndsAndLastLine) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    for (const std::string& last : {std::string(), end}) {
      const Read r = read_file(file("a.csv", "text,n" + end + "one,1" + end + "two,2" + last));
      EXPECT_EQ(r.texts, (Strings{"one", "two"}));
      EXPECT_EQ(r.others[0], (Strings{"1", "2"}));
      EXPECT_EQ(read_file(file("a.txt", "one" + end + end + "two" + last)).texts, (Strings{"one", "two"}));
    }
  }
}

TEST_F(SourceTest, DelimitersOfTheWorld) {
  EXPECT_EQ(read_file(file("a.csv", "id;text\n1;eins, zwei\n")).texts, Strings{"eins, zwei"});
  EXPECT_EQ(read_file(file("b.csv", "id\ttext\n1\ta,b;c\n")).texts, Strings{"a,b;c"});
  EXPECT_EQ(read_file(file("c.csv", "sep=;\nid;text\n1;x\n")).texts, Strings{"x"});
  EXPECT_EQ(read_file(file("d.csv", "id, text\n1, \"a, b\"\n")).texts, Strings{"a, b"});
  EXPECT_EQ(read_file(file("e.csv", "\"a;b;c\",text\n1;2,x\n")).texts, Strings{"x"});
  EXPECT_EQ(read_file(file("f.tsv", "id,x\ttext\n1\ta,b\n")).texts, Strings{"a,b"});
  EXPECT_EQ(read_file(file("g.csv", "text\nno delimiter\n\"\"\n")).texts, (Strings{"no delimiter", ""}));
}

TEST_F(SourceTest, NulBytesStayAndUtf8IsRepaired) {
  using std::string_literals::operator""s;
  const Read r = read_file(file("a.csv", "text,x\na\0b,1\nbad \xFF\xE2\x82,\xC0\n\xC3\xA9,2\n"s));
  EXPECT_EQ(r.texts, (Strings{"a\0b"s, "bad \xEF\xBF\xBD\xEF\xBF\xBD", "\xC3\xA9"}));
  EXPECT_EQ(r.others[0], (Strings{"1", "\xEF\xBF\xBD", "2"}));
  EXPECT_EQ(r.report.repaired_utf8, 2u);
  ASSERT_EQ(r.report.notes.size(), 1u);
  EXPECT_NE(r.report.notes[0].find("line 3"), std::string::npos);
}

TEST_F(SourceTest, OpenQuoteNamesItsLine) {
  const auto path = file("a.csv", "text,x\nfine,1\nfine,\"oops\n\nmore,2\n");
  expect_error(Fault::data, {"a.csv, line 3", "never closed"}, [&] { read_file(path); });
}

TEST_F(SourceTest, NotesStopAtTen) {
  std::string rows = "text,x\n";
  for (int i = 0; i < 30; ++i) rows += "short\n";
  const Read r = read_file(file("a.csv", rows));
  EXPECT_EQ(r.report.short_rows, 30u);
  EXPECT_EQ(r.report.notes.size(), 10u);
}

TEST_F(SourceTest, JsonLines) {
  const Read r =
      read_file(file("a.jsonl",
                     "{\"id\": 10000000000000000000001, \"text\": \"caf\\u00e9 \\ud83d\\ude00\", \"tags\": "
                     "[1, {\"a\": null}]}\n"
                     "\n"
                     "  {\"text\": null, \"id\": 1.10, \"id\": 2e5}\r\n"
                     "{\"text\": \"x\\ud800y\", \"tags\": \"plain\", \"ok\": true, \"score\": NaN}"));
  EXPECT_EQ(r.other_columns, (Strings{"id", "tags", "ok", "score"}));
  EXPECT_EQ(r.texts, (Strings{"caf\xC3\xA9 \xF0\x9F\x98\x80", "", "x\xEF\xBF\xBDy"}));
  EXPECT_EQ(r.others[0], (Strings{"10000000000000000000001", "2e5", ""}));
  EXPECT_EQ(r.others[1], (Strings{"[1, {\"a\": null}]", "", "plain"}));
  EXPECT_EQ(r.others[2], (Strings{"", "", "true"}));
  EXPECT_EQ(r.others[3], (Strings{"", "", "NaN"}));
  EXPECT_EQ(r.report.empty_rows, 1u);
  EXPECT_EQ(r.report.repaired_utf8, 0u);
  EXPECT_EQ(r.report.lone_surrogates, 1u);
  ASSERT_EQ(r.report.notes.size(), 1u);
  EXPECT_NE(r.report.notes[0].find("a.jsonl, line 4: a \\ud800"), std::string::npos) << r.report.notes[0];
}

TEST_F(SourceTest, JsonKeysAfterTheFirstThousand) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{\"text\":\"a\"}\n";
  lines += "{\"text\":\"b\",\"late\":1}\n{\"late\":1,\"later\":2,\"text\":\"c\"}\n";
  const Read r = read_file(file("a.jsonl", lines));
  EXPECT_TRUE(r.other_columns.empty());
  EXPECT_EQ(r.texts.size(), 1002u);
  EXPECT_TRUE(r.report.notes.empty());
  EXPECT_EQ(r.report.unknown_values, 3u);
  ASSERT_EQ(r.report.unknown_keys.size(), 2u) << "once each";
  EXPECT_EQ(r.report.unknown_keys[0].key, "late");
  EXPECT_TRUE(r.report.unknown_keys[0].first.ends_with("a.jsonl, line 1001"))
      << r.report.unknown_keys[0].first;
  EXPECT_EQ(r.report.unknown_keys[0].values, 2u);
  EXPECT_EQ(r.report.unknown_keys[1].key, "later");
}

TEST_F(SourceTest, ManyUnknownJsonKeysAreCountedAndTheFirstTenNamed) {
  std::string lines = "{\"text\":\"b\"";
  for (int i = 0; i < 30; ++i) lines += ",\"key" + std::to_string(i) + "\":1";
  const Read r =
      read_all(Source({file("a.jsonl", "{\"text\":\"a\"}\n"), file("b.jsonl", lines + "}\n")}, {}));
  EXPECT_EQ(r.report.unknown_values, 30u);
  EXPECT_EQ(r.report.unknown_keys.size(), 10u);
}

TEST_F(SourceTest, JsonFaultsNameTheLine) {
  expect_error(Fault::data, {"a.jsonl, line 2", "byte 11", "comma or }"},
               [&] { read_file(file("a.jsonl", "{\"text\":\"a\"}\n{\"text\":1 \"x\":2}\n")); });
  expect_error(Fault::data, {"line 1", "jq -c"},
               [&] { read_file(file("a.jsonl", "{\n\"text\":\"a\"\n}\n")); });
  expect_error(Fault::data, {"line 3", "\"text\" holds 17", "string or null"},
               [&] { read_file(file("a.jsonl", "{\"text\":\"a\"}\n\n{\"text\":17}\n")); });
  expect_error(Fault::data, {"line 2", "\"note\" holds [1]"}, [&] {
    read_file(
        file("a.jsonl",
             "{\"note\":\"reads like prose\"}\n{\"note\":[1]}\n{\"note\":\"this does as well\",\"n\":1}\n"));
  });
  expect_error(Fault::data, {"line 1", "object { was expected"}, [&] { read_file(file("a.jsonl", "17\n")); });
  expect_error(Fault::data, {"no keys"}, [&] { read_file(file("a.jsonl", "{}\n{}\n")); });
  expect_error(Fault::data, {"no rows"}, [&] { read_file(file("a.jsonl", "\n\n")); });
  const std::string deep(2000, '[');
  expect_error(Fault::data, {"512 deep"}, [&] { read_file(file("a.jsonl", "{\"text\":" + deep)); });
}

TEST_F(SourceTest, JsonArray) {
  const Read r = read_file(
      file("a.json", "[\n  {\n \"text\": \"a ] }\",\n \"n\": [1,\n2]},\n  {\"text\": \"b\\\"}\"}\n]\n"));
  EXPECT_EQ(r.texts, (Strings{"a ] }", "b\"}"}));
  EXPECT_EQ(r.others[0], (Strings{"[1,\n2]", ""}));
  const auto read_text = [&](std::string_view text) { read_file(file("a.json", text)); };
  expect_error(Fault::data, {"line 2", "not closed"}, [&] { read_text("[{\"text\":\"a\"},\n"); });
  expect_error(Fault::data, {"ends too early"}, [&] { read_text("[{\"text\":\"a\""); });
  expect_error(Fault::data, {"an object {"}, [&] { read_text("[{\"text\":\"a\"}, 5]"); });
  expect_error(Fault::data, {"line 2", "follows the end"}, [&] { read_text("[{\"text\":\"a\"}]\n{}"); });
  expect_error(Fault::data, {"no rows"}, [&] { read_text("[]"); });
}

TEST_F(SourceTest, PlainLines) {
  const Read r = read_file(file("a.txt", "one, \"two\"\n \t\nthree\n\n\xFF\n"));
  EXPECT_EQ(r.text_columns, Strings{"text"});
  EXPECT_EQ(r.texts, (Strings{"one, \"two\"", "three", "\xEF\xBF\xBD"}));
  EXPECT_EQ(r.report.empty_rows, 2u);
  expect_error(Fault::data, {"no rows"}, [&] { read_file(file("a.txt", "\n \n")); });
  expect_error(Fault::argument, {"no column \"body\"", "\"text\""},
               [&] { read_file(file("a.txt", "x\n"), {.text_columns = {"body"}}); });
}

TEST_F(SourceTest, FormatByContent) {
  EXPECT_EQ(read_file(file("a", " {\"text\": \"json\"}\n")).texts, Strings{"json"});
  EXPECT_EQ(read_file(file("b", "[{\"text\": \"json\"}]\n")).texts, Strings{"json"});
  EXPECT_EQ(read_file(file("c", "id,Text\n1,csv\n")).texts, Strings{"csv"});
  EXPECT_EQ(read_file(file("d", "id\ttext\n1\ttsv\n")).texts, Strings{"tsv"});
  EXPECT_EQ(read_file(file("e", "Dear friends, this is text\nyes\n")).texts.size(), 2u);
  EXPECT_EQ(read_file(file("f", "text\nyes\n")).texts.size(), 2u);
  EXPECT_EQ(read_file(file("g.txt", "id,text\n1,x\n")).texts.size(), 2u);
  EXPECT_EQ(read_file(file("h.dat", "a,b\nx,some more words\n"), {.format = FileFormat::csv}).texts,
            Strings{"some more words"});
}

TEST_F(SourceTest, TextColumnIsFoundOrAskedFor) {
  EXPECT_EQ(read_file(file("a.csv", "id,note\n1,this reads like prose\n2,this as well\n")).text_columns,
            Strings{"note"});
  EXPECT_EQ(read_file(file("a.csv", "x,REVIEW\n1,y\n")).text_columns, Strings{"REVIEW"});
  EXPECT_EQ(read_file(file("a.csv", "only\nx\n")).text_columns, Strings{"only"});
  const std::string chinese =
      "\xE4\xBB\x8A\xE5\xA4\xA9\xE5\xA4\xA9\xE6\xB0\x94\xE5\xBE\x88\xE5\xA5\xBD\xE5\x95\x8A\xE5\x90\x97";
  EXPECT_EQ(read_file(file("a.csv", "x,y\n1," + chinese + "\n")).text_columns, Strings{"y"});
  expect_error(Fault::argument, {"\"title\", \"body\"", "text_columns NAME"},
               [&] { read_file(file("a.csv", "id,title,body\n1,a,b\n")); });
  expect_error(Fault::argument, {"none of the columns", "\"x\", \"y\"", "text_columns NAME"},
               [&] { read_file(file("a.csv", "x,y\n1,2\n")); });
  expect_error(Fault::argument, {"no column \"Y\"", "\"x\", \"y\""},
               [&] { read_file(file("a.csv", "x,y\n1,2\n"), {.text_columns = {"Y"}}); });
  expect_error(Fault::argument, {"twice"}, [&] {
    read_file(file("a.csv", "x,y\n1,2\n"), {.text_columns = {"y", "y"}});
  });
}

TEST_F(SourceTest, SeveralTextColumnsAreJoined) {
  const Read r = read_file(file("a.csv", "body,id,title\nB1,1,T1\n,2,T2\nB3,3,\n,4,\n"),
                           {.text_columns = {"title", "body"}});
  EXPECT_EQ(r.texts, (Strings{"T1\nB1", "T2", "B3", ""}));
  EXPECT_EQ(r.other_columns, Strings{"id"});
}

TEST_F(SourceTest, SeveralFilesNeedTheSameColumns) {
  const auto a = file("a.csv", "id,text\n1,one\n2,two\n");
  const auto b = file("b.tsv", "text\tid\nthree\t3\n");
  const auto c = file("c.jsonl", "{\"text\":\"four\"}\n{\"id\":5,\"text\":\"five\",\"more\":0}\n");
  const Read r = read_all(Source({a, b, c}, {}), 2);
  EXPECT_EQ(r.texts, (Strings{"one", "two", "three", "four", "five"}));
  EXPECT_EQ(r.others[0], (Strings{"1", "2", "3", "", "5"}));
  EXPECT_EQ(r.report.unknown_values, 1u);
  const auto padded =
      file("p.jsonl", "{\" text \":\"six\",\"id\":6}\n");  // keys of its own for the same names
  const Read p = read_all(Source({padded, padded, c}, {}));
  EXPECT_EQ(p.texts, (Strings{"six", "six", "four", "five"}));
  EXPECT_EQ(p.others[0], (Strings{"6", "6", "", "5"}));
  EXPECT_EQ(p.report.unknown_values, 1u);
  EXPECT_EQ(read_all(Source({a, padded}, {})).texts, (Strings{"one", "two", "six"}));
  const auto d = file("d.csv", "id,label\n1,x\n");
  expect_error(Fault::data, {"d.csv: column \"text\" is missing", "a.csv"}, [&] {
    read_all(Source({a, d}, {}));
  });
  const auto e = file("e.csv", "id,text,label\n1,x,y\n");
  expect_error(Fault::data, {"e.csv: column \"label\" is not in", "a.csv"}, [&] {
    read_all(Source({a, e}, {}));
  });
  const auto f = file("f.jsonl", "{\"id\":1}\n");
  expect_error(Fault::data, {"f.jsonl: column \"text\" is missing"}, [&] { read_all(Source({a, f}, {})); });
}

TEST_F(SourceTest, FilesAreCheckedBeforeAnyIsRead) {
  const auto good = file("a.csv", "text\nx\n");
  const auto all = [&](std::vector<fs::path> files) { return [=] { Source(files, {}); }; };
  expect_error(Fault::file, {"gone.csv: no such file"}, all({good, folder_ / "gone.csv"}));
  expect_error(Fault::file, {"is a directory"}, all({good, folder_.path()}));
  expect_error(Fault::data, {"b.csv is empty"}, all({good, file("b.csv", "")}));
  expect_error(Fault::data, {"no header line"}, all({file("mark.csv", "\xEF\xBB\xBF")}));
  expect_error(Fault::argument, {"no input"}, all({}));
  expect_error(Fault::argument, {"twice"}, all({"-", "-"}));
  expect_error(Fault::data, {"c.csv: a header and no rows"}, all({file("c.csv", "id,text\n\n")}));
  expect_error(Fault::data, {"no header line"}, all({file("d.csv", "\n\n")}));
}

TEST_F(SourceTest, BinaryIsRefusedByName) {
  using std::string_literals::operator""s;
  const auto refused = [&](const std::string& bytes, const Strings& parts) {
    expect_error(Fault::data, parts, [&] { read_file(file("a.csv", bytes)); });
  };
  refused("PK\x03\x04rest", {".xlsx", "CSV"});
  refused("\x1F\x8B\x08rest", {"a.csv is damaged", "after"});
  refused("BZh9rest", {"bzip2", "bzcat FILE"});
  refused(
      "\xFD"
      "7zXZ\0rest"s,
      {"xz", "xzcat FILE"});
  refused("PAR1rest", {"Parquet"});
  refused("%PDF-1.7", {"PDF", "pdftotext"});
  refused("\x89PNG\r\n\x1A\nrest", {"PNG"});
  refused("SQLite format 3\0rest"s, {"SQLite", "sqlite3"});
  std::string noise;
  for (int i = 0; i < 4096; ++i) noise += static_cast<char>((i * 2654435761u) >> 13);
  refused(noise, {"binary", "control characters"});
}

TEST_F(SourceTest, RecordsAreBounded) {
  const std::string longest(5000, 'x');
  for (const std::string name : {"a.csv", "a.txt", "a.tsv"}) {
    const auto path = file(name, "text\nshort\n" + longest + "\n");
    expect_error(Fault::data, {name + ", line 3", "more than 4000 bytes", "max_record"},
                 [&] { read_file(path, {.max_record = 4000}); });
    EXPECT_EQ(read_file(path, {.max_record = 5001}).texts.back(), longest);
  }
  const auto path = file("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"" + longest + "\"}\n");
  expect_error(Fault::data, {"line 2", "max_record"}, [&] { read_file(path, {.max_record = 4000}); });
  // Longer than the buffer, whole and as an open quote.
  const std::string huge(3u << 20, 'y');
  EXPECT_EQ(read_file(file("b.csv", "text,n\n\"" + huge + "\",1\n")).texts[0], huge);
  expect_error(Fault::data, {"line 2", "more than 2 MiB", "quote left open"},
               [&] { read_file(file("c.csv", "text,n\n\"" + huge + ",1\n"), {.max_record = 2u << 20}); });
  EXPECT_EQ(read_file(file("d.jsonl", "{\"text\":\"" + huge + "\"}")).texts[0], huge);
}

TEST_F(SourceTest, LimitAndBatchesAgree) {
  std::string rows = "id,text\n";
  for (int i = 0; i < 500; ++i)
    rows += std::to_string(i) + (i % 7 == 0 ? "\n" : ",\"row\n" + std::to_string(i) + "\"\n\n");
  const auto path = file("a.csv", rows);
  const Read whole = read_file(path);
  ASSERT_EQ(whole.texts.size(), 500u);
  for (const Index batch : {1u, 3u, 499u, 500u})
    EXPECT_EQ(read_all(Source({path}, {}), batch).texts, whole.texts);
  const Read limited = read_all(Source({path, path}, {.limit = 700}), 64);
  ASSERT_EQ(limited.texts.size(), 700u);
  for (Index i = 0; i < limited.texts.size(); ++i) {
    ASSERT_EQ(limited.texts[i], whole.texts[i % 500]);
    ASSERT_EQ(limited.others[0][i], whole.others[0][i % 500]);
  }
  EXPECT_EQ(limited.report.short_rows, 72u + 29u);
  Source none({path}, {.limit = 0});
  Texts texts;
  std::vector<Texts> others;
  EXPECT_FALSE(none.next(1, texts, others));
}

TEST_F(SourceTest, StreamsHaveNoSize) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    std::ofstream out(pipe, std::ios::binary);
    out << "id,text\n";
    out.flush();
    for (int i = 0; i < 100000; ++i) out << i << ",word " << i << "\n";
  });
  Source source({pipe}, {});
  EXPECT_FALSE(source.bytes_total());
  Texts texts;
  std::vector<Texts> others;
  Index rows = 0;
  std::string last;
  while (source.next(5000, texts, others)) {
    rows += texts.size();
    last = texts[texts.size() - 1];
  }
  writer.join();
  EXPECT_EQ(rows, 100000u);
  EXPECT_EQ(last, "word 99999");
}

TEST_F(SourceTest, StopIsHeardWhileAPipeGivesNothing) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int kept_open = ::open(pipe.c_str(), O_RDWR);  // a writer that says nothing
  ASSERT_GE(kept_open, 0);
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  expect_error(Fault::cancelled, {"stopped"}, [&] { Source({pipe}, {}, stop.get_token()); });
  later.join();
  ::close(kept_open);
  expect_error(Fault::cancelled, {"stopped"},
               [&] { Source({file("a.csv", "text\nx\n")}, {}, stop.get_token()); });
}

// Standard input for the time of one call.
Read read_standard_input(const fs::path& path, ReadOptions options = {}) {
  struct Restore {
    int kept = ::dup(STDIN_FILENO);
    ~Restore() {
      ::dup2(kept, STDIN_FILENO);
      ::close(kept);
    }
  } restore;
  const int file = ::open(path.c_str(), O_RDONLY);
  EXPECT_GE(::dup2(file, STDIN_FILENO), 0);
  ::close(file);
  return read_file("-", std::move(options));
}

TEST_F(SourceTest, StandardInput) {
  EXPECT_EQ(read_standard_input(file("a", "one, two\nthree\n")).texts, (Strings{"one, two", "three"}));
  EXPECT_EQ(read_standard_input(file("b", "{\"text\":\"x\"}\n")).texts, Strings{"x"});
  EXPECT_EQ(
      read_standard_input(file("c", "a,b\nx,y\n"), {.format = FileFormat::csv, .text_columns = {"b"}}).texts,
      Strings{"y"});
  expect_error(Fault::data, {"standard input is empty"}, [&] { read_standard_input("/dev/null"); });
}

// No field of these files has a line end inside (their README says so): each line is one row.
TEST(SourceData, EveryRowOfTheRealFiles) {
  const char* given = std::getenv("SHOAL_DATA");
  const fs::path data = given != nullptr ? fs::path(given) : fs::path(SHOAL_SOURCE) / "../shared/data";
  if (!fs::exists(data)) GTEST_SKIP() << "no data sets at " << data << " (SHOAL_DATA names the folder)";
  Index files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    const fs::path path = entry.path();
    if (path.extension() != ".csv" && path.extension() != ".jsonl") continue;
    std::ifstream in(path);
    Index lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    std::ifstream again(path);
    std::string header;
    std::getline(again, header);
    const bool csv = path.extension() == ".csv";
    std::string column = csv ? header.substr(0, header.find(',')) : header.substr(2, header.find('"', 2) - 2);
    const Read r = read_file(path, {.text_columns = {column}});
    EXPECT_EQ(r.texts.size(), lines - csv) << path;
    EXPECT_EQ(r.report.short_rows + r.report.long_rows + r.report.repaired_utf8, 0u) << path;
    ++files;
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace shoal
