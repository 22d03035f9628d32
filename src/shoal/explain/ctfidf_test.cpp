#include "shoal/explain/ctfidf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/explain/repeats.h"
#include "shoal/explain/term_counts.h"

namespace shoal {
namespace {

using Lines = std::vector<std::string>;

Texts texts_of(const Lines& lines) {
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  return texts;
}

std::vector<std::vector<TopWord>> words_of(const Lines& lines, const std::vector<Label>& labels, Index k,
                                           CtfidfOptions options = {.min_count = 1}) {
  Ctfidf ctfidf(k, options);
  ctfidf.add(texts_of(lines), labels.data(), {});
  return ctfidf.top_words();
}

Lines names(const std::vector<TopWord>& words) {
  Lines out;
  for (const TopWord& w : words) out.push_back(w.word);
  return out;
}

TEST(Ctfidf, WordsThatTellClustersApart) {
  const auto words =
      words_of({"the cat sleeps", "a cat purrs", "stocks fell", "many stocks rose"}, {0, 0, 1, 1}, 2);
  EXPECT_EQ(words[0].front().word, "cat");
  EXPECT_EQ(words[1].front().word, "stocks");
  EXPECT_EQ(cluster_name(words[0]).substr(0, 3), "cat");
}

TEST(Ctfidf, ScoreByHand) {
  // Cluster 0: 3 words in 2 texts ("red" twice, "car"); cluster 1: 3 words in 2 texts ("car" once, "sky"
  // twice).
  const auto words =
      words_of({"red red car", "red", "sky car", "sky"}, {0, 0, 1, 1}, 2, {.max_ngram = 1, .min_count = 1});
  ASSERT_EQ(names(words[0]), (Lines{"red"}));  // "car": as common in the other cluster, contrast 0
  EXPECT_NEAR(words[0][0].score, 2.0 / 3 * std::log(1 + 3.0 / 2), 1e-7);
}

TEST(Ctfidf, WhatStandsEverywhereNamesNothing) {
  const auto words =
      words_of({"package python", "package python", "package fonts", "package fonts"}, {0, 0, 1, 1}, 2);
  EXPECT_EQ(cluster_name(words[0]).find("package fonts"), std::string::npos);
  for (const TopWord& w : words[0]) EXPECT_NE(w.word, "package");
}

TEST(Ctfidf, LeavesOut) {
  const auto words =
      words_of({"the 2024 x of 3.5 y2k", "other"}, {0, 1}, 2, {.max_ngram = 1, .min_count = 1});
  EXPECT_EQ(names(words[0]), (Lines{"y2k"}));
  const auto rare = words_of({"once", "twice", "twice", "x"}, {0, 0, 0, 1}, 2, {.min_count = 2});
  EXPECT_EQ(names(rare[0]), (Lines{"twice"}));
  const auto kept =
      words_of({"the end", "x"}, {0, 1}, 2, {.max_ngram = 1, .min_count = 1, .stop_words = false});
  EXPECT_EQ(names(kept[0]), (Lines{"end", "the"}));
}

TEST(Ctfidf, PairsAndPlurals) {
  const auto pair = words_of({"neural network", "neural networks", "neural networks", "x"}, {0, 0, 0, 1}, 2);
  EXPECT_EQ(names(pair[0]), (Lines{"neural networks"}));  // the words give way; the more frequent spelling
  const auto apart = words_of({"neural, network", "x"}, {0, 1}, 2);
  EXPECT_EQ(names(apart[0]), (Lines{"network", "neural"}));
}

TEST(Ctfidf, Triples) {
  const Lines lines = {"random access memory", "random access memories", "a random access memory", "x y"};
  const auto three = words_of(lines, {0, 0, 0, 1}, 2, {.max_ngram = 3, .min_count = 1});
  EXPECT_EQ(names(three[0]), (Lines{"random access memory"}));
  const auto broken = words_of({"random access. memory", "random, access memory", "x"}, {0, 0, 1}, 2,
                               {.max_ngram = 3, .min_count = 1});
  for (const TopWord& w : broken[0]) EXPECT_NE(w.word, "random access memory");
  const auto again = words_of({"ha ho ha", "x"}, {0, 1}, 2, {.max_ngram = 3, .min_count = 1});
  for (const TopWord& w : again[0]) EXPECT_LT(std::ranges::count(w.word, ' '), 2) << w.word;
}

TEST(Ctfidf, PhrasesAlone) {
  Ctfidf ctfidf(2, {.max_ngram = 3, .min_count = 1});
  const std::vector<Label> labels = {0, 0, 0, 0, 1};
  ctfidf.add(texts_of({"credit card number", "credit card number", "credit score", "credit card", "x"}),
             labels.data(), {});
  EXPECT_EQ(names(ctfidf.top_phrases(5)[0]), (Lines{"credit card number", "credit score"}));
  EXPECT_EQ(names(ctfidf.top_phrases(1)[0]), (Lines{"credit card number"}));
  EXPECT_TRUE(ctfidf.top_phrases(5)[1].empty() && ctfidf.top_phrases(0)[0].empty());
}

TEST(Ctfidf, OwnStopWords) {
  const auto words = words_of({"red apples fall", "x"}, {0, 1}, 2,
                              {.max_ngram = 1, .min_count = 1, .more_stop_words = {"Apple", "falls rises"}});
  EXPECT_EQ(names(words[0]), (Lines{"red"}));
}

TEST(Ctfidf, Bm25AndReducedFrequentWordsByHand) {
  // As ScoreByHand: "red" in 2 texts of cluster 0, whose words are 3; A = 3.
  const Lines lines = {"red red car", "red", "sky car", "sky"};
  const auto score = [&](const CtfidfOptions& options) {
    return words_of(lines, {0, 0, 1, 1}, 2, options)[0][0].score;
  };
  EXPECT_NEAR(score({.max_ngram = 1, .min_count = 1, .bm25 = true}), 2.0 / 3 * std::log(1 + 1.5 / 2.5), 1e-7);
  EXPECT_NEAR(score({.max_ngram = 1, .min_count = 1, .reduce_frequent_words = true}),
              std::sqrt(2.0 / 3) * std::log(1 + 3.0 / 2), 1e-7);
  EXPECT_NEAR(score({.max_ngram = 1, .min_count = 1, .bm25 = true, .reduce_frequent_words = true}),
              std::sqrt(2.0 / 3) * std::log(1 + 1.5 / 2.5), 1e-7);
  // Above A + 1/2 texts the factor is below 0.
  EXPECT_TRUE(
      words_of({"cat", "cat", "cat", "x"}, {0, 0, 0, 1}, 2, {.min_count = 1, .bm25 = true})[0].empty());
}

TEST(Ctfidf, NoiseEmptyAndWrong) {
  EXPECT_EQ(words_of({"a b", "cat"}, {kNoise, kNoise}, 1)[0].size(), 0u);
  EXPECT_EQ(words_of({}, {}, 2).size(), 2u);
  EXPECT_EQ(words_of({}, {}, 0).size(), 0u);
  EXPECT_EQ(cluster_name({}), "");
  EXPECT_EQ(names(words_of({"cat", ""}, {0, 0}, 1)[0]), (Lines{"cat"}));  // nothing else to differ from
  EXPECT_THROW(words_of({"x"}, {1}, 1), Error);
  EXPECT_THROW(words_of({"x"}, {-2}, 1), Error);
  EXPECT_THROW(Ctfidf(1, {.max_ngram = 4}), Error);
}

/// Texts of random words, rare and frequent, over several segments.
struct Corpus {
  Texts texts;
  std::vector<Label> labels;
  explicit Corpus(Index rows) {
    const Random random(Seed{5});
    for (Index i = 0; i < rows; ++i) {
      std::string text;
      for (Index j = 0; j < 6; ++j) {
        const double u = random.uniform(8 * i + j);
        text += 'w';
        text += std::to_string(static_cast<Index>(u * u * u * 3000));
        text += random.below(9 * i + j, 3) ? " " : "s ";
      }
      texts.add(text);
      labels.push_back(static_cast<Label>(random.below(i, 8)) - 1);
    }
  }
};

void expect_equal(const std::vector<std::vector<TopWord>>& a, const std::vector<std::vector<TopWord>>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (Index c = 0; c < a.size(); ++c) {
    EXPECT_EQ(names(a[c]), names(b[c]));
    for (Index i = 0; i < std::min(a[c].size(), b[c].size()); ++i) EXPECT_EQ(a[c][i].score, b[c][i].score);
  }
}

TEST(Ctfidf, SameBitsForAnyThreadsAndCuts) {
  const Corpus corpus(20000);
  Ctfidf whole(7);
  whole.add(corpus.texts, corpus.labels.data(), {.threads = 1});
  const auto expected = whole.top_words();
  ASSERT_EQ(expected[3].size(), 10u);
  for (unsigned threads : {2u, 3u}) {
    for (Index cut : {777u, 8192u, 20000u}) {
      Ctfidf parts(7);
      for (Index first = 0; first < corpus.texts.size(); first += cut) {
        Texts part;
        for (Index i = first; i < std::min(first + cut, corpus.texts.size()); ++i) part.add(corpus.texts[i]);
        parts.add(part, corpus.labels.data() + first, {.threads = threads});
      }
      expect_equal(parts.top_words(), expected);
    }
  }
}

TEST(Ctfidf, GroupsAreAsIfLabelledSo) {
  const Corpus corpus(3000);
  const Labels groups{.of = {1, 0, 2, 1, 1, 0, 0}, .count = 3};
  Ctfidf clusters(7), expected(3);
  clusters.add(corpus.texts, corpus.labels.data(), {});
  std::vector<Label> labels = corpus.labels;
  for (Label& label : labels)
    if (label != kNoise) label = groups.of[static_cast<Index>(label)];
  expected.add(corpus.texts, labels.data(), {});
  ASSERT_EQ(expected.top_words()[1].size(), 10u);
  expect_equal(clusters.top_words(groups), expected.top_words());
  EXPECT_THROW(clusters.top_words({.of = {0, 0}, .count = 1}), Error);
  EXPECT_THROW(clusters.top_words({.of = std::vector<Label>(7, kNoise), .count = 1}), Error);
  EXPECT_THROW(clusters.top_words({.of = std::vector<Label>(7, 1), .count = 1}), Error);
}

/// All that is known after `add` in calls of `cut` rows: the texts of each key in each cluster.
std::map<std::pair<std::uint64_t, std::uint32_t>, Index> counted(const Corpus& corpus, Index cut,
                                                                 unsigned threads, Index most_held) {
  TermCounts counts(7, {}, most_held);
  for (Index first = 0; first < corpus.texts.size(); first += cut) {
    Texts part;
    for (Index i = first; i < std::min(first + cut, corpus.texts.size()); ++i) part.add(corpus.texts[i]);
    counts.add(part, corpus.labels.data() + first, {.threads = threads});
  }
  std::map<std::pair<std::uint64_t, std::uint32_t>, Index> out;
  for (const TermCounts::Shard& shard : counts.shards())
    for (const TermCounts::Count& c : shard.counts) out[{shard.terms[c.term].key, c.cluster}] = c.texts;
  return out;
}

TEST(TermCounts, ForgetTheRarestWhateverTheThreadsAndCuts) {
  constexpr Index kRows = 24576, kMost = 5000;  // three segments
  const Corpus corpus(kRows);
  const auto all = counted(corpus, kRows, 1, TermCounts::kMostHeld), left = counted(corpus, kRows, 1, kMost);
  ASSERT_GT(all.size(), 2 * kMost);
  EXPECT_LT(left.size(), kMost);
  for (const auto& [term, texts] : left) EXPECT_LE(texts, all.at(term));
  Index frequent = 0;
  for (const auto& [term, texts] : all) {
    if (texts < kRows / 100) continue;
    ++frequent;
    EXPECT_EQ(left.at(term), texts);
  }
  EXPECT_GT(frequent, 5u);
  for (Index cut : {500u, 8192u, 10000u}) EXPECT_TRUE(counted(corpus, cut, 3, kMost) == left) << cut;
}

TEST(TermCounts, LongTextsEndASegmentToo) {
  Corpus corpus(0);  // 20 texts of 300 KB with words of their own: far fewer rows than a segment has
  for (Index i = 0; i < 20; ++i) {
    std::string text = "common. ";
    for (Index j = 0; text.size() < 300000; ++j)
      text.append("w").append(std::to_string(i)).append("x").append(std::to_string(j)).append(". ");
    corpus.texts.add(text);
    corpus.labels.push_back(0);
  }
  const auto left = counted(corpus, 20, 2, 100000);
  EXPECT_LT(left.size(), 400000u);  // of about 700,000
  EXPECT_EQ(std::ranges::max(left | std::views::values), 20u);
  EXPECT_TRUE(counted(corpus, 7, 1, 100000) == left);
}

TEST(TermCounts, OfALongTextTheFirstMegabyteCounts) {
  Corpus corpus(0);
  corpus.texts.add("first " + std::string(1 << 20, ' ') + "last");
  corpus.labels.push_back(0);
  EXPECT_EQ(counted(corpus, 1, 1, TermCounts::kMostHeld).size(), 1u);
}

TEST(Ctfidf, AnyBytes) {
  const auto words = words_of({std::string(1 << 20, 'x'), "\xFF\xFE cat", std::string("a\0b", 3), "日本語"},
                              {0, 0, 0, 0}, 1);
  ASSERT_FALSE(words[0].empty());
  for (const TopWord& w : words[0]) EXPECT_LE(w.word.size(), 48u);
}

TEST(ClusterName, AtMostThreeThatDiffer) {
  EXPECT_EQ(cluster_name({{"python", 1.0}, {"python module", 0.9}, {"library", 0.8}, {"c", 0.7}, {"d", 0.6}}),
            "python · library · c");
  EXPECT_EQ(cluster_name({{"font", 1.0}, {"typeface", 0.2}, {"greek", 0.19}}), "font · typeface");
  EXPECT_EQ(cluster_name({{"font", 1.0}, {"fonts", 0.5}}), "font");
}

TEST(Repeats, Stems) {
  for (auto [a, b] :
       {std::pair{"parser", "parsing"}, {"crypto", "cryptographic"}, {"file", "files"}, {"x", "x"}})
    EXPECT_TRUE(same_stem(a, b) && same_stem(b, a)) << a << b;
  for (auto [a, b] : {std::pair{"java", "javascript"}, {"port", "portable"}, {"cat", "cats"}, {"", "s"}})
    EXPECT_FALSE(same_stem(a, b) || same_stem(b, a)) << a << b;
}

TEST(Repeats, PairForItsWord) {
  const auto left =
      without_repeats({{"studio", 9, 10}, {"visual", 8, 9}, {"visual studio", 7, 9}, {"code", 1, 3}}, 10);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].words, "visual studio");
  EXPECT_EQ(left[1].words, "code");
}

TEST(Repeats, NonePartOfAnother) {
  const auto left = without_parts({{"neural network", 9, 10},
                                   {"network card", 8, 9},
                                   {"deep neural network", 7, 6},
                                   {"network", 6, 20},
                                   {"card slot", 5, 3}},
                                  10);
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[0].words, "deep neural network");
  EXPECT_EQ(left[0].score, 9);
  EXPECT_EQ(left[1].words, "network card");
  EXPECT_EQ(left[2].words, "card slot");
}

}  // namespace
}  // namespace shoal
