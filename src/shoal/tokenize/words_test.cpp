#include "shoal/tokenize/words.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shoal {
namespace {

using List = std::vector<std::string>;

List split_words(std::string_view text, const WordRules& rules = {}) {
  List words;
  visit_words(text, rules, [&](const Word& word) { words.emplace_back(word.text); });
  return words;
}

List said_words(std::string_view text) { return split_words(text, {.markup = false}); }

TEST(Words, LowerCasedRuns) {
  EXPECT_EQ(split_words("A Map of 63,000 Texts!"), (List{"a", "map", "of", "63", "000", "texts"}));
}

TEST(Words, SignsInsideAndAtTheEnd) {
  EXPECT_EQ(split_words("C++ and C# (don't), open-source; Notepad++."),
            (List{"c++", "and", "c#", "don't", "open-source", "notepad++"}));
  EXPECT_EQ(split_words("-x- 'quoted' a+b a++b #1 x86#"),
            (List{"x", "quoted", "a", "b", "a", "b", "1", "x86"}));
  EXPECT_EQ(split_words("Debian's don\u2019t snake_case"), (List{"debian", "don't", "snake", "case"}));
  EXPECT_EQ(split_words("F# .NET Node.js ASP.NET 3D COVID-19 the.end .network x.net."),
            (List{"f#", ".net", "node.js", "asp.net", "3d", "covid-19", "the", "end", "network", "x.net"}));
}

TEST(Words, Unicode) {
  EXPECT_EQ(split_words("ÜBER Straße ＡＢＣ ﬁle"), (List{"über", "straße", "abc", "file"}));
  EXPECT_EQ(split_words("e\u0301t\u00e9 so\u00adft"), (List{"\u00e9t\u00e9", "soft"}));
  EXPECT_EQ(split_words("Москва हिन्दी"), (List{"москва", "हिन्दी"}));
  EXPECT_EQ(split_words("👍 — …"), List{});
  EXPECT_EQ(split_words("ΛΟΓΟΣ λόγος"), (List{"λογος", "λόγος"}));
  EXPECT_EQ(split_words("об'єкт צה\"ל paral·lel"), (List{"об'єкт", "צה״ל", "paral·lel"}));
}

TEST(Words, MarksStayWithTheirLetters) {
  EXPECT_EQ(split_words("दिल्ली का मौसम"), (List{"दिल्ली", "का", "मौसम"}));
  EXPECT_EQ(split_words("தமிழ்நாடு বাংলাদেশ"), (List{"தமிழ்நாடு", "বাংলাদেশ"}));
  EXPECT_EQ(split_words("ศิลปะ"), (List{"ศิลปะ"}));
}

TEST(Words, ScriptsWithoutBlanks) {
  EXPECT_EQ(split_words("中央银行提高了利率"), (List{"中央", "银行", "提高", "了", "利率"}));
  EXPECT_EQ(split_words("東京都の天気"), (List{"東京", "都", "の", "天気"}));
  EXPECT_EQ(split_words("日本語 x 字"), (List{"日本語", "x", "字"}));
  EXPECT_EQ(split_words("ธนาคารขึ้นอัตราดอกเบี้ย"), (List{"ธนาคาร", "ขึ้น", "อัตรา", "ดอกเบี้ย"}));
  EXPECT_EQ(split_words("ทำงาน"), (List{"ทำงาน"}));  // its AM stays whole
  EXPECT_EQ(split_words("ແມວນອນຢູ່ເທິງໂຊຟາ"), (List{"ແມວ", "ນອນ", "ຢູ່", "ເທິງ", "ໂຊຟາ"}));
  EXPECT_EQ(split_words("ကြောင်နက်"), (List{"ကြောင်", "နက်"}));
  EXPECT_EQ(split_words("AI技術とPython3"), (List{"ai", "技術", "と", "python3"}));
}

TEST(Words, ZeroWidthSpacesPart) {
  EXPECT_EQ(split_words("cat sofa ឆ្មា\u200Bរបស់\u200Bខ្ញុំ"), (List{"cat", "sofa", "ឆ្មា", "របស់", "ខ្ញុំ"}));
  EXPECT_EQ(split_words("one\u200Btwo"), (List{"one", "two"}));
}

TEST(Words, JoinersStay) {
  EXPECT_EQ(split_words("می\u200Cرود"), (List{"می\u200Cرود"}));
  EXPECT_EQ(split_words("\u200Cرود\u200C"), (List{"رود"}));
}

TEST(Words, OfLanguages) {
  EXPECT_EQ(split_words("İstanbul istanbul İSTANBUL ISPARTA", {.language = "tr"}),
            (List{"istanbul", "istanbul", "istanbul", "ısparta"}));
  EXPECT_EQ(split_words("İSTANBUL I\u0307stanbul ISPARTA"), (List{"istanbul", "istanbul", "isparta"}));
  EXPECT_EQ(split_words("Türkiye'nin", {.language = "tr"}), (List{"türkiye"}));
  EXPECT_EQ(split_words("L'économie d’aujourd'hui", {.language = "fr"}), (List{"économie", "aujourd'hui"}));
  EXPECT_EQ(split_words("dell'acqua", {.language = "it"}), (List{"acqua"}));
  EXPECT_EQ(split_words("o'reilly l'eau", {.language = "en"}), (List{"o'reilly", "l'eau"}));
}

TEST(Words, AnyBytes) {
  EXPECT_EQ(split_words(""), List{});
  EXPECT_EQ(split_words("ab\xFF"
                        "cd \xE2\x82"),
            (List{"ab", "cd"}));
  EXPECT_EQ(split_words(std::string_view("a\0b", 3)), (List{"a", "b"}));
  for (std::string_view text : {"<", "&", "&#", "&#x;", "@", "<b", "```", "<code>", "http://", ".", "RT @"})
    EXPECT_LE(said_words(text).size(), 1u) << text;
}

TEST(Words, FollowsOverBlanksOnly) {
  std::string marks;
  const auto mark = [&](const Word& w) { marks += w.follows ? '1' : '0'; };
  visit_words("one two, three\n four (five) six", mark);
  EXPECT_EQ(marks, "010100");
  marks.clear();
  visit_words("银行利率 上升，x", mark);  // a blank parts phrases of Han
  EXPECT_EQ(marks, "0100");
}

TEST(Words, MarkupIsNotSaid) {
  EXPECT_EQ(
      said_words("<p class=\"lead\"><b>the bank</b> raised</p><br />&nbsp;&amp; see "
                 "https://www.example.com/news/2023/01?utm_source=rss#top pic.twitter.com/AbC12 @user RT"),
      (List{"the", "bank", "raised", "see"}));
  EXPECT_EQ(said_words("caf&eacute; &#1082;&#x43E;&#1090; &lt;b&gt;x&lt;/b&gt; a &unknown; b"),
            (List{"café", "кот", "x", "a", "unknown", "b"}));
  EXPECT_EQ(said_words("write to jane.doe@mail.example.org, or <john@x.org>."), (List{"write", "to", "or"}));
  EXPECT_EQ(said_words("example.com t.co/x1 booking.com/hotel and the end.Next one"),
            (List{"and", "the", "end", "next", "one"}));
  EXPECT_EQ(said_words("x <code>int main()</code> y ```rm -rf /``` z <script>f()</script>"),
            (List{"x", "y", "z"}));
  EXPECT_EQ(said_words("RT @user: hi #topic"), (List{"hi", "topic"}));
  EXPECT_EQ(said_words("commit 3f2b9c0a1d4e5f67 fixes vector<int> if a < b"),
            (List{"commit", "fixes", "vector", "int", "if", "a", "b"}));
  EXPECT_EQ(said_words("见https://x.com/abc。然后"), (List{"见", "然后"}));
  EXPECT_EQ(said_words("C++ Node.js ASP.NET .NET 3.5 e.g. U.S. 1990s"),
            (List{"c++", "node.js", "asp.net", ".net", "3", "5", "e", "g", "u", "s", "1990s"}));
  EXPECT_EQ(split_words("<b>x</b>"), (List{"b", "x", "b"}));
}

TEST(Words, SearchForms) {
  const std::pair<const char*, const char*> cases[] = {
      {"café", "cafe"},         {"ещё", "еще"},         {"мой", "мой"},
      {"straße", "strasse"},    {"ısparta", "isparta"}, {"كِتَابٌ", "كتاب"},
      {"كـتاب", "كتاب"},        {"أحمد", "احمد"},       {"مدرسة", "مدرسه"},
      {"می\u200Cرود", "ميرود"}, {"שָׁלוֹם", "שלום"},       {"が", "が"},
      {"हिन्दी", "हिन्दी"},       {"łódź", "lodz"},       {"người", "nguoi"},
      {"λόγος", "λογοσ"},       {"їжак", "їжак"},       {"smørrebrød", "smorrebrod"},
      {"c++", "c++"},           {"한국", "한국"}};
  for (const auto& [word, form] : cases) EXPECT_EQ(search_form(word), form) << word;
  EXPECT_EQ(plain_form("ещё"), "еще");
  EXPECT_EQ(plain_form("كِتَاب"), "كتاب");
  EXPECT_EQ(plain_form("café"), "");
  EXPECT_EQ(plain_form("word"), "");
}

TEST(Words, IndexAndQuery) {
  EXPECT_EQ(index_form("COVID-19, C++ & Café: node.js .NET"), "covid 19 c++ cafe node js .net");
  EXPECT_EQ(index_form("东京银行"), "东京 银行");
  EXPECT_EQ(index_query("covid-19 C++"), "\"covid 19\" \"c++\"");
  EXPECT_EQ(index_query("Ещё İSTANBUL"), "\"еще\" \"istanbul\"");
  EXPECT_EQ(index_query("银行\u3000cat"), "\"银行\" * \"cat\"");
  EXPECT_EQ(index_query("\"or* (near\")"), "\"or\" \"near\"");
  EXPECT_EQ(index_query(" ! — "), "");
}

TEST(Words, LettersAreCountedNotBytes) {
  EXPECT_EQ(letter_count("cat"), 3u);
  EXPECT_EQ(letter_count("частнопредпринимательского"), 26u);
  EXPECT_EQ(letter_count("हिन्दी"), 3u);
  EXPECT_LT(letter_count("തിരുവനന്തപുരത്തുനിന്ന്"), 20u);
  for (const char* word : {"x1", "日", "é", "ไทย"}) EXPECT_TRUE(has_letter(word)) << word;
  for (const char* word : {"", "2024", "٢٠٢٤", "२०२४", "½"}) EXPECT_FALSE(has_letter(word)) << word;
  EXPECT_TRUE(without_blanks("ไทย") && without_blanks("日") && !without_blanks("한국") &&
              !without_blanks("x"));
}

/// "word@what stands at its place"
List placed_words(std::string_view text, std::string_view language = {}) {
  List out;
  visit_placed_words(text, language, [&](const PlacedWord& word) {
    out.push_back(std::string(word.text) + "@" + std::string(text.substr(word.begin, word.end - word.begin)));
  });
  return out;
}

TEST(PlacedWords, StandWhereTheySay) {
  EXPECT_EQ(placed_words("The dog's C++ (ASP.NET)"),
            (List{"the@The", "dog@dog", "c++@C++", "asp.net@ASP.NET"}));
  EXPECT_EQ(placed_words("Ein  Straße-Test, na\u0131\u0308ve Cafe\u0301\u2019s\tＡＢ"),
            (List{"ein@Ein", "straße-test@Straße-Test", "na\u0131\u0308ve@na\u0131\u0308ve",
                  "caf\u00e9@Cafe\u0301", "ab@ＡＢ"}));
  EXPECT_EQ(placed_words("東京都の天気"), (List{"東京@東京", "都@都", "の@の", "天気@天気"}));
  EXPECT_EQ(placed_words("ISI ısı", "tr"), (List{"\u0131s\u0131@ISI", "\u0131s\u0131@ısı"}));
  EXPECT_EQ(placed_words(""), List{});
}

TEST(PlacedWords, AreTheWordsOfVisitWords) {
  for (const char* text :
       {"A Map of 63,000 Texts!", "e\u0301t\u00e9 so\u00adft", "हिन्दी का मौसम", "ภาษาไทย กำลัง", "한국어 각각",
        "x\u3099か\u3099 ﾊﾞﾝ", "ﬁle\u00a0ﬂow", "\U0001D400bc d\u0307e"}) {
    List words;
    visit_placed_words(text, {}, [&](const PlacedWord& word) { words.emplace_back(word.text); });
    EXPECT_EQ(words, split_words(text)) << text;
  }
}

TEST(LowerForm, IsOneLineInLowerCase) {
  EXPECT_EQ(lower_form("  Hot \t\n DOG "), "hot dog");
  EXPECT_EQ(lower_form("ÜBER\u00a0Straße\u200b ﬁ"), "über straße\u200b fi");
  EXPECT_EQ(lower_form(""), "");
}

}  // namespace
}  // namespace shoal
