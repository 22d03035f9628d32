#include "shoal/core/letters.h"

#include <gtest/gtest.h>

#include <string>

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

TEST(Letters, ABeginningEndsWithALetter) {
  EXPECT_EQ(beginning_of("plain", 5), "plain");
  EXPECT_EQ(beginning_of("plain", 3), "pla");
  EXPECT_EQ(beginning_of("", 0), "");
  EXPECT_EQ(beginning_of("abc", 0), "");
  EXPECT_EQ(beginning_of("дом", 3), "д");
  EXPECT_EQ(beginning_of("中文", 5), "中");
  EXPECT_EQ(beginning_of("ae\u0301x", 3), "a");  // the accent belongs to the e
  EXPECT_EQ(beginning_of("ae\u0301x", 4), "ae\u0301");
  EXPECT_EQ(beginning_of("x\u0E01\u0E33y", 4), "x");        // Thai, a vowel after its consonant
  EXPECT_EQ(beginning_of("a👩‍👩‍👧b", 8), "a");  // a joined family
  EXPECT_EQ(beginning_of("🇩🇪🇫🇷", 12), "🇩🇪");                // flags are pairs
  EXPECT_EQ(beginning_of("a\r\nb", 2), "a");
  EXPECT_EQ(beginning_of("한국", 5), "한");
}

TEST(Letters, ALetterLongerThanAllIsCutAtACodePoint) {
  std::string tall = "a";
  for (int i = 0; i < 200; ++i) tall += "\u0301";
  EXPECT_EQ(beginning_of(tall, 10), tall.substr(0, 9));
  EXPECT_EQ(beginning_of("👩‍👩‍👧", 8), "👩‍");
}

TEST(Letters, ABeginningOfAnyBytesIsAStart) {
  std::string bytes = "ab\xC3\xA9\xFF\xE4\xB8";
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(0x80 + i % 100);
  for (std::size_t most = 0; most <= bytes.size(); ++most) {
    const std::string_view start = beginning_of(bytes, most);
    EXPECT_LE(start.size(), most);
    EXPECT_GE(start.size() + 8, most) << "too little is kept";
    EXPECT_EQ(bytes.compare(0, start.size(), start), 0);
  }
}

TEST(Letters, NoCutOfALongTextIsInsideALetter) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "e\u0301中🇩🇪d";
  for (std::size_t most = 100; most < 900; ++most) {
    const std::string start(beginning_of(text, most));
    EXPECT_EQ(first_invalid_utf8(start), std::string::npos);
    EXPECT_FALSE(text.substr(start.size()).starts_with("\u0301"));
    const std::size_t flags = start.find_last_of('d');
    EXPECT_FALSE(start.substr(flags == std::string::npos ? 0 : flags).ends_with("🇩")) << most;
  }
}

}  // namespace
}  // namespace shoal
