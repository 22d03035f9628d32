#include "shoal/map/arrange_names.h"

#include <gtest/gtest.h>

#include "shoal/core/random.h"
#include "shoal/map/text_width.h"

namespace shoal {
namespace {

TEST(TextWidth, CountsLettersNotBytes) {
  EXPECT_DOUBLE_EQ(text_width(""), 0);
  EXPECT_NEAR(text_width("mm"), 2.084, 1e-9);
  EXPECT_NEAR(text_width("\xe4\xb8\xad\xe6\x96\x87"), 2.1, 1e-9) << "two Han letters";
  EXPECT_NEAR(text_width("e\xcc\x81"), text_width("e"), 1e-9) << "a joined accent takes no room";
  EXPECT_GT(text_width("\xff"), 0) << "U+FFFD is drawn";
}

TEST(Wrapped, BreaksAtDotsFirstAndEvenly) {
  EXPECT_EQ(wrapped("dns \xc2\xb7 server", 14), (std::vector<std::string>{"dns \xc2\xb7 server"}));
  EXPECT_EQ(wrapped("late deliveries \xc2\xb7 refunds", 11),
            (std::vector<std::string>{"late deliveries", "refunds"}));
  EXPECT_TRUE(wrapped("", 10).empty());
  EXPECT_TRUE(wrapped("   ", 10).empty());
  const auto many =
      wrapped("one \xc2\xb7 two \xc2\xb7 three \xc2\xb7 four \xc2\xb7 five \xc2\xb7 six seven eight", 4);
  ASSERT_EQ(many.size(), 3u);
  EXPECT_TRUE(many[2].ends_with("\xe2\x80\xa6"));
  const auto longest = wrapped(std::string(200, 'w'), 10);
  ASSERT_EQ(longest.size(), 1u);
  EXPECT_LE(text_width(longest[0]), 14);
  EXPECT_TRUE(longest[0].ends_with("\xe2\x80\xa6"));
}

TEST(ArrangeNames, NoneTouchesAnotherAndAllAreInsideTheFrame) {
  const Random random(Seed{1});
  const Frame frame{10, 20, 810, 620};
  std::vector<NameToPlace> names;
  for (Index i = 0; i < 300; ++i)
    names.push_back({"name " + std::to_string(i) + " \xc2\xb7 of a cluster", 820 * random.uniform(2 * i),
                     640 * random.uniform(2 * i + 1), i < 10 ? 20.0 : 12.0, 14});
  const auto placed = arrange_names(names, frame, 1);
  EXPECT_GT(placed.size(), 30u);
  for (Index i = 0; i < placed.size(); ++i) {
    const Frame& a = placed[i].box;
    EXPECT_GE(a.left, frame.left);
    EXPECT_LE(a.right, frame.right);
    EXPECT_GE(a.top, frame.top);
    EXPECT_LE(a.bottom, frame.bottom);
    for (const std::string& line : placed[i].lines)
      EXPECT_LE(text_width(line) * placed[i].size, a.right - a.left + 1e-9);
    for (Index j = 0; j < i; ++j) {
      const Frame& b = placed[j].box;
      EXPECT_FALSE(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
          << i << " " << j;
    }
  }
}

TEST(ArrangeNames, TheFirstWinsAndOneBesideItMovesAside) {
  const Frame frame{0, 0, 400, 400};
  const auto both = arrange_names({{"first", 200, 200, 12, 14}, {"second", 200, 204, 12, 14}}, frame, 1);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_NEAR(both[0].middle(), 200, 1e-9);
  EXPECT_NEAR((both[0].box.top + both[0].box.bottom) / 2, 200, 1e-9);
  EXPECT_NE(both[1].box.top, both[0].box.top);
  std::vector<NameToPlace> same(9, {"same place", 200, 200, 12, 14});
  EXPECT_LT(arrange_names(same, frame, 1).size(), 4u);
  EXPECT_EQ(arrange_names(same, frame, 0).size(), 1u) << "what covers too much ends it";
}

TEST(ArrangeNames, LeavesOutWhatHasNoPlaceOrNoRoom) {
  const Frame frame{0, 0, 100, 100};
  EXPECT_TRUE(arrange_names({{"", 50, 50, 12, 14}}, frame, 1).empty());
  EXPECT_TRUE(arrange_names({{"outside", 150, 50, 12, 14}}, frame, 1).empty());
  EXPECT_TRUE(arrange_names({{"wider than the frame", 50, 50, 40, 14}}, frame, 1).empty());
  const auto edge = arrange_names({{"edge", 99, 1, 12, 14}}, frame, 1);
  ASSERT_EQ(edge.size(), 1u);
  EXPECT_LE(edge[0].box.right, 100) << "moved inside, not cut";
}

}  // namespace
}  // namespace shoal
