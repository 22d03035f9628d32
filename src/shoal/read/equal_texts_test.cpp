#include "shoal/read/equal_texts.h"

#include <gtest/gtest.h>

#include <string>

namespace shoal {
namespace {

TEST(EqualTexts, CountsWhatCameBefore) {
  EqualTexts texts;
  for (int turn = 0; turn < 3; ++turn)
    for (int i = 0; i < 5000; ++i)
      if (i % (turn + 1) == 0) texts.add("text number " + std::to_string(i));
  EXPECT_EQ(texts.equal(), 2500u + 1667u);
  texts.add("twice");
  texts.add("twice");
  texts.add("");
  texts.add("Twice");
  EXPECT_EQ(texts.equal(), 2500u + 1667u + 1u);
}

TEST(EqualTexts, ShowsTheMostFrequent) {
  EqualTexts texts;
  for (const char* text : {"b", "a", "b", "c", "a", "c", "c", "d"}) texts.add(text);
  const auto most = texts.most();
  ASSERT_EQ(most.size(), 3u);
  EXPECT_EQ(most[0].beginning, "c");
  EXPECT_EQ(most[0].times, 3u);
  EXPECT_EQ(most[1].beginning, "b") << "came again first";
  EXPECT_EQ(most[2].times, 2u);
  const std::string longer(99, 'x');
  texts.add(longer + "é and more");
  for (int i = 0; i < 4; ++i) texts.add(longer + "é and more");
  EXPECT_EQ(texts.most()[0].beginning, longer + "…") << "no letter is cut";
}

TEST(EqualTexts, ZerosAndLengthsMakeADifference) {
  EqualTexts texts;
  texts.add("");
  texts.add(std::string(1, '\0'));
  texts.add(std::string(8, '\0'));
  texts.add(std::string(9, '\0'));
  EXPECT_EQ(texts.equal(), 0u);
}

}  // namespace
}  // namespace shoal
