#include "shoal/core/visible.h"

#include <gtest/gtest.h>

namespace shoal {
namespace {

std::string dot(char32_t) { return "."; }

TEST(Visible, WritesWhatSteersATerminal) {
  EXPECT_EQ(visible(std::string_view("a\0b\x1b[2Jc\rd\x7f", 11), dot), "a.b.[2Jc.d.");
  EXPECT_EQ(visible("\xC2\x80\xC2\x9B\xC2\x9F|\xC2\xA0", dot), "...|\xC2\xA0")
      << "C1, not the space after it";
  EXPECT_EQ(visible("\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9\xE2\x80\x8E\xD8\x9C", dot), ".....");
  EXPECT_EQ(visible("\x9B\xFF", dot), "\xEF\xBF\xBD\xEF\xBF\xBD") << "a bare C1 byte is no UTF-8";
}

TEST(Visible, LeavesTheRest) {
  const std::string text =
      "two\nlines\tna\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80 \xD7\x90 \xE2\x80\x8D";
  EXPECT_EQ(visible(text, dot), text);
}

}  // namespace
}  // namespace shoal
