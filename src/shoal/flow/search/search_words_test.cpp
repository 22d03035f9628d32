#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "shoal/flow/search/search.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

using Found = std::vector<Index>;

Collection with(const std::filesystem::path& folder, const std::vector<std::string>& lines) {
  Collection c = Collection::create(folder);
  c.define_columns({});
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  c.append(texts, {}, {});
  return c;
}

/// Rows in ascending order.
Found rows_of(const Collection& c, const std::string& words) {
  Found out;
  for (const SearchHit& hit : search_words(c, words, {.top = 100})) out.push_back(hit.row);
  std::ranges::sort(out);
  return out;
}

TEST(SearchWords, InEveryLanguage) {
  const ScratchFolder scratch;
  Collection c = with(scratch / "a", {
                                         "Ещё чашка кофе",            // 0
                                         "İSTANBUL HAVALİMANI",       // 1
                                         "ısparta elması",            // 2
                                         "ISPARTA halısı",            // 3
                                         "a Café in Łódź",            // 4
                                         "كِتَابٌ جديد",                 // 5
                                         "東京都の天気は晴れ",        // 6
                                         "東京の天気予報は雨",        // 7
                                         "दिल्ली का मौसम",             // 8
                                         "दुलाल घर गया",               // 9
                                         "C++ and C#, F# and .NET",   // 10
                                         "the c language, covid-19",  // 11
                                         "مدرسة أحمد",                // 12
                                         "ธนาคารขึ้นอัตราดอกเบี้ย",        // 13
                                         "ឆ្មា\u200Bរបស់\u200Bខ្ញុំ",      // 14
                                         "мой дом, мои дома",         // 15
                                         "Die Straße ist gesperrt",   // 16
                                         "می\u200Cرود به خانه",       // 17
                                         "state-of-the-art node.js",  // 18
                                         "ngân hàng tăng lãi suất",   // 19
                                         "שָׁלוֹם עולם",                 // 20
                                         "은행이 금리를 올렸다",      // 21
                                         "see <b>bold</b> text",      // 22
                                     });
  c.settle(words_of_index());
  const std::pair<const char*, Found> cases[] = {
      {"еще", {0}},        {"ЕЩЁ КОФЕ", {0}},   {"istanbul", {1}},   {"İstanbul", {1}},
      {"isparta", {2, 3}}, {"ISPARTA", {2, 3}}, {"cafe lodz", {4}},  {"café", {4}},
      {"كتاب", {5}},       {"天気", {6, 7}},    {"東京", {6, 7}},    {"東京都", {6}},
      {"दिल्ली", {8}},      {"दिल", {}},         {"c++", {10}},       {"C#", {10}},
      {"f#", {10}},        {".net", {10}},      {"c", {11}},         {"covid-19", {11}},
      {"covid", {11}},     {"احمد", {12}},      {"مدرسه", {12}},     {"ธนาคาร", {13}},
      {"ดอกเบี้ย", {13}},    {"ឆ្មា", {14}},       {"របស់", {14}},       {"мой", {15}},
      {"strasse", {16}},   {"STRASSE", {16}},   {"میرود", {17}},     {"state-of-the", {18}},
      {"node.js", {18}},   {"state art", {18}}, {"ngan hang", {19}}, {"ngân", {19}},
      {"שלום", {20}},      {"금리를", {21}},    {"bold", {22}},      {"\"or", {}},
      {"*", {}},           {"cat AND", {}}};
  for (const auto& [query, rows] : cases) EXPECT_EQ(rows_of(c, query), rows) << query;
  EXPECT_TRUE(c.check());
  EXPECT_EQ(c.text(0), "Ещё чашка кофе");
  // Any client of SQLite asks with FTS5's own tokenizer.
  EXPECT_EQ(c.find_words("天気", 9).size(), 2u);
  EXPECT_EQ(c.find_words("c++", 9), (Found{10}));
  EXPECT_EQ(c.find_words("Café", 9), (Found{4}));
}

TEST(SearchWords, AnOldIndexIsAskedAsBeforeAndBuiltAnew) {
  const ScratchFolder scratch;
  Collection c = with(scratch / "a", {"c++ code", "a c program", "Ещё кофе"});
  c.settle();
  EXPECT_EQ(rows_of(c, "c"), (Found{0, 1}));
  c.settle(words_of_index());
  EXPECT_EQ(rows_of(c, "c"), (Found{1}));
  EXPECT_EQ(rows_of(c, "еще"), (Found{2}));
  EXPECT_TRUE(c.check());
}

TEST(SearchWords, TheIndexIsTheSameHoweverItWasMade) {
  const ScratchFolder scratch;
  const std::vector<std::string> lines(300, "银行利率 rate ставка");
  Collection a = with(scratch / "a", lines), b = with(scratch / "b", lines);
  a.settle(words_of_index());
  b.settle();
  b.settle(words_of_index());
  EXPECT_EQ(rows_of(a, "利率 ставка").size(), 100u);
  EXPECT_EQ(std::filesystem::file_size(scratch / "a" / "rows.sqlite"),
            std::filesystem::file_size(scratch / "b" / "rows.sqlite"));
}

}  // namespace
}  // namespace shoal
