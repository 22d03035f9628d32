#include "shoal/words/described_words.h"

#include <gtest/gtest.h>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using List = std::vector<std::string>;

Descriptions cleaned(const std::vector<std::pair<std::string, std::string>>& rows,
                     DescriptionReport* report = nullptr, const std::string& sense = {}) {
  DescriptionCleaner cleaner;
  for (Index i = 0; i < rows.size(); ++i)
    cleaner.add(rows[i].first, rows[i].second, sense, "row " + std::to_string(i + 1));
  if (report) *report = cleaner.report();
  return cleaner.take();
}

List strings(const Texts& texts) {
  List out;
  for (Index i = 0; i < texts.size(); ++i) out.emplace_back(texts[i]);
  return out;
}

/// "cat[cat] is[-] tiger[?]": what each stretch of a description is taken for.
std::string shown(const DescribedWords& words, Index d) {
  std::string out;
  for (const WordStretch& s : words.of(d)) {
    out += (out.empty() ? "" : " ") + std::string(words.texts[d].substr(s.begin, s.end - s.begin)) + "[";
    out += s.word == WordStretch::kStop    ? "-"
           : s.word == WordStretch::kOther ? "?"
                                           : std::string(words.words[s.word]);
    out += "]";
  }
  return out;
}

TEST(Descriptions, AreCleanedAndConsolidated) {
  DescriptionReport report;
  const Descriptions d = cleaned({{"Cat", " a small\n\tanimal "},
                                  {"cat", "a small animal"},
                                  {"CAT", "a <b>beast</b> &amp; pet"},
                                  {"", "nothing"},
                                  {"...", "dots"},
                                  {"123", "a number"},
                                  {"dog", ""},
                                  {"dog", " ?! "},
                                  {"d\xffog", "an animal"},
                                  {"кошка", "домашнее животное"},
                                  {"hot  dog", "a sausage"}},
                                 &report);
  EXPECT_EQ(strings(d.words), (List{"Cat", "CAT", "d\uFFFDog", "кошка", "hot dog"}));
  EXPECT_EQ(strings(d.texts),
            (List{"a small animal", "a beast & pet", "an animal", "домашнее животное", "a sausage"}));
  EXPECT_EQ(std::string(d.keys[1]), "cat");
  EXPECT_EQ(std::string(d.keys[4]), "hot dog");
  EXPECT_EQ(report.read, 11u);
  EXPECT_EQ(report.kept, 5u);
  EXPECT_EQ(report.no_word.count, 3u);
  EXPECT_EQ(report.no_word.first, "row 4");
  EXPECT_EQ(report.no_description.count, 2u);
  EXPECT_EQ(report.duplicates.count, 1u);
  EXPECT_EQ(report.duplicates.first, "row 2");
  EXPECT_EQ(report.markup.count, 1u);
  EXPECT_EQ(report.merged.count, 1u);
  EXPECT_EQ(report.merged.first, "row 3: CAT");
  EXPECT_EQ(report.repaired.count, 1u);
  EXPECT_EQ(report.blanks.count, 3u);
}

TEST(DescribedWords, TheHeadIsBeforeItsText) {
  VocabularyReport report;
  const auto d = describe_words(cleaned({{"Cat", "a small animal, like the tiger"},
                                         {"tiger", "a large cat"},
                                         {"hot dog", "a hot sausage for a cat"}}),
                                {}, {}, {.language = "en"}, report, {});
  EXPECT_EQ(strings(d.words), (List{"cat", "tiger", "hot dog"}));
  EXPECT_EQ(std::string(d.texts[0]), "Cat: a small animal, like the tiger");
  EXPECT_EQ(shown(d, 0), "Cat[cat] a[-] small[?] animal[?] like[-] the[-] tiger[tiger]");
  EXPECT_EQ(shown(d, 2), "hot dog[hot dog] a[-] hot[?] sausage[?] for[-] a[-] cat[cat]");
  EXPECT_EQ(std::string(d.words[d.heads[1]]), "tiger");
}

TEST(DescribedWords, TheHeadIsInsideItsText) {
  VocabularyReport report;
  const auto d = describe_words(cleaned({{"cat", "My cat saw a Cat and a dog"},
                                         {"dog", "no animal is here"},
                                         {"hot dog", "I ate a HOT dog"}}),
                                {}, {}, {.head = HeadPlace::inside, .language = "none"}, report, {});
  EXPECT_EQ(report.word_missing.count, 1u);
  EXPECT_EQ(report.word_missing.first, "dog: no animal is here");
  ASSERT_EQ(d.texts.size(), 2u);
  EXPECT_EQ(shown(d, 0), "My[?] cat[cat] saw[?] a[?] Cat[cat] and[?] a[?] dog[dog]");
  EXPECT_EQ(shown(d, 1), "I[?] ate[?] a[?] HOT dog[hot dog]");
}

TEST(DescribedWords, FormsCountAsTheirLemmas) {
  const BaseForms forms = [](std::string_view word) {
    return word == "cats" ? List{"cat"} : word == "saw" ? List{"saw", "see"} : List{std::string(word)};
  };
  VocabularyReport report;
  const Descriptions from =
      cleaned({{"cat", "cats saw it"}, {"see", "what cats do"}, {"saw", "a tool that cats see"}});
  auto d = describe_words(from, forms, {}, {.language = "en"}, report, {});
  EXPECT_EQ(shown(d, 0), "cat[cat] cats[cat] saw[saw] it[-]");
  // A lemma that is not in the vocabulary gives way to the next.
  d = describe_words(from, forms, {"see", "unheard of"}, {.max_words = 2, .language = "en"}, report, {});
  EXPECT_EQ(strings(d.words), (List{"cat", "see"}));
  EXPECT_EQ(shown(d, 0), "cat[cat] cats[cat] saw[see] it[-]");
  EXPECT_EQ(report.rare.count, 1u);
  EXPECT_EQ(report.kept_missing, 1u);
  EXPECT_EQ(report.first_missing, "unheard of");
}

/// "cat cats, see saw": words and their other forms.
List forms_of(const DescribedWords& words) {
  List out;
  for (Index i = 0; i < words.forms.size(); ++i)
    out.push_back(std::string(words.words[words.form_words[i]]) + " " + std::string(words.forms[i]));
  return out;
}

TEST(DescribedWords, KnowsOtherFormsOfItsWords) {
  const BaseForms bases = [](std::string_view word) {
    if (word == "cats" || word == "catses") return List{"cat"};
    if (word == "saw" || word == "saws") return List{"saw", "see"};
    return word == "seen" || word == "is" ? List{"see"} : List{std::string(word)};
  };
  VocabularyReport report;
  const Descriptions from =
      cleaned({{"cat", "cats saw it"}, {"see", "what cats do"}, {"saw", "a tool that cats see"}});
  auto d = describe_words(from, bases, {}, {.language = "en"}, report, {});
  EXPECT_EQ(forms_of(d), List{"cat cats"});
  const InflectedForms inflected = [](std::string_view word) {
    return word == "cat" ? List{"catses", "cats"} : List{"saw", "saws", "seen", "is"};
  };
  add_forms(d, bases, inflected);  // saws is of saw, of which see is no base form; is is a stop word
  EXPECT_EQ(forms_of(d), (List{"cat cats", "cat catses", "saw saws", "see seen"}));
  d = describe_words(from, bases, {"see"}, {.max_words = 2, .language = "en"}, report, {});
  add_forms(d, bases, inflected);  // without saw, these are forms of see
  EXPECT_EQ(forms_of(d), (List{"cat cats", "cat catses", "see saw", "see saws", "see seen"}));
}

TEST(DescribedWords, OtherWordsMayHaveAPlaceToo) {
  VocabularyReport report;
  const auto d = describe_words(cleaned({{"cat", "a furry animal"}, {"dog", "a loyal animal"}}), {}, {},
                                {.min_count = 2, .language = "en"}, report, {});
  EXPECT_EQ(strings(d.words), (List{"animal", "cat", "dog"}));
  EXPECT_EQ(shown(d, 1), "dog[dog] a[-] loyal[?] animal[animal]");
}

TEST(DescribedWords, SensesApart) {
  VocabularyReport report;
  DescriptionCleaner cleaner;
  cleaner.add("bank", "money is kept in the bank", "n.1", "");
  cleaner.add("bank", "the side of a river", "n.2", "");
  cleaner.add("river", "water between a bank and a bank", "n.1", "");
  const auto d =
      describe_words(cleaner.take(), {}, {}, {.apart = Apart::senses, .language = "en"}, report, {});
  EXPECT_EQ(strings(d.words), (List{"bank", "river", "bank.n.1", "bank.n.2", "river.n.1"}));
  EXPECT_EQ(shown(d, 0), "bank[bank.n.1] money[?] is[-] kept[?] in[-] the[-] bank[bank.n.1]");
  EXPECT_EQ(shown(d, 2), "river[river.n.1] water[?] between[-] a[-] bank[bank] and[-] a[-] bank[bank]");
}

TEST(DescribedWords, LanguageOfTheStopWords) {
  VocabularyReport report;
  const Descriptions russian = cleaned(
      {{"кошка", "это маленькое домашнее животное и не собака"}, {"собака", "это животное не кошка"}});
  const auto d = describe_words(russian, {}, {}, {}, report, {});
  EXPECT_EQ(d.language, "ru");
  EXPECT_EQ(shown(d, 1), "собака[собака] это[-] животное[?] не[-] кошка[кошка]");
  EXPECT_THROW(describe_words(russian, {}, {}, {.language = "klingon"}, report, {}), Error);
  EXPECT_THROW(describe_words(cleaned({{"cat", "a dog"}}), {}, {}, {.head = HeadPlace::inside}, report, {}),
               Error);
}

}  // namespace
}  // namespace shoal
