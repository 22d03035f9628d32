#include "shoal/cluster/linkage/dendrogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"

namespace shoal {
namespace {

// Rows 0 and 3 join, then 1 and 2, then both.
const Dendrogram kFour{4, {{0, 3, 0.1, 2}, {1, 2, 0.2, 2}, {4, 5, 0.9, 4}}};

TEST(Dendrogram, CutsIntoAnyNumber) {
  EXPECT_EQ(kFour.cut(1).of, (std::vector<Label>{0, 0, 0, 0}));
  EXPECT_EQ(kFour.cut(2).of, (std::vector<Label>{0, 1, 1, 0}));
  EXPECT_EQ(kFour.cut(3).of, (std::vector<Label>{0, 1, 2, 0}));
  EXPECT_EQ(kFour.cut(4).of, (std::vector<Label>{0, 1, 2, 3}));
  for (Index k = 1; k <= 4; ++k) EXPECT_EQ(kFour.cut(k).count, k);
  EXPECT_THROW(kFour.cut(0), Error);
  EXPECT_THROW(kFour.cut(5), Error);
}

TEST(Dendrogram, CountsClustersAtAHeight) {
  EXPECT_EQ(kFour.clusters_at(0.05), 4u);
  EXPECT_EQ(kFour.clusters_at(0.1), 3u);
  EXPECT_EQ(kFour.clusters_at(0.5), 2u);
  EXPECT_EQ(kFour.clusters_at(1), 1u);
}

TEST(Dendrogram, OneRowAndNone) {
  EXPECT_EQ((Dendrogram{1, {}}.cut(1).of), std::vector<Label>{0});
  EXPECT_THROW(Dendrogram{}.cut(1), Error);
  EXPECT_NO_THROW(Dendrogram{}.check());
}

TEST(Dendrogram, ChecksWhatItIsMadeOf) {
  EXPECT_NO_THROW(kFour.check());
  const auto broken = [](Index merge, Merge m) {
    Dendrogram d = kFour;
    d.merges[merge] = m;
    EXPECT_THROW(d.check(), Error) << merge;
  };
  broken(0, {3, 0, 0.1, 2});           // wrong order
  broken(1, {0, 2, 0.2, 2});           // 0 is joined already
  broken(0, {0, 5, 0.1, 2});           // 5 is not there yet
  broken(2, {4, 5, 0.9, 3});           // 2 + 2 rows
  broken(2, {4, 5, std::nan(""), 4});  // no height
  EXPECT_THROW((Dendrogram{4, {}}.check()), Error);
}

}  // namespace
}  // namespace shoal
