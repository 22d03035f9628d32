#include "shoal/read/dialect.h"

#include "tests/reading.h"

namespace shoal {
namespace {

using Strings = std::vector<std::string>;

using DialectTest = ReadingTest;

TEST_F(DialectTest, TheSameBytesUnderAnyName) {
  const std::string table = "id,summary\n1,the cat sat on mats\n2,the dog ran far off\n";
  for (const char* name : {"a.csv", "a.txt", "a.dat", "a", "a.tsv", "a.jsonl"}) {
    const WholeFile r = read(name, table);
    EXPECT_EQ(r.text_columns, Strings{"summary"}) << name;
    EXPECT_EQ(r.other_columns, Strings{"id"}) << name;
    EXPECT_EQ(r.texts, (Strings{"the cat sat on mats", "the dog ran far off"})) << name;
  }
  EXPECT_EQ(read("a.csv", table).how().remark, "");
  EXPECT_EQ(read("a", table).how().remark, "");
  EXPECT_EQ(read("a.txt", table).how().remark, "read as a table");
  const std::string objects = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
  for (const char* name : {"a.csv", "a.txt", "a.dat", "a", "a.jsonl"})
    EXPECT_EQ(read(name, objects).texts, (Strings{"one", "two"})) << name;
}

TEST_F(DialectTest, TablesOfLongTexts) {
  const std::string longest(300000, 'x');
  const WholeFile r =
      read("a", "id;review\n1;\"" + longest + "; and\nmore\"\n2;\"" + longest + "\"\n3;short one\n");
  ASSERT_EQ(r.texts.size(), 3u);
  EXPECT_EQ(r.texts[0], longest + "; and\nmore");
}

TEST_F(DialectTest, ProseStaysLines) {
  for (const char* text :
       {"Yes, I agree.\nNo, I do not.\nWell, perhaps.\n",
        "\"Yes,\" he said, and went.\n\"No,\" she said, and stayed.\n",
        "red,green\nblue,yellow\npink,black\n", "# Title\n\n- one, two\n- three, four\n",
        "2023-01-01 12:00:00,123 INFO started\n2023-01-01 12:00:01,456 INFO ended\n",
        "{\\bf bold} text of LaTeX\nand more of it\n", "\tindented\n\ttoo\n\tand this\n"}) {
    for (const char* name : {"a.txt", "a"})
      EXPECT_EQ(read(name, text).how().format, FileFormat::lines) << name << " " << text;
  }
}

TEST_F(DialectTest, BackslashBeforeQuotes) {
  const WholeFile r = read_whole(case_file("bs.csv"));
  EXPECT_EQ(r.texts, (Strings{"he said \"hi\" loudly", "plain", "C:\\dir\\"}));
  EXPECT_EQ(r.others, (std::vector<Strings>{{"1", "2", "3"}, {"x", "y", "z"}}));
  EXPECT_EQ(r.report.stray_quotes, 0u);
  EXPECT_EQ(r.how().escape, "backslash");
  EXPECT_EQ(r.how().remark, "read with quotes written \\\"");
  EXPECT_EQ(
      read("a.csv",
           "id,text\n1,\"say \\\"yes\\\", then \\\"no\\\"\"\n2,\"C:\\temp\\\"\n3,\"a \\\\ b\"\n4,\"it "
           "\"\"is\"\"\"\n"
           "5,\"two\nlines \\\"here\\\"\"\n")
          .texts,
      (Strings{"say \"yes\", then \"no\"", "C:\\temp\\", "a \\\\ b", "it \"is\"", "two\nlines \"here\""}));
  // Whoever writes \" and doubles backslashes means one of them.
  EXPECT_EQ(read("b.csv", "id,text\n1,\"a \\\"b\\\" \\\\\"\n2,\"C:\\\\dir\"\n").texts,
            (Strings{"a \"b\" \\", "C:\\dir"}));
  // Nothing is escaped where nothing says so.
  EXPECT_EQ(read("c.csv", "id,text\n1,\"C:\\dir\\\"\n2,\"D:\\\"\n").texts, (Strings{"C:\\dir\\", "D:\\"}));
  EXPECT_EQ(read("d.csv", "id,text\n1,\"C:\\dir\\\"\n", {.escape = "backslash"}).texts, Strings{"C:\\dir\\"});
}

TEST_F(DialectTest, TextBehindAQuoteIsSaid) {
  const WholeFile r = read("a.csv", "id,text\n1,\"fine\"\n2,\"good\" stuff\n3,\"more\" of it\n");
  EXPECT_EQ(r.texts, (Strings{"fine", "good stuff", "more of it"}));
  EXPECT_EQ(r.report.stray_quotes, 2u);
  ASSERT_EQ(r.report.notes.size(), 1u);
  EXPECT_NE(r.report.notes[0].find("a.csv, line 3: text follows a closing quote ( stuff)"), std::string::npos)
      << r.report.notes[0];
  EXPECT_EQ(read("b.csv", "id,text,n\n1,\"blanks\"  ,2\n").report.stray_quotes, 0u);
}

TEST_F(DialectTest, ADelimiterAtTheEndOfEachRow) {
  const WholeFile r = read_whole(case_file("trail2.csv"));
  EXPECT_EQ(r.texts.size(), 24u);
  EXPECT_EQ(r.other_columns, Strings{"n"});
  EXPECT_EQ(r.report.long_rows, 0u);
  EXPECT_TRUE(r.report.notes.empty());
  EXPECT_EQ(r.how().remark, "");
  const WholeFile in_header = read("a.csv", "text;n;\nthe cat;1;\nthe dog;2;\n");
  EXPECT_EQ(in_header.other_columns, Strings{"n"});
  EXPECT_EQ(in_header.report.long_rows, 0u);
  const WholeFile used = read("b.csv", "text,n,note\nthe cat,1,\nthe dog,2,\n");
  EXPECT_EQ(used.other_columns, (Strings{"n", "note"})) << "an empty column with a name stays";
}

TEST_F(DialectTest, NoHeader) {
  const WholeFile r =
      read("a.csv", "1,the cat sat on the mat,4.5\n2,the dog barks at night,3\n3,birds fly over the sea,1\n");
  EXPECT_EQ(r.text_columns, Strings{"column_2"});
  EXPECT_EQ(r.other_columns, (Strings{"column_1", "column_3"}));
  EXPECT_EQ(r.texts.size(), 3u);
  EXPECT_EQ(r.how().remark, "read without a header: the columns are column_1 and so on");
  const WholeFile spam =
      read("sms",
           "ham\tGo until jurong point, crazy.. Available only\nham\tOk lar... Joking wif u oni...\n"
           "spam\tFree entry in 2 a wkly comp to win\nham\t\"U dun say so early hor...\n");
  EXPECT_EQ(spam.texts[3], "\"U dun say so early hor...");
  EXPECT_EQ(spam.others[0], (Strings{"ham", "ham", "spam", "ham"}));
  EXPECT_EQ(spam.how().quote, "none");
  const WholeFile given =
      read("b.csv", "text,n\nx y z,1\n", {.text_columns = {"column_1"}, .header = HeaderRow::no});
  EXPECT_EQ(given.texts, (Strings{"text", "x y z"}));
  EXPECT_EQ(read("c.csv", "1,a b c\n2,d e f\n", {.text_columns = {"a b c"}, .header = HeaderRow::yes}).texts,
            Strings{"d e f"});
  // Questions and years are headers.
  EXPECT_EQ(read("d.csv",
                 "Timestamp,What did you like about the course?\n2024-01-01 10:00,all of the tasks we did\n")
                .texts,
            Strings{"all of the tasks we did"});
  EXPECT_EQ(read("e.csv", "note,2010,2011\nrain in the north,1,2\nsun in the south,4,5\n").other_columns,
            (Strings{"2010", "2011"}));
  EXPECT_NE(refusal("f.csv", "1,the one row there is\n").find("header no"), std::string::npos);
}

TEST_F(DialectTest, TitlesBeforeTheHeader) {
  const WholeFile r = read(
      "a.csv", "Sales report\nyear 2024\n\nid;comment;n\n1;good thing, really;3\n2;bad thing, sadly;4\n");
  EXPECT_EQ(r.texts, (Strings{"good thing, really", "bad thing, sadly"}));
  EXPECT_EQ(r.how().skipped, 3u);
  EXPECT_EQ(r.how().remark, "read with the delimiter ;, without the 3 lines before its header");
  const WholeFile excel = read("b.csv", "Report,,\n,,\nid,text,n\n1,the cat sat,3\n2,the dog sat,4\n");
  EXPECT_EQ(excel.texts, (Strings{"the cat sat", "the dog sat"}));
  // One name, and texts with a comma each, is no table below a title.
  EXPECT_EQ(read("c.csv", "text\nHello, world\nfoo, bar\nbaz, qux\n").texts,
            (Strings{"Hello, world", "foo, bar", "baz, qux"}));
  EXPECT_EQ(read("d.csv", "junk\nid,text\n1,x y\n", {.skip = 1}).texts, Strings{"x y"});
  EXPECT_EQ(read("e.txt", "junk\nlines, of text\nand more\n", {.skip = 1}).texts,
            (Strings{"lines, of text", "and more"}));
  EXPECT_EQ(read("f.jsonl", "junk\n{\"text\":\"x\"}\n", {.skip = 1}).texts, Strings{"x"});
  EXPECT_EQ(read("g.csv", "Sales\nid,text\n1,x y\n",
                 {.text_columns = {"column_1"}, .header = HeaderRow::no, .skip = 0})
                .texts.size(),
            3u);
}

TEST_F(DialectTest, QuotesAndDelimiters) {
  EXPECT_EQ(read("a.csv", "id,text\n1,'it''s good, yes'\n2,'no, thanks'\n3,'ok'\n").texts,
            (Strings{"it's good, yes", "no, thanks", "ok"}));
  EXPECT_EQ(read("b.csv", "id,text\n1,'tis the season\n2,don't\n").texts,
            (Strings{"'tis the season", "don't"}));
  EXPECT_EQ(read("c.txt", "a|b|text\n1|2|the cat, sat\n3|4|the dog; ran\n").texts,
            (Strings{"the cat, sat", "the dog; ran"}));
  EXPECT_EQ(read("d.csv", "id~text\n1~a, b\n", {.delimiter = "~"}).texts, Strings{"a, b"});
  EXPECT_EQ(read("e.csv", "id\ttext\n1\ta, b\n", {.delimiter = "tab"}).texts, Strings{"a, b"});
  EXPECT_EQ(read("f.txt", "id,text\n1,x\n", {.delimiter = "comma"}).texts, Strings{"x"})
      << "then it is a table";
  EXPECT_EQ(read("g.csv", "id,text\n1,\"oops\n2,\"x\"\n", {.quote = "none"}).texts,
            (Strings{"\"oops", "\"x\""}));
  EXPECT_EQ(read("h.csv", "\"text\",\"n\"\n\"1\",\"the cat sat\",3\n\"2\",\"the dog ran\",4\n").texts,
            (Strings{"the cat sat", "the dog ran"}))
      << "row names, as R writes them";
}

TEST_F(DialectTest, OptionsThatMakeNoSense) {
  EXPECT_NE(refusal("a.csv", "text\nx\n", {.escape = "slash"})
                .find("escape slash: allowed is backslash (or \\) or doubled"),
            std::string::npos);
  EXPECT_EQ(read("b.csv", "id,text\n1,\"C:\\\"\n", {.escape = "\\"}).texts, Strings{"C:\\"});
  EXPECT_NE(
      refusal("a.csv", "text\nx\n", {.delimiter = "ab"}).find("delimiter ab: allowed is one ASCII character"),
      std::string::npos);
  EXPECT_NE(refusal("a.csv", "text\nx\n", {.delimiter = ""}).find("allowed is"), std::string::npos);
  EXPECT_NE(refusal("a.csv", "text\nx\n", {.delimiter = "'", .quote = "single"}).find("are the same"),
            std::string::npos);
  EXPECT_NE(refusal("a.csv", "text\nx\n", {.quote = "none", .escape = "backslash"}).find("there are none"),
            std::string::npos);
  EXPECT_NE(refusal("a", "x\n", {.format = FileFormat::lines, .delimiter = ","}).find("format lines is none"),
            std::string::npos);
}

}  // namespace
}  // namespace shoal
