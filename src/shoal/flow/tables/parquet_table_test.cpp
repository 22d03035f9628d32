#include "shoal/flow/tables/parquet_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "shoal/flow/tables/row_spool.h"
#include "shoal/flow/tables/value_bins.h"
#include "shoal/read/source.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Cells = std::vector<std::string>;

ParquetType type_of(const Cells& cells, const std::string& kinds = "") {
  ColumnType type;
  for (Index i = 0; i < cells.size(); ++i)
    type.add(cells[i], kinds.empty() ? CellKind::string : static_cast<CellKind>(kinds[i]));
  return type.type();
}

TEST(ColumnType, OfTextAsInCsv) {
  EXPECT_EQ(type_of({"1", "", "-20"}), ParquetType::int64);
  EXPECT_EQ(type_of({"1", "2.5", "1e3"}), ParquetType::float64);
  EXPECT_EQ(type_of({"true", "False", ""}), ParquetType::boolean);
  EXPECT_EQ(type_of({"2024-02-29", "1969-01-01"}), ParquetType::date);
  EXPECT_EQ(type_of({"2024-02-29T10:00:00", "2024-02-29 10:00:00.5"}), ParquetType::timestamp);
  EXPECT_EQ(type_of({"2024-02-29T10:00:00Z", "2024-02-29T10:00:00+02:00"}), ParquetType::timestamp_utc);
  for (const Cells& strings : std::vector<Cells>{{"", ""},
                                                 {"01234", "5"},
                                                 {"1,5", "2"},
                                                 {"1", "two"},
                                                 {"+1", "2"},
                                                 {"9223372036854775808", "1"},
                                                 {"1e400", "1"},
                                                 {"31.12.2024", "1.1.2024"},
                                                 {"2024-02-30"},
                                                 {"2024-02-29T10:00:00Z", "2024-02-29T10:00:00"},
                                                 {"2024-02-29T10:00:00.123456789"},
                                                 {"NaN", "1"}})
    EXPECT_EQ(type_of(strings), ParquetType::string) << strings[0];
}

TEST(ColumnType, OfJson) {
  EXPECT_EQ(type_of({"1", "2"}, "jj"), ParquetType::int64);
  EXPECT_EQ(type_of({"1", ""}, "sn"), ParquetType::string);  // "1" and null: a string stays one
  EXPECT_EQ(type_of({"true", "", ""}, "jnm"), ParquetType::boolean);
  EXPECT_EQ(type_of({"NaN", "-Infinity", "2"}, "jjj"), ParquetType::float64);
  EXPECT_EQ(type_of({"100000000000000000000000000"}, "j"), ParquetType::string);
  EXPECT_EQ(type_of({"1e400"}, "j"), ParquetType::string);
  EXPECT_EQ(type_of({"[1]", "[2]"}, "jj"), ParquetType::string);
  EXPECT_EQ(type_of({"2024-01-01", ""}, "sn"), ParquetType::date);
}

// What is written is read again: cells, kinds and vectors, and twice the same bytes.
TEST(ParquetTable, ThereAndBack) {
  const Cells names = {"whole", "real", "yes", "day", "moment", "utc", "word"};
  const std::vector<Cells> rows = {
      {"9223372036854775807", "0.1", "true", "2024-02-29", "2024-02-29T01:02:03.000456",
       "1950-01-01T00:00:00Z", "a"},
      {"", "", "", "", "", "", ""},
      {"-5", "1e300", "false", "0001-01-01", "1969-12-31T23:59:59", "2024-01-01T00:00:00.5+01:00", "\xFF"}};
  std::vector<Texts> columns(names.size());
  for (const Cells& row : rows)
    for (Index c = 0; c < names.size(); ++c) columns[c].add(row[c]);
  ColumnTypes types(names.size());
  types.add(columns, {});
  std::vector<ParquetField> fields;
  for (Index c = 0; c < names.size(); ++c) fields.push_back({names[c], types[c].type()});
  fields.push_back({"text", ParquetType::string});
  fields.push_back({"vector", ParquetType::vector, 20});
  const auto bytes = [&] {
    std::string out;
    ParquetWriter writer(fields, "test", [&](std::string_view piece) { out += piece; });
    std::vector<ParquetValues> values(fields.size());
    for (int batch = 0; batch < 40; ++batch) {
      for (ParquetValues& v : values) v.clear();
      for (Index i = 0; i < rows.size(); ++i) {
        for (Index c = 0; c < names.size(); ++c) types[c].put(values[c], columns[c][i], CellKind::string);
        values[names.size()].add("text number " + std::to_string(i));
        std::vector<float> vector(20, static_cast<float>(batch) + 0.25f * static_cast<float>(i));
        values.back().add(vector.data(), 20);
      }
      writer.add(values, rows.size());
    }
    writer.finish();
    return out;
  };
  const std::string written = bytes();
  EXPECT_EQ(written, bytes());
  const fs::path path =
      fs::temp_directory_path() / ("shoal_there_" + std::to_string(::getpid()) + ".parquet");
  std::ofstream(path, std::ios::binary) << written;

  Source source({path}, {});
  EXPECT_EQ(source.other_columns(), names);
  Texts texts;
  std::vector<Texts> others;
  ASSERT_TRUE(source.next(1000, texts, others));
  EXPECT_EQ(texts.size(), 120u);
  const std::vector<Cells> expected = {
      {"9223372036854775807", "0.1", "true", "2024-02-29", "2024-02-29T01:02:03.000456",
       "1950-01-01T00:00:00Z", "a"},
      {"", "", "", "", "", "", ""},
      {"-5", "1e+300", "false", "0001-01-01", "1969-12-31T23:59:59", "2023-12-31T23:00:00.500Z", "\uFFFD"}};
  for (Index i = 0; i < 3; ++i)
    for (Index c = 0; c < names.size(); ++c) EXPECT_EQ(others[c][117 + i], expected[i][c]) << names[c];
  EXPECT_EQ(source.kinds()[0], "sjjjssss");
  EXPECT_EQ(source.kinds()[1], "snnnnnns");
  const Rows vectors = open_rows(path);
  ASSERT_EQ(vectors.rows(), 120u);
  const Matrix all = vectors.to_matrix();
  EXPECT_EQ(all[119][19], 39.5f);
  fs::remove(path);
}

TEST(RowSpool, GivesBackWhatItGot) {
  RowSpool spool(fs::temp_directory_path() / "anything");
  Texts texts, column, kinds;
  for (const char* t : {"a", "", "long text"}) texts.add(t);
  for (const char* t : {"1", "2", ""}) column.add(t);
  for (const char* t : {"sj", "sj", "sn"}) kinds.add(t);
  spool.add(texts, {column}, kinds);
  spool.add(column, {texts}, {});
  int batches = 0;
  spool.each([&](const Texts& t, const std::vector<Texts>& columns, const Texts& k) {
    EXPECT_EQ(t[2], batches == 0 ? "long text" : "");
    EXPECT_EQ(columns[0][2], batches == 0 ? "" : "long text");
    EXPECT_EQ(k.size(), batches == 0 ? 3u : 0u);
    ++batches;
  });
  EXPECT_EQ(batches, 2);
}

TEST(ValueBins, Texts) {
  EXPECT_EQ(value_text(ColumnKind::number, 3.5), "3.5");
  EXPECT_EQ(value_text(ColumnKind::percent, 12), "12%");
  EXPECT_EQ(value_text(ColumnKind::date, 20088), "2024-12-31");
  EXPECT_EQ(value_text(ColumnKind::timestamp, -60), "1969-12-31 23:59");
  EXPECT_EQ(value_text(ColumnKind::time, 32700), "09:05");
}

}  // namespace
}  // namespace shoal
