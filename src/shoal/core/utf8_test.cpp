#include "shoal/core/utf8.h"

#include <gtest/gtest.h>

namespace shoal {
namespace {

constexpr auto kNone = std::string_view::npos;
#define U "\xEF\xBF\xBD"  // a macro, so that literals join

TEST(Utf8, ReplacesWhatIsNoUtf8) {
  Index replaced = 0;
  EXPECT_EQ(first_invalid_utf8("caf\xC3\xA9"), kNone);
  EXPECT_EQ(first_invalid_utf8("caf\xE9!"), 3u);
  EXPECT_EQ(repair_utf8("caf\xE9!", &replaced), "caf" U "!");
  EXPECT_EQ(replaced, 1u);
}

// Each expectation is what CPython 3.11 gives for bytes.decode("utf-8", errors="replace").
TEST(Utf8, MaximalPiecesAsInPython) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"\x80", U},
      {"\xC0\xAF", U U},                 // overlong slash
      {"\xE0\x80\x80", U U U},           // overlong: E0 wants A0..BF
      {"\xE0\xA0", U},                   // cut after two of three
      {"\xE2\x82\x41", U "A"},           // cut by a letter
      {"\xED\xA0\x80", U U U},           // a surrogate
      {"\xED\x9F\xBF", "\xED\x9F\xBF"},  // the last before them
      {"\xF0\x9F\x98", U},               // cut emoji
      {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
      {"\xF4\x90\x80\x80", U U U U},  // U+110000
      {"\xF5\xFF\xFE", U U U},
      {"\xF0\x9F\xF0\x9F\x98\x80", U "\xF0\x9F\x98\x80"},
      {std::string("a\0\xFF", 3), std::string("a\0" U, 5)},
  };
  for (const auto& [bytes, expected] : cases) EXPECT_EQ(repair_utf8(bytes), expected);
}

TEST(Utf8, FindsTheByteAtEveryOffset) {  // around the steps of eight bytes
  for (std::size_t n = 1; n < 40; ++n) {
    for (std::size_t at = 0; at < n; ++at) {
      std::string text(n, 'x');
      text[at] = '\xFF';
      EXPECT_EQ(first_invalid_utf8(text), at);
      EXPECT_EQ(repair_utf8(text), text.substr(0, at) + U + text.substr(at + 1));
    }
  }
}

TEST(Utf8, EveryCodePointGoesBothWays) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    const CodePoint back = code_point_at(text, 0);
    ASSERT_EQ(back.value, c);
    ASSERT_EQ(back.length, text.size());
    ASSERT_EQ(first_invalid_utf8(text), kNone);
  }
  for (char32_t c : {0xD800u, 0xDFFFu, 0x110000u}) {
    std::string text;
    append_utf8(text, c);
    EXPECT_EQ(text, U);
  }
}

}  // namespace
}  // namespace shoal
