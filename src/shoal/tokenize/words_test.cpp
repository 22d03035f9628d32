#include "shoal/tokenize/words.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shoal {
namespace {

using List = std::vector<std::string>;

List split_words(std::string_view text) {
  List words;
  visit_words(text, [&](const Word& word) { words.emplace_back(word.text); });
  return words;
}

TEST(Words, LowerCasedRuns) {
  EXPECT_EQ(split_words("A Map of 63,000 Texts!"), (List{"a", "map", "of", "63", "000", "texts"}));
}

TEST(Words, SignsInsideAndAtTheEnd) {
  EXPECT_EQ(split_words("C++ and C# (don't), open-source; Notepad++."),
            (List{"c++", "and", "c#", "don't", "open-source", "notepad++"}));
  EXPECT_EQ(split_words("-x- 'quoted' a+b a++b #1 x86#"),
            (List{"x", "quoted", "a", "b", "a", "b", "1", "x86"}));
  EXPECT_EQ(split_words("Debian's don\u2019t snake_case"), (List{"debian", "don't", "snake", "case"}));
}

TEST(Words, Unicode) {
  EXPECT_EQ(split_words("ÜBER Straße ＡＢＣ ﬁle"), (List{"über", "strasse", "abc", "file"}));
  EXPECT_EQ(split_words("e\u0301t\u00e9 so\u00adft"), (List{"\u00e9t\u00e9", "soft"}));
  EXPECT_EQ(split_words("Москва हिन्दी"), (List{"москва", "हिन्दी"}));
  EXPECT_EQ(split_words("日本語 x 字"), (List{"日本", "本語", "x", "字"}));
  EXPECT_EQ(split_words("👍 — …"), List{});
}

TEST(Words, AnyBytes) {
  EXPECT_EQ(split_words(""), List{});
  EXPECT_EQ(split_words("ab\xFF"
                        "cd \xE2\x82"),
            (List{"ab", "cd"}));
  EXPECT_EQ(split_words(std::string_view("a\0b", 3)), (List{"a", "b"}));
}

TEST(Words, FollowsOverBlanksOnly) {
  std::string marks;
  visit_words("one two, three\n four (five) six", [&](const Word& w) { marks += w.follows ? '1' : '0'; });
  EXPECT_EQ(marks, "010100");
}

TEST(Words, StopWordsAreSortedAndFound) {
  for (const char* word : {"a", "the", "don't", "yourself", "couldn't"})
    EXPECT_TRUE(is_stop_word(word)) << word;
  for (const char* word : {"", "library", "aa", "zebra"}) EXPECT_FALSE(is_stop_word(word)) << word;
}

TEST(Words, Singular) {
  const std::pair<const char*, const char*> cases[] = {
      {"libraries", "library"}, {"files", "file"},      {"boxes", "box"},         {"classes", "class"},
      {"class", "class"},       {"status", "status"},   {"gas", "gas"},           {"axis", "axis"},
      {"ties", "tie"},          {"branches", "branch"}, {"databases", "database"}};
  std::string buffer;
  for (const auto& [plural, expected] : cases) EXPECT_EQ(singular(plural, buffer), expected) << plural;
}

}  // namespace
}  // namespace shoal
