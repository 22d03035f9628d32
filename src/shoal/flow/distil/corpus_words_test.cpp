#include <gtest/gtest.h>

#include "shoal/flow/distil/corpus_words_impl.h"

namespace shoal {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(SHOAL_SOURCE) / "tests/golden/encoder";

Texts texts_of(const std::vector<std::string>& all) {
  Texts out;
  for (const std::string& one : all) out.add(one);
  return out;
}

TEST(WordCounts, FrequentFirstThenByBytes) {
  const StaticTokenizer tokens(read_model_folder(kGolden / "bert_bare"));
  WordCounts counts(tokens, 100);
  counts.add(texts_of({"b", "a", "c", "a"}));
  counts.add(texts_of({"c", "d", "a"}));
  EXPECT_FALSE(counts.forgotten());
  const auto words = std::move(counts).words(2);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].piece, "a");
  EXPECT_EQ(words[0].times, 3);
  EXPECT_EQ(words[1].piece, "c");
}

TEST(WordCounts, MemoryHasALimitAndFrequentWordsStay) {
  const StaticTokenizer tokens(read_model_folder(kGolden / "bert_bare"));
  const auto count = [&](Index most, Index batch) {
    WordCounts counts(tokens, most);
    Texts pieces;
    for (int i = 0; i < 5000; ++i) {
      pieces.add(i % 10 == 0 ? "often" : "rare" + std::to_string(i));
      if (pieces.size() < batch) continue;
      counts.add(pieces);
      EXPECT_LE(counts.size(), most);
      pieces = {};
    }
    counts.add(pieces);
    EXPECT_TRUE(counts.forgotten());
    return std::move(counts).words(1);
  };
  const auto words = count(100, 64);
  ASSERT_FALSE(words.empty());
  EXPECT_EQ(words[0].piece, "often");
  EXPECT_GT(words[0].times, 480);  // it was rare itself when the first were forgotten
  const auto again = count(100, 700);
  ASSERT_EQ(again.size(), words.size()) << "the same for other batches";
  for (Index i = 0; i < words.size(); ++i) {
    EXPECT_EQ(again[i].piece, words[i].piece);
    EXPECT_EQ(again[i].times, words[i].times);
  }
  // All of them often: still no more than there may be.
  WordCounts even(tokens, 8);
  for (int i = 0; i < 9; ++i)
    for (int n = 0; n < 5; ++n) even.add(texts_of({"word" + std::to_string(i)}));
  EXPECT_LE(even.size(), 8u);
}

TEST(WordCounts, LettersAreCountedNotBytes) {
  for (const char* model : {"bert_bare", "roberta", "xlm_roberta"}) {
    SCOPED_TRACE(model);
    const StaticTokenizer tokens(read_model_folder(kGolden / model));
    const Tokenizer tokenizer = Tokenizer::from_json(tokens.to_json(), model);
    const auto counted = [&](const std::string& letter, int n) {
      std::string word;
      for (int i = 0; i < n; ++i) word += letter;
      WordCounts counts(tokens, 100);
      const Texts text = texts_of({word});
      const Texts pieces = tokenizer.split(text, 0, 1);
      EXPECT_EQ(pieces.size(), 1u);
      counts.add(pieces);
      return counts.size();
    };
    for (const char* letter : {"a", "\u0436"}) {
      EXPECT_EQ(counted(letter, 47), 1u);
      EXPECT_EQ(counted(letter, 49), 0u);
    }
  }
}

}  // namespace
}  // namespace shoal
