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
    ReadCrossOptions o;
    o.file = folder_ / "t.csv", o.loss = loss, o.labels = known;
    return read_cross_rows(o, {});
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
  EXPECT_EQ(binary.columns, (std::vector<std::string>{"query", "passage"}));
  EXPECT_EQ(binary.target, "label");
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

TEST_F(CrossRowsTest, ColumnsAndRangesThatAreAskedFor) {
  std::ofstream(folder_ / "t.csv") << "x,one,label,two,s\n1,a,l,b,5\n2,c,l,d,0\n3,e,l,f,2.5\n";
  ReadCrossOptions o;
  o.file = folder_ / "t.csv", o.columns = {"one", "two"}, o.target = "s", o.score_range = "0,5";
  const CrossRows rows = read_cross_rows(o, {});
  EXPECT_EQ(rows.set.loss, CrossLoss::bce);
  EXPECT_EQ(shown(rows.set), "a-b:10 c-d:0 e-f:5 ");
  const auto refused = [&] { return std::string(error_of([&] { read_cross_rows(o, {}); }).what()); };
  o.score_range = "0,4";
  EXPECT_NE(refused().find("row 1 has 5 as s, which is not in"), std::string::npos) << refused();
  o.score_range = "5";
  EXPECT_NE(refused().find("two numbers are needed"), std::string::npos);
  o.score_range = "0,5", o.target = "label";
  EXPECT_NE(refused().find("read as names of labels"), std::string::npos) << refused();
  o.columns = {"one", "two", "x"}, o.target = "";
  EXPECT_NE(refused().find("score_range is of pairs with a label"), std::string::npos) << refused();
  o.target = "s", o.score_range = "";
  EXPECT_NE(refused().find("target is of pairs with a label"), std::string::npos) << refused();
  o.target = "";
  EXPECT_EQ(shown(read_cross_rows(o, {}).set), "a-b:10 a-1:0 c-d:10 c-2:0 e-f:10 e-3:0 ");
  o.columns = {"one", "three"};
  EXPECT_EQ(error_of([&] { read_cross_rows(o, {}); }).fault, Fault::argument);
  EXPECT_EQ(cross_loss_named("mse"), CrossLoss::mse);
  EXPECT_EQ(cross_loss_named("CrossEntropyLoss"), CrossLoss::ce);
  EXPECT_EQ(error_of([] { cross_loss_named("mnrl"); }).fault, Fault::argument);
}

TEST_F(CrossRowsTest, NumbersAsOtherTablesHaveThem) {
  const CrossRows gap = read("query,passage,label\na,b,1\nc,d,NA\ne,f,0\ng,h,null\n");
  EXPECT_EQ(gap.set.loss, CrossLoss::bce);
  EXPECT_EQ(shown(gap.set), "a-b:10 e-f:0 ");
  EXPECT_EQ(gap.blank, 2u);
  const CrossRows commas = read("query,passage,score\na,b,\"0,5\"\nc,d,\"0,25\"\ne,f,\"1,0\"\n");
  EXPECT_EQ(commas.set.loss, CrossLoss::bce);
  EXPECT_EQ(shown(commas.set), "a-b:5 c-d:2 e-f:10 ");
  const CrossRows signs = read("query,passage,label\na,b,1\nc,d,-1\n");
  EXPECT_EQ(signs.set.loss, CrossLoss::bce);
  EXPECT_TRUE(signs.yes_or_no);
  EXPECT_EQ(shown(signs.set), "a-b:10 c-d:0 ");
  EXPECT_EQ(shown(read("query,passage,label\na,b,1\nc,d,-1\n", CrossLoss::mse).set), "a-b:10 c-d:-10 ");
  // One word among numbers is a mistake, not a class.
  const Error odd = error_of([&] { read("query,passage,score\na,b,3\nc,d,4\ne,f,much\n"); });
  EXPECT_EQ(odd.fault, Fault::data);
  EXPECT_NE(std::string(odd.what()).find("row 3 has 'much'"), std::string::npos) << odd.what();
  EXPECT_EQ(read("query,passage,label\na,b,3\nc,d,4\n", CrossLoss::ce).labels.size(), 2u);
}

TEST_F(CrossRowsTest, KnownLabelsKeepTheirOrder) {
  const CrossRows rows =
      read("query,passage,label\na,b,one\nc,d,two\n", {}, std::vector<std::string>{"two", "zero", "one"});
  EXPECT_EQ(rows.set.loss, CrossLoss::ce);
  EXPECT_EQ(shown(rows.set), "a-b:20 c-d:0 ");
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
