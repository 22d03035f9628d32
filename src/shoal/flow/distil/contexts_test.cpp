#include <gtest/gtest.h>

#include "shoal/flow/distil/contexts_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

TEST(Align, WordsOfTheCorpusCoverTheirParts) {
  for (const char* model : {"bert_bare", "roberta", "xlm_roberta"}) {
    SCOPED_TRACE(model);
    StaticTokenizer tokens(read_model_folder(kGolden / model));
    const Tokenizer before = Tokenizer::from_json(tokens.to_json(), "before");
    Texts text;
    text.add(" zebra");
    const Texts pieces = before.split(text, 0, 1);
    ASSERT_EQ(pieces.size(), 1u);
    const Tokens parts = before.encode_plain(text, 0, 1);
    ASSERT_GT(parts.ids.size(), 1u);
    tokens.add(std::string(pieces[0]), parts.ids);
    EXPECT_EQ(tokens.originals(tokens.size() - 1).size(), parts.ids.size());
    const Tokenizer now = Tokenizer::from_json(tokens.to_json(), "now");
    Texts long_text;
    long_text.add("the zebra and zebras, a zebra");
    const auto first = before.encode_plain(long_text, 0, 1), second = now.encode_plain(long_text, 0, 1);
    Index words = 0, covered = 0;
    for (const Place& place : align(tokens, first[0], second[0])) {
      EXPECT_EQ(place.first, covered);
      covered = place.last;
      if (place.token != tokens.size() - 1) {
        EXPECT_EQ(first.ids[place.first], place.token);
        continue;
      }
      ++words;
      EXPECT_TRUE(
          std::equal(parts.ids.begin(), parts.ids.end(), first.ids.begin() + static_cast<long>(place.first)));
      EXPECT_EQ(place.last - place.first, parts.ids.size());
    }
    EXPECT_GE(words, 2u);
    EXPECT_EQ(covered, first.ids.size());
    // A text that was cut: what is left of it.
    const auto cut = align(tokens, first[0].first(2), second[0]);
    for (const Place& place : cut) EXPECT_LE(place.last, 2u);
  }
}

}  // namespace
}  // namespace shoal
