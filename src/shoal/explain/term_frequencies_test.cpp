#include "shoal/explain/term_frequencies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace shoal {
namespace {

const std::vector<std::string> kTexts = {"the red apple and the red wine", "two apples, one apple",
                                         "red wines", "", "an old red house"};

TermCounts counted(const TermRules& rules) {
  TermCounts counts(1, rules);
  Texts texts;
  for (const auto& text : kTexts) texts.add(text);
  const std::vector<Label> labels(kTexts.size(), 0);
  counts.add(texts, labels.data(), {});
  return counts;
}

TEST(TermFrequencies, AgreeWithTheCounts) {
  for (const Index ngram : {1, 2, 3})
    for (const bool stop : {false, true}) {
      const TermRules rules{.max_ngram = ngram, .stop_words = stop, .numbers = true, .language = "en"};
      std::map<std::uint64_t, Index> texts_with;
      TermFrequencies frequencies(rules);
      for (const auto& text : kTexts)
        for (const auto& f : frequencies.of(text)) ++texts_with[f.key];
      const auto found = texts_of_terms(counted(rules));
      EXPECT_EQ(found.size(), texts_with.size());
      for (const TermTexts& t : found) EXPECT_EQ(t.texts, texts_with[t.key]) << t.term;
      for (Index i = 1; i < found.size(); ++i) EXPECT_LE(found[i].texts, found[i - 1].texts);
    }
}

TEST(TermFrequencies, AWordAndItsPluralAreOne) {
  const TermRules rules{.max_ngram = 1, .stop_words = true, .numbers = true, .language = "en"};
  const auto found = texts_of_terms(counted(rules));
  std::map<std::string, Index> texts;
  for (const auto& t : found) texts[t.term] = t.texts;
  EXPECT_EQ(texts["red"], 3u);
  EXPECT_EQ(texts["apple"] + texts["apples"], 2u);
  EXPECT_EQ(texts["wine"] + texts["wines"], 2u);
  EXPECT_FALSE(texts.contains("the"));
  TermFrequencies frequencies(rules);
  std::vector<std::uint32_t> times;
  for (const auto& f : frequencies.of(kTexts[0])) times.push_back(f.times);
  std::ranges::sort(times);
  EXPECT_EQ(times, (std::vector<std::uint32_t>{1, 1, 2})) << "apple, wine, red";
  times.clear();
  for (const auto& f : frequencies.of(kTexts[1])) times.push_back(f.times);
  EXPECT_TRUE(std::ranges::find(times, 2u) != times.end()) << "apples and apple";
  EXPECT_TRUE(frequencies.of("").empty());
  EXPECT_TRUE(frequencies.of("the and of").empty());
}

}  // namespace
}  // namespace shoal
