#include "shoal/map/words_page.h"

#include <gtest/gtest.h>

#include "tests/error_of.h"

namespace shoal {
namespace {

/// Two words that change places.
WordsPageData two_words() {
  WordsPageData data;
  data.title = "Two";
  data.words.add("one </script>");
  data.words.add("two");
  for (const float side : {1.f, -1.f}) {
    Matrix map(2, 2);
    map[0][0] = side, map[1][0] = -side;
    data.epochs.push_back(data.epochs.size());
    data.points.push_back(map);
    data.near.push_back({1, {1, 0}, {0.25f, 0.25f}});
  }
  return data;
}

TEST(WordsPage, IsTheSameForTheSameAndHoldsNoMarkupOfWords) {
  const std::string page = words_page(two_words());
  EXPECT_EQ(page, words_page(two_words()));
  EXPECT_EQ(page.find("one </script>"), page.npos);
  EXPECT_NE(page.find("one \\u003c/script>"), page.npos);
  EXPECT_EQ(page.find("<!--DATA-->"), page.npos);
  EXPECT_EQ(page.find("http://"), page.rfind("http://")) << "only the name of SVG";
}

TEST(WordsPage, TakesOnlyWhatBelongsTogether) {
  const auto refused = [](const char* says, auto change) {
    WordsPageData data = two_words();
    change(data);
    expect_error(Fault::argument, says, [&] { words_page(data); });
  };
  refused("for each of its 2 times", [](WordsPageData& d) { d.points.pop_back(); });
  refused("for each of its 0 times", [](WordsPageData& d) { d = {}; });
  refused("map 1 is not of two coordinates a word", [](WordsPageData& d) { d.points[1] = Matrix(3, 2); });
  refused("neighbours 1 are not of all words", [](WordsPageData& d) { d.near[1].id.pop_back(); });
}

}  // namespace
}  // namespace shoal
