// The files that tests/golden/make_parquet.py has made with pyarrow, and damaged ones.
#include "shoal/read/parquet.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "shoal/core/cell_kind.h"
#include "shoal/core/error.h"
#include "shoal/read/source.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = SHOAL_SOURCE "/tests/golden/parquet";

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A file in the folder for temporary files that goes with the test.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& bytes)
      : path(fs::temp_directory_path() / ("shoal_parquet_test_" + std::to_string(::getpid()))) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { fs::remove(path); }
  fs::path path;
};

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> cells;  // column by column
  std::vector<std::string> kinds;               // row by row
  ReadReport report;
};

Table table_of(const fs::path& path, const ReadOptions& options = {.text_columns = {"text"}},
               Index most = 5) {
  Source source({path}, options);
  Table out;
  out.columns = source.other_columns();
  out.columns.insert(out.columns.begin(), "text");
  out.cells.resize(out.columns.size());
  Texts texts;
  std::vector<Texts> others;
  while (source.next(most, texts, others)) {
    for (Index i = 0; i < texts.size(); ++i) out.cells[0].emplace_back(texts[i]);
    for (Index c = 0; c < others.size(); ++c)
      for (Index i = 0; i < others[c].size(); ++i) out.cells[c + 1].emplace_back(others[c][i]);
    for (Index i = 0; i < source.kinds().size(); ++i) out.kinds.emplace_back(source.kinds()[i]);
  }
  out.report = source.report();
  return out;
}

TEST(Parquet, CellsOfAllTypes) {
  const auto expected = nlohmann::json::parse(bytes_of(kFolder / "types.json"));
  const Table found = table_of(kFolder / "types.parquet");
  ASSERT_EQ(found.columns.size(), expected["cells"].size());  // "vector" is left out
  ASSERT_EQ(found.report.notes.size(), 1u);
  EXPECT_NE(found.report.notes[0].find("\"vector\" were left out"), std::string::npos);
  for (Index c = 0; c < found.columns.size(); ++c) {
    const auto& cells = expected["cells"][found.columns[c]];
    ASSERT_EQ(found.cells[c].size(), cells.size()) << found.columns[c];
    for (Index i = 0; i < cells.size(); ++i) {
      EXPECT_EQ(found.cells[c][i], cells[i][1].get<std::string>()) << found.columns[c] << ", row " << i;
      EXPECT_EQ(std::string(1, found.kinds[i][c]), cells[i][0].get<std::string>())
          << found.columns[c] << ", row " << i;
    }
  }
}

TEST(Parquet, EveryCodecAndPageVersion) {
  for (const char* codec : {"none", "snappy", "gzip", "zstd", "lz4", "brotli"}) {
    for (const char* version : {"1", "2"}) {
      const Table found =
          table_of(kFolder / (std::string("codec_") + codec + "_" + version + ".parquet"), {}, 1000);
      ASSERT_EQ(found.cells[0].size(), 300u) << codec << version;
      for (Index i = 0; i < 300; ++i) {
        ASSERT_EQ(found.cells[0][i], "row " + std::to_string(i % 50) + " says hello to you") << codec;
        ASSERT_EQ(found.cells[1][i], i % 7 == 0 ? "" : std::to_string(i)) << codec;
      }
    }
  }
}

TEST(Parquet, Int96) {
  const Table found = table_of(kFolder / "int96.parquet");
  EXPECT_EQ(found.cells[1], (std::vector<std::string>{"2024-02-29T01:02:03", ""}));
}

TEST(Parquet, FoundByContentWithAnyName) {
  const TemporaryFile file(bytes_of(kFolder / "codec_zstd_1.parquet"));  // a name without an ending
  EXPECT_EQ(table_of(file.path, {.limit = 7}).cells[0].size(), 7u);
  expect_error(Fault::argument, "is a Parquet file",
               [&] { table_of(file.path, {.format = FileFormat::csv}); });
  const TemporaryFile text("PAR1 is how Parquet files begin\nthis is none\n");
  EXPECT_EQ(table_of(text.path, {}).cells[0].size(), 2u);
}

TEST(Parquet, SeveralFilesAndTexts) {
  Source source({kFolder / "codec_gzip_1.parquet", kFolder / "codec_lz4_2.parquet"}, {});
  Texts texts;
  std::vector<Texts> others;
  Index rows = 0;
  while (source.next(100, texts, others)) rows += texts.size();
  EXPECT_EQ(rows, 600u);
  EXPECT_EQ(source.bytes_total(),
            fs::file_size(kFolder / "codec_gzip_1.parquet") + fs::file_size(kFolder / "codec_lz4_2.parquet"));
  EXPECT_LE(source.bytes_read(), *source.bytes_total());
  EXPECT_GT(source.bytes_read() * 10, *source.bytes_total());
  EXPECT_EQ(table_of(kFolder / "types.parquet", {.text_columns = {"word", "date"}}).cells[0][0],
            "plain\n2024-02-29");
  expect_error(Fault::data, "holds 1",
               [] { table_of(kFolder / "codec_gzip_1.parquet", {.text_columns = {"n"}}); });
  expect_error(Fault::data, "holds [1.0,2.0]", [] { table_of(kFolder / "vectors_bad_null.parquet", {}); });
  expect_error(Fault::data, "has vectors (\"v\") and no other columns",
               [] { table_of(kFolder / "vectors_alone.parquet", {}); });
}

TEST(Parquet, WhatOnlyTextsHaveIsRefused) {
  const fs::path path = kFolder / "codec_none_1.parquet";
  const std::vector<std::pair<std::string, ReadOptions>> given = {
      {"other format; leave out format", {.format = FileFormat::csv}},
      {"encoding: its texts are UTF-8; leave out encoding", {.encoding = "latin1"}},
      {"delimiter; leave out delimiter", {.delimiter = ";"}},
      {"quotes; leave out quote", {.quote = "single"}},
      {"quotes; leave out escape", {.escape = "backslash"}},
      {"header: it names its columns itself; leave out header", {.header = HeaderRow::no}},
      {"lines; leave out skip", {.skip = 0}},
  };
  for (const auto& [message, options] : given)
    expect_error(Fault::argument, path.string() + " is a Parquet file, which has no " + message,
                 [&] { table_of(path, options); });
  // A file that follows is asked too.
  expect_error(Fault::argument, path.string() + " is a Parquet file", [&] {
    const TemporaryFile csv("text;n\na long sentence of words;1\n");
    Source source({csv.path, path}, {.delimiter = ";"});
    Texts texts;
    std::vector<Texts> others;
    while (source.next(10, texts, others)) {
    }
  });
}

TEST(Parquet, NothingInIt) {
  expect_error(Fault::data, "no_rows.parquet is a Parquet file without rows",
               [] { table_of(kFolder / "no_rows.parquet", {}); });
  expect_error(Fault::data, "no_columns.parquet is a Parquet file without columns",
               [] { table_of(kFolder / "no_columns.parquet", {}); });
}

struct Batches {
  std::size_t rows = 0, bytes = 0, largest = 0;
};

/// As a caller sees them that wants many rows at a time.
Batches batches_of(const fs::path& path) {
  Source source({path}, {.text_columns = {"text"}});
  Texts texts;
  std::vector<Texts> others;
  Batches out;
  while (source.next(100'000, texts, others)) {
    std::size_t bytes = 0;
    for (Index i = 0; i < texts.size(); ++i) {
      bytes += texts[i].size();
      for (const Texts& column : others) bytes += column[i].size();
    }
    out.rows += texts.size();
    out.bytes += bytes;
    out.largest = std::max(out.largest, bytes);
  }
  return out;
}

// 5,000 rows of one text take 14 kB in the file, and 102 MB outside.
TEST(Parquet, BatchesEndByTheirBytes) {
  constexpr std::size_t kRow = 34 * 600, kMost = (16u << 20) + kRow + 1000;
  const Batches same = batches_of(kFolder / "long_same.parquet");
  EXPECT_EQ(same.rows, 5000u);
  EXPECT_GT(same.bytes, 5000 * kRow);
  EXPECT_LT(same.largest, kMost);
  const Batches delta = batches_of(kFolder / "long_delta.parquet");
  EXPECT_EQ(delta.rows, 3000u);
  EXPECT_GT(delta.bytes, 3000 * kRow);
  EXPECT_LT(delta.largest, kMost);
  const Batches nulls = batches_of(kFolder / "nulls.parquet");
  EXPECT_EQ(nulls.rows, 3000u);
  EXPECT_GT(nulls.bytes, std::size_t{3000} * 3000 * 5);
  EXPECT_LT(nulls.largest, kMost);
  EXPECT_EQ(batches_of(kFolder / "zeros.parquet").rows, 500u);
}

TEST(Parquet, RecordsHaveAGreatestLength) {
  const auto read = [](const char* name, std::size_t most) {
    return table_of(kFolder / name, {.text_columns = {"text"}, .max_record = most}).cells[0].size();
  };
  EXPECT_EQ(read("long_same.parquet", 20'404), 5000u);  // the text and four digits
  expect_error(Fault::data, "long_same.parquet, column \"n\", row 1000: the row has more than 20403 bytes",
               [&] { read("long_same.parquet", 20'403); });
  expect_error(Fault::data, "max_record", [&] { read("long_same.parquet", 5000); });
  expect_error(Fault::data, "nulls.parquet, column \"v\", row 0: the row has more than 9000 bytes",
               [&] { read("nulls.parquet", 9000); });
}

// Pages that claim list elements as runs: a few bytes each.
TEST(Parquet, RowsAreNoLongerThanAFileCanMean) {
  const Table honest = table_of(kFolder / "hostile_honest.parquet");  // made by the same hand
  EXPECT_EQ(honest.cells[1][0].size(), 30 * std::string("\"evil\",").size() + 1);
  for (const char* name : {"hostile_nulls", "hostile_words", "hostile_page", "hostile_columns"})
    expect_error(Fault::data, "list elements in a row, which a file of",
                 [&] { table_of(kFolder / (std::string(name) + ".parquet")); });
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

// What comes through a pipe is copied to a file, which must go whatever happens.
TEST(Parquet, ACopyIsClosedWhereReadingFails) {
  const std::string whole = bytes_of(kFolder / "codec_none_1.parquet");
  const auto read = [&](const Input::Fetch& fetch) {
    ReadReport report;
    ParquetReader(Input("pipe", fetch, 64u << 20, 4096), "-", &report, {}, {});
  };
  const auto some = [&](std::size_t bytes, auto then) {
    return [&whole, bytes, then, at = std::size_t{0}](char* to, std::size_t room) mutable -> std::size_t {
      if (at >= bytes) return then();
      const std::size_t n = std::min(room, bytes - at);
      std::copy_n(whole.data() + at, n, to);
      at += n;
      return n;
    };
  };
  const std::size_t before = open_descriptors();
  const auto end = [] { return std::size_t{0}; };
  read(some(whole.size(), end));
  expect_error(Fault::data, "cannot be read as Parquet", [&] { read(some(whole.size() / 2, end)); });
  const auto broken = []() -> std::size_t { throw Error(Fault::file, "pipe: cannot read: it is gone"); };
  expect_error(Fault::file, "it is gone", [&] { read(some(whole.size() / 2, broken)); });
  const auto memory = []() -> std::size_t { throw std::bad_alloc(); };
  EXPECT_THROW(read(some(whole.size() / 2, memory)), std::bad_alloc);
  EXPECT_EQ(open_descriptors(), before);
}

// A full folder for temporary files is named, not the input alone.
TEST(Parquet, NoRoomForTheCopy) {
  const std::string whole = bytes_of(kFolder / "codec_none_1.parquet");
  rlimit was{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &was), 0);
  const rlimit small{4096, was.rlim_max};
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(Fault::file, "cannot be copied to " + fs::temp_directory_path().string(), [&] {
    ReadReport report;
    ParquetReader(Input::of("pipe", whole), "-", &report, {}, {});
  });
  ::setrlimit(RLIMIT_FSIZE, &was);
  ::signal(SIGXFSZ, old);
}

TEST(Parquet, StopsOnRequest) {
  std::stop_source stop;
  Source source({kFolder / "types.parquet"}, {.text_columns = {"text"}}, stop.get_token());
  Texts texts;
  std::vector<Texts> others;
  ASSERT_TRUE(source.next(1, texts, others));
  stop.request_stop();
  expect_error(Fault::cancelled, "stopped", [&] {
    while (source.next(1, texts, others)) {
    }
  });
}

TEST(Parquet, DamagedFilesAreRefused) {
  const std::string whole = bytes_of(kFolder / "codec_snappy_1.parquet");
  for (const std::size_t size : {std::size_t{12}, whole.size() / 2, whole.size() - 1}) {
    const TemporaryFile cut(whole.substr(0, size));
    expect_error(Fault::data, "cannot be read as Parquet", [&] { table_of(cut.path, {}); });
  }
  std::string encrypted = whole;
  encrypted.replace(encrypted.size() - 4, 4, "PARE");
  const TemporaryFile file(encrypted);
  expect_error(Fault::unsupported, "it is encrypted", [&] { table_of(file.path, {}); });
}

// Each byte that matters is spoilt in turn: an error or other values, never a crash.
TEST(Parquet, SpoiltBytes) {
  for (const char* name : {"codec_none_1.parquet", "types.parquet"}) {
    const std::string whole = bytes_of(kFolder / name);
    Index refused = 0;
    for (std::size_t at = 4; at < whole.size(); at += whole.size() / 150 + 1) {
      for (const int mask : {0x01, 0x80, 0xFF}) {
        std::string spoilt = whole;
        spoilt[at] = static_cast<char>(spoilt[at] ^ mask);
        const TemporaryFile file(spoilt);
        try {
          table_of(file.path);
        } catch (const Error& e) {
          EXPECT_TRUE(e.fault == Fault::data || e.fault == Fault::unsupported || e.fault == Fault::argument)
              << e.what();
          ++refused;
        }
      }
    }
    EXPECT_GT(refused, 50u) << name;
  }
}

}  // namespace
}  // namespace shoal
