#include "shoal/flow/scoring/cross_rows.h"

#include <gtest/gtest.h>

#include <fstream>

#include "shoal/core/error.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

class CrossRowsTest : public ::testing::Test {
 protected:
  CrossRows read(const std::string& text, std::optional<CrossLoss> loss = {},
                 const std::vector<std::string>& known = {}) const {
    std::ofstream(folder_ / "t.csv") << text;
    return read_cross_rows(folder_ / "t.csv", {}, loss, {}, {}, known);
  }
  static std::string shown(const CrossTrainingSet& set) {
    std::string out;
    for (Index i = 0; i < set.rows(); ++i)
      out += std::string(set.firsts[i]) + "-" + std::string(set.seconds[i]) + ":" +
             std::to_string(static_cast<int>(10 * set.targets[i][0])) + " ";
    return out;
  }
  const ScratchFolder folder_;
};

TEST_F(CrossRowsTest, LossesByWhatIsSaid) {
  const CrossRows binary = read("query,passage,label\na,b,yes\nc,d,no\n");
  EXPECT_EQ(binary.set.loss, CrossLoss::bce);
  EXPECT_EQ(shown(binary.set), "a-b:10 c-d:0 ");
  EXPECT_EQ(binary.columns, (std::vector<std::string>{"query", "passage", "label"}));
  const CrossRows shares = read("score,sentence1,sentence2\n0.3,a,b\n1,c,d\n");
  EXPECT_EQ(shares.set.loss, CrossLoss::bce);
  EXPECT_EQ(shown(shares.set), "a-b:3 c-d:10 ");
  EXPECT_EQ(read("a,b,c\nx,y,3.5\nx,z,-1\n").set.loss, CrossLoss::mse);
  EXPECT_EQ(read("a,b,c\nx,y,0\nx,z,1\n", CrossLoss::mse).set.loss, CrossLoss::mse);
  const CrossRows named = read("premise,hypothesis,label\na,b,neutral\nc,d,entails\ne,f,neutral\n");
  EXPECT_EQ(named.set.loss, CrossLoss::ce);
  EXPECT_EQ(named.labels, (std::vector<std::string>{"entails", "neutral"}));
  EXPECT_EQ(shown(named.set), "a-b:10 c-d:0 e-f:10 ");
}

TEST_F(CrossRowsTest, TripletsAreTheirPairs) {
  const CrossRows rows = read("anchor,positive,negative,negative_2\na,b,c,d\na,b,e,\na,c,f,b\n,x,y,z\n");
  EXPECT_EQ(rows.set.loss, CrossLoss::bce);
  // c is a positive of a elsewhere: it is no negative. So is b.
  EXPECT_EQ(shown(rows.set), "a-b:10 a-c:10 a-d:0 a-e:0 a-f:0 ");
  EXPECT_EQ(rows.set.numbers, (std::vector<Index>{1, 1, 1, 2, 3}));
  EXPECT_EQ(rows.blank, 1u);
  EXPECT_NE(rows.first_blank.find("row 4"), std::string::npos);
}

TEST_F(CrossRowsTest, LeavesOutAndRefuses) {
  const CrossRows rows = read("query,passage,label\na,b,1\n,d,0\ne,f,\ng,h,0\n");
  EXPECT_EQ(shown(rows.set), "a-b:10 g-h:0 ");
  EXPECT_EQ(rows.set.numbers, (std::vector<Index>{1, 4}));
  EXPECT_EQ(rows.blank, 2u);
  const auto refused = [&](const char* text, std::optional<CrossLoss> loss = {},
                           const std::vector<std::string>& known = {}) {
    return error_of([&] { read(text, loss, known); });
  };
  const auto says = [](const Error& error, const char* words) {
    return std::string(error.what()).find(words) != std::string::npos;
  };
  EXPECT_TRUE(says(refused("query,passage,label\na,b,1\nc,d,much\n", CrossLoss::bce), "row 2 has 'much'"));
  EXPECT_TRUE(says(refused("query,passage,label\na,b,one\nc,d,one\n"), "nothing to tell apart"));
  EXPECT_TRUE(says(refused("query,passage,label\na,b,one\nc,d,two\n", CrossLoss::ce, {"one", "three"}),
                   "row 2 has the label 'two'"));
  EXPECT_EQ(refused("query,passage,label\na,,1\n").fault, Fault::data);
  EXPECT_EQ(refused("a,b\nx,y\n").fault, Fault::argument);
}

}  // namespace
}  // namespace shoal
