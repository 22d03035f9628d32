#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = SHOAL_SOURCE "/tests/golden/parquet";

TEST(ParquetRows, ListsOfFloatsOfAnyWidth) {
  for (const char* name : {"half", "single", "double"}) {
    for (const char* shape : {"fixed", "list"}) {
      const Rows found = open_rows(kFolder / (std::string("vectors_") + name + "_" + shape + ".parquet"));
      ASSERT_EQ(found.rows(), 10u) << name << shape;
      ASSERT_EQ(found.cols(), 4u);
      const Matrix all = found.to_matrix();
      for (Index i = 0; i < 10; ++i)
        for (Index c = 0; c < 4; ++c)
          EXPECT_EQ(all[i][c], static_cast<float>(i * 4 + c) / 8) << name << shape;
    }
  }
}

TEST(ParquetRows, TheColumnCalledVector) {
  const Rows found = open_rows(kFolder / "types.parquet");  // beside a list called short_floats
  EXPECT_EQ(found.rows(), 7u);
  EXPECT_EQ(found.cols(), 16u);
  const Matrix all = found.to_matrix();
  EXPECT_EQ(all[6][15], 21);
}

TEST(ParquetRows, Refuses) {
  for (const auto& [name, message] : std::vector<std::pair<std::string, std::string>>{
           {"vectors_bad_null", "column \"v\", row 1: null"},
           {"vectors_bad_inside", "column \"v\", row 1: a vector with a null in it"},
           {"vectors_bad_length", "column \"v\", row 1: a vector of 1 numbers; the first row's has 2"},
           {"codec_none_1",
            "it has no column of vectors (lists of floating-point numbers); its columns are "
            "\"text\", \"n\""}}) {
    const fs::path path = kFolder / (name + ".parquet");
    expect_error(Fault::format, message, [&] { open_rows(path); });
  }
  std::ifstream in(kFolder / "vectors_single_list.parquet", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const fs::path cut = fs::temp_directory_path() / ("shoal_cut_" + std::to_string(::getpid()) + ".parquet");
  std::ofstream(cut, std::ios::binary) << whole.substr(0, whole.size() - 9);
  expect_error(Fault::format, "cannot be read as Parquet", [&] { open_rows(cut); });
  fs::remove(cut);
}

}  // namespace
}  // namespace shoal
