// The files that tests/golden/make_parquet.py has made with pyarrow, and damaged ones.
#include "shoal/read/parquet.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
