#include "shoal/read/text_encoding.h"

#include "shoal/read/input.h"
#include "tests/reading.h"

namespace shoal {
namespace {

using std::string_literals::operator""s;
using Strings = std::vector<std::string>;

using TextEncodingTest = ReadingTest;

// As UTF-16 or UTF-32.
std::string wide(std::u32string_view text, int width, bool big) {
  std::string out;
  const auto unit = [&](char32_t c) {
    for (int i = 0; i < width; ++i) out += static_cast<char>(c >> 8 * (big ? width - 1 - i : i) & 255);
  };
  for (const char32_t c : text) {
    if (width == 2 && c > 0xFFFF) {
      unit(0xD800 + ((c - 0x10000) >> 10));
      unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      unit(c);
    }
  }
  return out;
}

TEST_F(TextEncodingTest, TheCases) {
  const WholeFile koi8 = read_whole(case_file("koi8.csv"));
  EXPECT_EQ(koi8.texts.size(), 20u);
  EXPECT_EQ(koi8.texts[3], "привет мир 3");
  EXPECT_EQ(koi8.how().encoding, "KOI8-U");
  EXPECT_EQ(koi8.how().remark, "read as KOI8-U");
  EXPECT_EQ(koi8.report.repaired_utf8, 0u);
  const WholeFile utf16 = read_whole(case_file("utf16be_nobom.csv"));
  EXPECT_EQ(utf16.texts.size(), 24u);
  EXPECT_EQ(utf16.texts[0], "the cat sleeps on the sofa café naïve über");
  EXPECT_EQ(utf16.how().remark, "read as UTF-16BE");
}

TEST_F(TextEncodingTest, Utf16AndUtf32WithAndWithoutMark) {
  const std::u32string table = U"id,text\n1,the café 😀 of cats\n2,кошка и собака\n3,中文一二三\n";
  const Strings texts{"the café 😀 of cats", "кошка и собака", "中文一二三"};
  for (const int width : {2, 4}) {
    for (const bool big : {false, true}) {
      for (const bool mark : {false, true}) {
        const std::string bytes = wide((mark ? U"\uFEFF" : U"") + table, width, big);
        const WholeFile r = read("a.csv", bytes);
        EXPECT_EQ(r.texts, texts) << width << big << mark;
        EXPECT_EQ(r.how().encoding, "UTF-"s + (width == 2 ? "16" : "32") + (big ? "BE" : "LE"));
        EXPECT_EQ(r.text_columns, Strings{"text"}) << "the mark is no part of the first name";
      }
    }
  }
  EXPECT_EQ(read("b", wide(U"一二三四五六七八九十\n天气很好今天很好\n", 2, false)).texts,
            (Strings{"一二三四五六七八九十", "天气很好今天很好"}));
  EXPECT_EQ(read("c", wide(U"a long line of plain text", 2, true)).texts,
            Strings{"a long line of plain text"});
  EXPECT_EQ(read("d.jsonl", wide(U"{\"text\": \"привет\"}\n", 2, true)).texts, Strings{"привет"});
}

TEST_F(TextEncodingTest, ZerosInTextsAreNoUtf16) {
  EXPECT_EQ(read("a.csv", "text,x\na\0b,1\nthe cat\0,2\n"s).texts, (Strings{"a\0b"s, "the cat\0"s}));
  EXPECT_EQ(read("b", "кошка\0\nсобака\n"s).texts, (Strings{"кошка\0"s, "собака"}));
}

TEST_F(TextEncodingTest, OldEncodingsAreFoundAndSaid) {
  // "Съешь ещё этих мягких французских булок" in windows-1251 and "vägen över ån är smal" in Latin-1.
  const std::string russian =
      "\xD1\xFA\xE5\xF8\xFC \xE5\xF9\xB8 \xFD\xF2\xE8\xF5 \xEC\xFF\xE3\xEA\xE8\xF5 "
      "\xF4\xF0\xE0\xED\xF6\xF3\xE7\xF1\xEA\xE8\xF5 "
      "\xE1\xF3\xEB\xEE\xEA";
  const WholeFile r = read("a.csv", "id,text\n1," + russian + "\n");
  EXPECT_EQ(r.texts, Strings{"Съешь ещё этих мягких французских булок"});
  EXPECT_EQ(r.how().remark, "read as windows-1251");
  EXPECT_EQ(read("b", "v\xE4gen \xF6ver \xE5n \xE4r smal\n").texts, Strings{"vägen över ån är smal"});
  EXPECT_EQ(read("c", "caf\xE9\n").texts, Strings{"café"});
  EXPECT_EQ(read("d", "\x1B$B$3$s$K$A$O@$3&\x1B(B\n").texts, Strings{"こんにちは世界"}) << "ISO-2022-JP";
  EXPECT_EQ(read("e.csv", "id,text\n1," + russian + "\n", {.encoding = "cp1251"}).how().remark, "")
      << "asked for";
  EXPECT_EQ(read("f", russian + "\n", {.encoding = "KOI8-R"}).texts,
            Strings{"яЗЕЬЭ ЕЫ╦ ЩРХУ ЛЪЦЙХУ ТПЮМЖСГЯЙХУ АСКНЙ"});
}

TEST_F(TextEncodingTest, FoundHoweverLateAndInBlocksOfAnySize) {
  std::string bytes, expected;
  for (int i = 0; i < 70000; ++i) bytes += "plain English words in line " + std::to_string(i) + "\n";
  ASSERT_GT(bytes.size(), std::size_t{2} << 20);
  for (int i = 0; i < 40; ++i) bytes += "d\xE9j\xE0 vu, un caf\xE9 pr\xE8s de la for\xEAt\n";
  const WholeFile r = read("late.txt", bytes);
  EXPECT_EQ(r.texts.size(), 70040u);
  EXPECT_EQ(r.texts.back(), "déjà vu, un café près de la forêt");
  EXPECT_EQ(r.how().remark, "read as windows-1252");
  const auto converted = [](const std::string& raw, std::size_t piece, const std::string& forced) {
    auto found = std::make_shared<TextEncoding>();
    const auto fetch = as_utf8("x",
                               [&raw, piece, at = std::size_t{0}](char* to, std::size_t room) mutable {
                                 const std::size_t n = raw.copy(to, std::min(room, piece), at);
                                 at += n;
                                 return n;
                               },
                               forced, found, {});
    std::string out(1, '\0');
    std::string all;
    for (std::size_t k = 0; const std::size_t got = fetch(out.data(), out.size()); ++k) {
      all.append(out.data(), got);
      out.resize(1 + k % 5);
    }
    return all + "|" + found->name;
  };
  const std::string japanese = wide(U"日本語の文章です。猫が好き 😀 です。\n", 2, true);
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u}) {
    EXPECT_EQ(converted(japanese, piece, ""), "日本語の文章です。猫が好き 😀 です。\n|UTF-16BE") << piece;
    EXPECT_EQ(converted("\x93\xFA\x96{\x8C\xEA\n", piece, "Shift_JIS"), "日本語\n|Shift_JIS") << piece;
    EXPECT_EQ(converted("abc d\xE9j\xE0 vu, caf\xE9\n", piece, ""), "abc déjà vu, café\n|windows-1252")
        << piece;
    EXPECT_EQ(converted("\x93\xFA\x96", piece, "Shift_JIS"), "日\xFF|Shift_JIS") << "cut inside a letter";
    EXPECT_EQ(converted("a\0\0\0b\0\0"s, piece, "UTF-32LE"), "a\xFF|UTF-32LE") << "cut inside a letter";
  }
}

TEST_F(TextEncodingTest, DamagedUtf8StaysUtf8) {
  std::string bytes = "id,text\n";
  for (int i = 0; i < 100; ++i) bytes += std::to_string(i) + ",кошка и собака\n";
  bytes += "100,half a letter \xD0\n101,and a byte \xFF\n";
  const WholeFile r = read("a.csv", bytes);
  EXPECT_EQ(r.how().encoding, "UTF-8");
  EXPECT_EQ(r.report.repaired_utf8, 2u);
  EXPECT_EQ(r.texts[100], "half a letter \xEF\xBF\xBD");
  ASSERT_EQ(r.report.notes.size(), 1u);
  EXPECT_NE(r.report.notes[0].find("a.csv, line 102: bytes that mean nothing in UTF-8"), std::string::npos)
      << r.report.notes[0];
  EXPECT_EQ(read("b", "a \x81 b\n", {.encoding = "shift_jis"}).report.repaired_utf8, 1u);
}

TEST_F(TextEncodingTest, WhatWouldBeDestroyedIsRefused) {
  std::string mixed;
  for (int i = 0; i < 50; ++i) mixed += "caf\xE9 noir\ncafé noir\n";
  const std::string message = refusal("a.txt", mixed);
  EXPECT_NE(message.find("a.txt: 50 places from byte 4 on are not UTF-8"), std::string::npos) << message;
  EXPECT_NE(message.find("windows-1252"), std::string::npos) << message;
  EXPECT_NE(message.find("encoding UTF-8 puts U+FFFD"), std::string::npos) << message;
  EXPECT_EQ(read("b.txt", mixed, {.encoding = "UTF-8"}).report.repaired_utf8, 50u);
  EXPECT_EQ(read("c.txt", mixed, {.encoding = "latin1"}).texts[0], "café noir");
}

TEST_F(TextEncodingTest, Names) {
  EXPECT_EQ(encoding_named("Latin1"), "windows-1252");
  EXPECT_EQ(encoding_named("cp1251"), "windows-1251");
  EXPECT_EQ(encoding_named("utf_16_le"), "UTF-16LE");
  EXPECT_EQ(encoding_named("KOI8_R"), "KOI8-R");
  EXPECT_EQ(encoding_named("cp932"), "Shift_JIS");
  EXPECT_EQ(encoding_named("utf-32"), "UTF-32LE");
  EXPECT_EQ(encoding_named(" gb2312 "), "GBK");
  const std::string message = refusal("a", "x\n", {.encoding = "klingon"});
  EXPECT_NE(message.find("encoding klingon: no such encoding"), std::string::npos) << message;
  EXPECT_NE(message.find("KOI8-R"), std::string::npos) << message;
  EXPECT_NE(refusal("a", "x\n", {.encoding = "replacement"}).find("no such"), std::string::npos);
}

}  // namespace
}  // namespace shoal
