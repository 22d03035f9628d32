#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

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

TEST(ParquetRows, TheColumnThatIsNamed) {
  const fs::path path = kFolder / "vectors_two.parquet";
  const Matrix title = open_rows(path, "title").to_matrix();
  EXPECT_EQ(title[0][0], 1);
  const Rows body = open_rows(path, "body");
  const Matrix numbers = body.to_matrix();
  EXPECT_EQ(numbers[0][0], 0);
  EXPECT_EQ(body.converted_from(), "float64");
  EXPECT_EQ(open_rows(path, "title").converted_from(), "");
  expect_error(Fault::format,
               R"(has several columns of vectors: "title", "body"; vector_column NAME takes one)",
               [&] { open_rows(path); });
  expect_error(Fault::format, R"(it has no column "head"; its columns of vectors are "title", "body")",
               [&] { open_rows(path, "head"); });
  expect_error(Fault::format, R"(its column "text" holds no vectors)", [&] { open_rows(path, "text"); });
  expect_error(Fault::argument, "names a column of a Parquet file",
               [&] { open_rows(kFolder / "x.npy", "title"); });
  expect_error(Fault::format, "it has no columns", [&] { open_rows(kFolder / "no_columns.parquet"); });
}

TEST(ParquetRows, ManyEqualNumbersInFewBytes) {
  const Rows zeros = open_rows(kFolder / "zeros.parquet");
  EXPECT_EQ(zeros.rows(), 500u);
  EXPECT_EQ(zeros.cols(), 10000u);
}

// The file is to be blamed that cannot be written, not the one that is read.
TEST(ParquetRows, NoRoomToUnpack) {
  const fs::path path = kFolder / "zeros.parquet";  // 20 MB
  rlimit whole{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &whole), 0);
  const rlimit small{1 << 20, whole.rlim_max};
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(Fault::file, "cannot be written in " + fs::temp_directory_path().string(),
               [&] { open_rows(path); });
  expect_error(Fault::file, "TMPDIR", [&] { open_rows(path); });
  ::setrlimit(RLIMIT_FSIZE, &whole);
  ::signal(SIGXFSZ, old);
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
