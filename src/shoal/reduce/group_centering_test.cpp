#include "shoal/reduce/group_centering.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

/// Unit rows: a topic's direction, a group's, and noise; group i % 3 and topic i % 4.
struct Sample {
  Matrix x;
  std::vector<Label> group, topic;
};
Sample sample(Index rows, Index d, double of_group) {
  const Random random({7});
  Sample out{Matrix(rows, d), {}, {}};
  for (Index i = 0; i < rows; ++i) {
    out.group.push_back(static_cast<Label>(i % 3));
    out.topic.push_back(static_cast<Label>(i % 4));
    double length = 0;
    std::vector<double> row(d);
    for (Index j = 0; j < d; ++j) {
      row[j] = of_group * random.normal(1'000'000 + (i % 3) * d + j) +
               random.normal(2'000'000 + (i % 4) * d + j) + 0.5 * random.normal(i * d + j);
      length += row[j] * row[j];
    }
    for (Index j = 0; j < d; ++j) out.x[i][j] = static_cast<float>(row[j] / std::sqrt(length));
  }
  return out;
}

const std::vector<std::string> kThree = {"de", "en", "русский"};

GroupCentering learnt(const Sample& s, GroupCenteringOptions options = {}) {
  GroupCentering out(kThree, options);
  out.update(s.x, s.group);
  return out;
}

double mean_cosine(const Matrix& x, const auto& which) {
  double sum = 0, n = 0;
  for (Index a = 0; a < x.rows(); ++a)
    for (Index b = 0; b < a; ++b) {
      if (!which(a, b)) continue;
      for (Index j = 0; j < x.cols(); ++j) sum += static_cast<double>(x[a][j]) * x[b][j];
      ++n;
    }
  return sum / n;
}

TEST(GroupCentering, RowsOfOneTopicComeTogether) {
  const Sample s = sample(240, 32, 2);
  const Matrix y = learnt(s).applied(s.x, s.group).to_matrix();
  const auto one_group = [&](Index a, Index b) {
    return s.group[a] == s.group[b] && s.topic[a] != s.topic[b];
  };
  const auto one_topic = [&](Index a, Index b) {
    return s.topic[a] == s.topic[b] && s.group[a] != s.group[b];
  };
  EXPECT_GT(mean_cosine(s.x, one_group), mean_cosine(s.x, one_topic));
  EXPECT_LT(mean_cosine(y, one_group), 0);
  EXPECT_GT(mean_cosine(y, one_topic), 0.6);
}

TEST(GroupCentering, WithoutShrinkingTheMeansAreTheGroupsOwn) {
  const Sample s = sample(30, 8, 1);
  const GroupCentering c = learnt(s, {.shrink = false});
  EXPECT_EQ(c.prior_rows(), 0);
  const Matrix means = c.means();
  const Matrix y = c.applied(s.x, s.group).to_matrix();
  for (Index j = 0; j < 8; ++j) {
    double mean = 0, all = 0;
    for (Index i = 0; i < 30; ++i) mean += i % 3 == 1 ? s.x[i][j] / 10 : 0, all += s.x[i][j] / 30;
    EXPECT_NEAR(means[1][j], mean, 1e-6);
    EXPECT_NEAR(means[3][j], all, 1e-6);
  }
  double length = 0, expected = 0;
  for (Index j = 0; j < 8; ++j) {
    length += static_cast<double>(y[4][j]) * y[4][j];
    expected += std::pow(static_cast<double>(s.x[4][j]) - means[1][j], 2);
  }
  EXPECT_NEAR(length, 1, 1e-6);
  EXPECT_NEAR(y[4][2], (s.x[4][2] - means[1][2]) / std::sqrt(expected), 1e-6);
}

TEST(GroupCentering, ShrinksByTheVariances) {
  // By hand: the variance within groups and that of their means, from the analysis of variance.
  const Sample s = sample(60, 16, 1);
  const GroupCentering c = learnt(s);
  const Matrix own = learnt(s, {.shrink = false}).means();
  double within = 0, between = 0;
  for (Index i = 0; i < 60; ++i)
    for (Index j = 0; j < 16; ++j) {
      within += std::pow(static_cast<double>(s.x[i][j]) - own[i % 3][j], 2);
      between += std::pow(static_cast<double>(own[i % 3][j]) - own[3][j], 2);
    }
  within /= 57;
  between = (between - 2 * within) / (60 - 3 * 400.0 / 60);
  ASSERT_GT(between, 0);
  EXPECT_NEAR(c.prior_rows(), within / between, 1e-4 * within / between);
  const double k = c.prior_rows();
  const Matrix means = c.means();
  EXPECT_NEAR(means[2][5], (20 * own[2][5] + k * own[3][5]) / (20 + k), 1e-6);
}

TEST(GroupCentering, GroupsThatDoNotDifferHaveTheMeanOfAll) {
  Matrix x(40, 4);
  for (Index i = 0; i < 40; ++i) x[i][(i / 2) % 4] = 1;  // both groups are the same
  GroupCentering c({"a", "b"});
  std::vector<Label> group;
  for (Index i = 0; i < 40; ++i) group.push_back(static_cast<Label>(i % 2));
  c.update(x, group);
  EXPECT_TRUE(std::isinf(c.prior_rows()));
  const Matrix means = c.means();
  for (const Index g : {0u, 1u, 2u}) EXPECT_FLOAT_EQ(means[g][1], 0.25f);
}

TEST(GroupCentering, BatchesAndArchivesChangeNoBit) {
  const Sample s = sample(300, 24, 1);
  GroupCentering parts(kThree, {.column = "language"}, {"de", "en", "ru"});
  EXPECT_EQ(parts.find("русский"), 2);
  EXPECT_EQ(parts.find("ru"), 2);
  EXPECT_EQ(parts.find("fr"), kNoise);
  EXPECT_EQ(parts.find(""), kNoise);
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 0}, {1, 200}, {201, 99}})
    parts.update(s.x.view().slice(first, count), {s.group.begin() + first, s.group.begin() + first + count},
                 {.threads = 3});
  const GroupCentering whole = learnt(s);
  EXPECT_EQ(parts.means(), whole.means());
  ArchiveWriter out(GroupCentering::kind);
  parts.save(out);
  const auto path = std::filesystem::path(::testing::TempDir()) / "centering.safetensors";
  out.write(path);
  const GroupCentering back = GroupCentering::load(ArchiveReader(path));
  EXPECT_EQ(back.groups(), kThree);
  EXPECT_EQ(back.find("ru"), 2);
  EXPECT_EQ(back.options().column, "language");
  EXPECT_EQ(back.rows_of(1), 100u);
  EXPECT_EQ(back.applied(s.x, s.group).to_matrix(), whole.applied(s.x, s.group).to_matrix());
}

TEST(GroupCentering, KeepsZerosAndTakesRowsOfNoGroup) {
  Sample s = sample(30, 8, 1);
  for (Index j = 0; j < 8; ++j) s.x[0][j] = 0;
  s.group[1] = kNoise;
  const GroupCentering c = learnt(s);
  EXPECT_EQ(c.count(), 30u);
  const Matrix y = c.applied(s.x, s.group).to_matrix();
  for (Index j = 0; j < 8; ++j) EXPECT_EQ(y[0][j], 0);
  EXPECT_EQ(c.out_space().id, "");
}

TEST(GroupCentering, RefusesWhatDoesNotFit) {
  const Sample s = sample(30, 8, 1);
  GroupCentering c = learnt(s);
  EXPECT_EQ(error_of([&] { c.update(s.x, {0, 1}); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { c.update(s.x, std::vector<Label>(30, 3)); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { c.applied(s.x, {0}); }).fault, Fault::data);
  Matrix bad = s.x;
  bad[3][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_of([&] { c.update(bad, s.group); }).fault, Fault::data);
  EXPECT_EQ(c.count(), 30u);
  EXPECT_EQ(error_of([] { GroupCentering none({}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([] { GroupCentering({"a"}).means(); }).fault, Fault::data);
}

}  // namespace
}  // namespace shoal
