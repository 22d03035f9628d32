#include "shoal/store/vectors/vector_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// Rows numbered from `start`: row i holds start + i in each column.
Matrix counted(Index rows, Index cols, float start) {
  Matrix x(rows, cols);
  for (Index i = 0; i < rows; ++i) std::ranges::fill(x[i], start + static_cast<float>(i));
  return x;
}

Error refusal(const fs::path& folder) {
  return error_of([&] { open_vector_files(folder); });
}

bool says(const Error& e, const std::string& words) {
  return std::string(e.what()).find(words) != std::string::npos;
}

TEST(Batches, NumbersInNamesSortAsNumbers) {
  const ScratchFolder folder;
  for (const char* name : {"part10.npy", "part2.npy", "part1.safetensors", "a.npy", "part02b.npy"})
    write_rows(folder / name, counted(1, 3, 0));
  write_rows(folder / ".hidden.npy", counted(1, 4, 0));
  std::ofstream(folder / "notes.txt") << "no vectors";
  fs::create_directory(folder / "sub.npy");
  std::vector<std::string> names;
  for (const VectorFile& b : open_vector_files(folder.path())) names.push_back(b.path.filename());
  EXPECT_EQ(names, (std::vector<std::string>{"a.npy", "part1.safetensors", "part2.npy", "part02b.npy",
                                             "part10.npy"}));
}

TEST(Batches, JoinedRowsAreThoseOfAllFiles) {
  const ScratchFolder folder;
  write_rows(folder / "1.npy", counted(4, 3, 0));
  write_rows(folder / "2.safetensors", Matrix(0, 3));
  write_rows(folder / "3.safetensors", counted(5, 3, 4));
  write_rows(folder / "4.npy", counted(1, 3, 9));
  const Rows all = open_vectors_at(folder.path());
  ASSERT_EQ(all.rows(), 10u);
  ASSERT_EQ(all.cols(), 3u);
  EXPECT_TRUE(all.to_matrix() == counted(10, 3, 0));
  Matrix scratch;
  for (Index first = 0; first <= 10; ++first)
    for (Index count = 0; count <= 10 - first; ++count) {
      const MatrixView block = all.block(first, count, scratch);
      ASSERT_EQ(block.rows, count);
      for (Index r = 0; r < count; ++r) ASSERT_EQ(block[r][2], static_cast<float>(first + r));
    }
  EXPECT_EQ(open_vectors_at(folder / "3.safetensors").rows(), 5u);
}

TEST(Batches, ABlockInsideOneFileIsNotCopied) {
  const ScratchFolder folder;
  write_rows(folder / "1.npy", counted(4, 3, 0));
  write_rows(folder / "2.npy", counted(4, 3, 4));
  const Rows all = open_vectors_at(folder.path());
  Matrix scratch;
  EXPECT_EQ(all.block(4, 4, scratch)[3][0], 7);
  EXPECT_EQ(scratch.rows(), 0u);
  all.block(3, 2, scratch);
  EXPECT_EQ(scratch.rows(), 2u);
}

TEST(Batches, TheSpaceIsWhatAllAgreeOn) {
  const ScratchFolder folder;
  write_rows(folder / "1.safetensors", Rows(counted(1, 3, 1), {"mini@ab", 3, true}));
  write_rows(folder / "2.safetensors", Rows(counted(1, 3, 1), {"renamed@ab", 3, false}));
  EXPECT_EQ(open_vectors_at(folder.path()).space(), (Space{"mini@ab", 3, false}));
  write_rows(folder / "3.npy", counted(1, 3, 1));
  EXPECT_EQ(open_vectors_at(folder.path()).space(), (Space{"", 3, false}));
}

TEST(Batches, MixedFilesAreNamed) {
  const ScratchFolder folder;
  Error e = refusal(folder.path());
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_TRUE(says(e, folder.path().string())) << e.what();

  write_rows(folder / "a.npy", counted(2, 3, 0));
  write_rows(folder / "b.npy", counted(2, 3, 0));
  write_rows(folder / "c.npy", counted(2, 4, 0));
  e = refusal(folder.path());
  EXPECT_EQ(e.fault, Fault::data);
  for (const char* words : {"a.npy", "3 numbers", "c.npy", "4 numbers"})
    EXPECT_TRUE(says(e, words)) << e.what();

  fs::remove(folder / "c.npy");
  write_rows(folder / "d.safetensors", Rows(counted(1, 3, 1), {"mini@ab", 3, true}));
  write_rows(folder / "e.safetensors", Rows(counted(1, 3, 1), {"mini@cd", 3, true}));
  e = refusal(folder.path());
  EXPECT_EQ(e.fault, Fault::data);
  for (const char* words : {"d.safetensors", "mini@ab", "e.safetensors", "mini@cd"})
    EXPECT_TRUE(says(e, words)) << e.what();
}

TEST(Batches, ACutFileIsNamed) {
  for (const char* name : {"2.npy", "2.safetensors"}) {
    const ScratchFolder folder;
    write_rows(folder / "1.npy", counted(4, 3, 0));
    write_rows(folder / name, counted(4, 3, 0));
    fs::resize_file(folder / name, fs::file_size(folder / name) - 5);
    const Error e = refusal(folder.path());
    EXPECT_EQ(e.fault, Fault::format);
    EXPECT_TRUE(says(e, name)) << e.what();
  }
  const ScratchFolder folder;
  EXPECT_EQ(refusal(folder / "absent").fault, Fault::file);
}

}  // namespace
}  // namespace shoal
