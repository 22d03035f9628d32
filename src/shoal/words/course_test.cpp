#include "shoal/words/course.h"

#include <gtest/gtest.h>

#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

Matrix numbers(Index rows, Index cols, float from) {
  Matrix out(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < cols; ++c) out[i][c] = from + static_cast<float>(i) + static_cast<float>(c) / 8;
  return out;
}

TEST(WordCourse, HasTheFirstKnownWordsAndTheWatched) {
  const WordCourse course = begin_course({1, 0, 1, 1, 1, 0, 1}, 2, {6, 2, 6, 3});
  EXPECT_EQ(course.ids, (std::vector<std::uint32_t>{0, 2, 3, 6}));
  EXPECT_EQ(course.watched, (std::vector<std::uint32_t>{2, 3, 6}));
  EXPECT_TRUE(begin_course({1, 1}, 0, {}).empty());
  EXPECT_EQ(begin_course({1, 0, 1}, 9, {}).ids, (std::vector<std::uint32_t>{0, 2}));
  expect_error(Fault::argument, "of 66000 words",
               [] { begin_course(std::vector<std::uint8_t>(70000, 1), 66000, {}); });
}

TEST(WordCourse, ComesBackFromAFileAsItWas) {
  ScratchFolder folder;
  WordCourse course = begin_course({1, 1, 0, 1}, 2, {3});
  course.add(0, numbers(4, 5, 0));
  course.add(0, numbers(4, 5, 99));  // the same epoch: nothing
  course.add(2, numbers(4, 5, 10));
  for (const bool whole : {false, true}) {
    if (whole) course.start = numbers(4, 5, 0), course.end = numbers(4, 5, 10);
    ArchiveWriter out(kWordCourse);
    course.save(out);
    out.write(folder / "course.safetensors");
    const WordCourse read = open_course(folder / "course.safetensors");
    EXPECT_EQ(read.ids, course.ids);
    EXPECT_EQ(read.watched, course.watched);
    EXPECT_EQ(read.epochs, (std::vector<Index>{0, 2}));
    ASSERT_EQ(read.frames.size(), 2u);
    EXPECT_EQ(read.frames[1], course.frames[1]);
    EXPECT_EQ(read.frames[1][2][4], 13.5f);
    EXPECT_EQ(read.start, course.start);
    EXPECT_EQ(read.end, course.end);
  }
}

TEST(WordCourse, RefusesWhatDoesNotFit) {
  ScratchFolder folder;
  const auto broken = [&](const char* says, auto change) {
    WordCourse course = begin_course({1, 1, 1}, 3, {1});
    course.add(0, numbers(3, 2, 0));
    course.start = course.end = numbers(3, 2, 0);
    change(course);
    ArchiveWriter out(kWordCourse);
    course.save(out);
    out.write(folder / "course.safetensors");
    expect_error(Fault::format, says, [&] { open_course(folder / "course.safetensors"); });
  };
  broken("tensor ids does not ascend", [](WordCourse& c) { c.ids = {0, 2, 1}; });
  broken("not those of start and end", [](WordCourse& c) { c.ids = {0, 1, 3}; });
  broken("watched words are not among the others", [](WordCourse& c) { c.watched = {5}; });
  broken("has 3 rows for 2 epochs of 3 words", [](WordCourse& c) { c.epochs = {0, 1}; });
  broken("end", [](WordCourse& c) { c.end = numbers(2, 2, 0); });
}

}  // namespace
}  // namespace shoal
