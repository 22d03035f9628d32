#include "shoal/flow/texts/texts_and_vectors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {
namespace fs = std::filesystem;

class TextsAndVectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_file(folder_ / "a.csv", "text,day,label\nfirst,2024-01-01,x\nsecond,2024-01-02,y\n");
    Matrix two(2, 3);
    two[1][2] = 5;
    write_rows(folder_ / "two.npy", Rows(two));
    write_rows(folder_ / "three.npy", Rows(Matrix(3, 3)));
    Matrix bad(2, 3);
    bad[1][0] = std::numeric_limits<float>::quiet_NaN();
    write_rows(folder_ / "bad.npy", Rows(std::move(bad)));
  }
  void TearDown() override { fs::remove_all(folder_); }

  TextsAndVectors read(const char* input, const std::vector<std::string>& columns, const char* vectors = "") {
    TextsAndVectorsOptions options;
    if (*vectors) options.vectors = folder_ / vectors;
    return read_texts_and_vectors(folder_ / input, columns, options, {});
  }
  Fault fault(const char* input, const std::vector<std::string>& columns, const char* vectors = "") {
    try {
      read(input, columns, vectors);
    } catch (const Error& e) {
      said_ = e.what();
      return e.fault;
    }
    return Fault::cancelled;
  }
  fs::path folder_ = fs::temp_directory_path() /
                     ("shoal_texts_and_vectors_" + std::to_string(getpid()));  // tests run side by side
  std::string said_;
};

TEST_F(TextsAndVectorsTest, TableWithItsVectors) {
  const TextsAndVectors rows = read("a.csv", {"label", "day", "text"}, "two.npy");
  EXPECT_EQ(rows.vectors.rows(), 2u);
  const Matrix vectors = rows.vectors.to_matrix();
  EXPECT_EQ(vectors[1][2], 5);
  EXPECT_EQ(rows.texts[1], "second");
  ASSERT_EQ(rows.columns.size(), 3u);
  EXPECT_EQ(rows.columns[0][1], "y");
  EXPECT_EQ(rows.columns[1][0], "2024-01-01");
  EXPECT_EQ(rows.columns[2][0], "first");
  EXPECT_EQ(text_of_row(rows, 0), "first");
  EXPECT_EQ(rows.embedded, 0u);
}

TEST_F(TextsAndVectorsTest, VectorsAlone) {
  const TextsAndVectors rows = read("two.npy", {});
  EXPECT_FALSE(rows.has_texts());
  EXPECT_EQ(rows.vectors.rows(), 2u);
  EXPECT_EQ(text_of_row(rows, 1), "row 1");
}

TEST_F(TextsAndVectorsTest, Refusals) {
  EXPECT_EQ(fault("a.csv", {"colour"}, "two.npy"), Fault::argument);
  EXPECT_NE(said_.find("day, label, text"), std::string::npos) << said_;
  EXPECT_EQ(fault("two.npy", {"day"}), Fault::argument);
  EXPECT_EQ(fault("a.csv", {}, "three.npy"), Fault::data);
  EXPECT_NE(said_.find("3 vectors"), std::string::npos) << said_;
  EXPECT_EQ(fault("a.csv", {}, "bad.npy"), Fault::data);
  EXPECT_NE(said_.find("bad.npy"), std::string::npos) << said_;
  EXPECT_EQ(fault("none.csv", {}), Fault::file);
}

}  // namespace
}  // namespace shoal
