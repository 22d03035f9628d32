// Silhouettes, Davies-Bouldin and the rest against scikit-learn and against plain loops over all pairs.
#include "shoal/measure/separation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/measure/silhouette.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

using Json = nlohmann::json;
constexpr double kWorst = std::numeric_limits<double>::infinity();
constexpr Metric kMetrics[] = {Metric::cosine, Metric::euclidean};

/// Rows around `clusters` centres, with labels that are right for most; some are noise.
struct Data {
  Matrix x;
  Labels labels;
};
Data blobs(Index rows, Index cols, Index clusters, double noise = 0.1, float offset = 0) {
  const Random random({5});
  Data d{Matrix(rows, cols), {std::vector<Label>(rows), clusters}};
  for (Index i = 0; i < rows; ++i) {
    const Index c = random.below(7000000 + i, clusters);
    for (Index j = 0; j < cols; ++j)
      d.x[i][j] = offset + static_cast<float>(2 * random.normal(90000000 + c * cols + j) +
                                              random.normal(i * cols + j));
    d.labels.of[i] = static_cast<Label>(random.uniform(8000000 + i) < 0.1 ? random.below(i, clusters) : c);
    if (random.uniform(9000000 + i) < noise) d.labels.of[i] = kNoise;
  }
  return d;
}

double naive_distance(const Matrix& x, Index a, Index b, Metric metric) {
  double aa = 0, bb = 0, ab = 0, squared = 0;
  for (Index j = 0; j < x.cols(); ++j) {
    const double p = x[a][j], q = x[b][j];
    aa += p * p, bb += q * q, ab += p * q, squared += (p - q) * (p - q);
  }
  if (metric == Metric::euclidean) return std::sqrt(squared);
  if (a == b) return 0;
  return aa == 0 || bb == 0 ? 1 : 1 - ab / std::sqrt(aa) / std::sqrt(bb);
}

double naive_silhouette(const Matrix& x, const Labels& labels, Index row, Metric metric) {
  std::vector<double> sum(labels.count), size(labels.count);
  for (Index i = 0; i < x.rows(); ++i)
    if (labels.of[i] != kNoise) {
      sum[labels.of[i]] += naive_distance(x, row, i, metric);
      ++size[labels.of[i]];
    }
  const auto own = static_cast<Index>(labels.of[row]);
  if (size[own] == 1) return 0;
  const double a = sum[own] / (size[own] - 1);
  double b = std::numeric_limits<double>::infinity();
  for (Index c = 0; c < labels.count; ++c)
    if (c != own && size[c] > 0) b = std::min(b, sum[c] / size[c]);
  return (b - a) / std::max(a, b);
}

/// As published: rows, centres and all pairs of them in plain loops.
double naive_davies_bouldin(const Matrix& x, const Labels& labels, Metric metric) {
  const Index cols = x.cols();
  const bool cosine = metric == Metric::cosine;
  const auto length = [&](const std::vector<double>& v) {
    double sum = 0;
    for (const double a : v) sum += a * a;
    return std::sqrt(sum);
  };
  const auto apart = [&](const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, squared = 0;
    for (Index j = 0; j < cols; ++j) ab += a[j] * b[j], squared += (a[j] - b[j]) * (a[j] - b[j]);
    return cosine ? 1 - ab / length(a) / length(b) : std::sqrt(squared);
  };
  std::vector<std::vector<double>> rows(x.rows()), centre(labels.count, std::vector<double>(cols));
  std::vector<double> size(labels.count), spread(labels.count);
  for (Index i = 0; i < x.rows(); ++i) {
    if (labels.of[i] == kNoise) continue;
    rows[i].assign(x[i].begin(), x[i].end());
    const double scale = cosine ? 1 / length(rows[i]) : 1;
    ++size[labels.of[i]];
    for (Index j = 0; j < cols; ++j) centre[labels.of[i]][j] += rows[i][j] * scale;
  }
  for (Index c = 0; c < labels.count; ++c)
    for (double& v : centre[c]) v /= size[c];
  for (Index i = 0; i < x.rows(); ++i)
    if (labels.of[i] != kNoise)
      spread[labels.of[i]] += apart(rows[i], centre[labels.of[i]]) / size[labels.of[i]];
  double sum = 0;
  for (Index a = 0; a < labels.count; ++a) {
    double worst = 0;
    for (Index b = 0; b < labels.count; ++b)
      if (a != b) worst = std::max(worst, (spread[a] + spread[b]) / apart(centre[a], centre[b]));
    sum += worst / static_cast<double>(labels.count);
  }
  return sum;
}

TEST(Silhouette, AnswerMadeByHand) {
  Matrix x(4, 1);
  x[0][0] = 0, x[1][0] = 1, x[2][0] = 4, x[3][0] = 9;
  const Silhouette s = silhouette(x, {{0, 0, 1, kNoise}, 3}, Metric::euclidean);
  EXPECT_NEAR(s.of_row[0], (4 - 1) / 4.0, 1e-7);
  EXPECT_NEAR(s.of_row[1], (3 - 1) / 3.0, 1e-7);
  EXPECT_EQ(s.of_row[2], 0);  // alone
  EXPECT_TRUE(std::isnan(s.of_row[3]));
  EXPECT_NEAR(s.mean, (3 / 4.0 + 2 / 3.0) / 3, 1e-7);
  EXPECT_NEAR(s.of_cluster[0], (3 / 4.0 + 2 / 3.0) / 2, 1e-7);
  EXPECT_EQ(s.of_cluster[1], 0);
  EXPECT_TRUE(std::isnan(s.of_cluster[2]));
}

TEST(Separation, AnswerMadeByHand) {
  Matrix x(5, 1);
  x[0][0] = 0, x[1][0] = 2, x[2][0] = 10, x[3][0] = 10, x[4][0] = 13;
  const Separation s = judge_labels(x, {{0, 0, 1, 1, 1}, 2}, {.metric = Metric::euclidean});
  EXPECT_EQ(s.n_clusters, 2u);
  EXPECT_EQ(s.rows, 5u);
  EXPECT_EQ(s.smallest, 2u);
  EXPECT_EQ(s.largest, 3u);
  EXPECT_NEAR(s.balance, -(0.4 * std::log(0.4) + 0.6 * std::log(0.6)) / std::log(2.0), 1e-15);
  EXPECT_NEAR(s.inertia, 2 + 6, 1e-12);
  EXPECT_NEAR(s.davies_bouldin, (1 + 4.0 / 3) / 10, 1e-12);  // centres 1 and 11
  EXPECT_NEAR(s.calinski_harabasz, (2 * 36 + 3 * 16) / (8 / 3.0), 1e-9);
  EXPECT_FALSE(judge_labels(x, {{0, 0, 1, 1, 1}, 2}, {.silhouette = false}).silhouette.has_value());
}

TEST(Separation, EqualsScikitLearn) {
  std::ifstream in(SHOAL_SOURCE "/tests/golden/separation.json");
  const Json cases = Json::parse(in).at("cases");
  ASSERT_EQ(cases.size(), 5u);
  for (const Json& c : cases) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const std::vector<float> values = c.at("x");
    const Index cols = c.at("cols");
    const Rows x(MatrixView{values.data(), values.size() / cols, cols, cols});
    Labels labels{c.at("labels"), 0};
    for (const Label l : labels.of) labels.count = std::max(labels.count, static_cast<Index>(l + 1));
    for (const Metric metric : kMetrics) {
      const std::string name = name_of(metric);
      const Silhouette s = silhouette(x, labels, metric);
      EXPECT_NEAR(s.mean, c.at("silhouette_" + name).get<double>(), 1e-6) << name;
      for (Index i = 0; i < x.rows(); ++i) {
        const Json& value = c.at("of_row_" + name)[i];
        ASSERT_EQ(std::isnan(s.of_row[i]), value.is_null()) << i;
        if (!value.is_null()) {
          EXPECT_NEAR(s.of_row[i], value.get<double>(), 1e-6) << name << " row " << i;
        }
      }
      const Separation judged = judge_labels(x, labels, {.metric = metric});
      EXPECT_NEAR(*judged.silhouette, s.mean, 1e-12);
      for (const auto& [measure, value] : {std::pair{"davies_bouldin", judged.davies_bouldin},
                                           {"davies_bouldin_cosine", judged.davies_bouldin_cosine},
                                           {"calinski_harabasz", judged.calinski_harabasz},
                                           {"inertia", judged.inertia}}) {
        const double theirs = c.at(measure).get<double>();
        EXPECT_NEAR(value, theirs, 1e-9 * std::abs(theirs)) << measure;
      }
    }
  }
}

TEST(Separation, EqualsPlainLoops) {
  for (const float offset : {0.0f, 30.0f}) {
    const Data d = blobs(700, 33, 9, 0.1, offset);
    for (const Metric metric : kMetrics) {
      const Silhouette s = silhouette(d.x, d.labels, metric);
      const double tolerance = metric == Metric::cosine ? 1e-9 : 1e-6;
      double sum = 0, rows = 0;
      for (Index i = 0; i < d.x.rows(); ++i) {
        if (d.labels.of[i] == kNoise) continue;
        const double naive = naive_silhouette(d.x, d.labels, i, metric);
        EXPECT_NEAR(s.of_row[i], naive, tolerance) << name_of(metric) << i;
        sum += naive, ++rows;
      }
      EXPECT_NEAR(s.mean, sum / rows, metric == Metric::cosine ? 1e-10 : 1e-7);
    }
    const Separation s = judge_labels(d.x, d.labels);
    EXPECT_NEAR(s.davies_bouldin, naive_davies_bouldin(d.x, d.labels, Metric::euclidean), 1e-10);
    EXPECT_NEAR(s.davies_bouldin_cosine, naive_davies_bouldin(d.x, d.labels, Metric::cosine), 1e-8);
  }
}

// More rows than one chunk and one block, so that partial sums are folded and tiles are cut.
TEST(Separation, SameBitsForAnyNumberOfThreads) {
  const Data d = blobs(5000, 20, 30);
  for (const Metric metric : kMetrics) {
    const Separation one = judge_labels(d.x, d.labels, {.metric = metric}, {.threads = 1});
    const Separation four = judge_labels(d.x, d.labels, {.metric = metric}, {.threads = 4});
    EXPECT_EQ(*one.silhouette, *four.silhouette);
    EXPECT_EQ(one.davies_bouldin, four.davies_bouldin);
    EXPECT_EQ(one.davies_bouldin_cosine, four.davies_bouldin_cosine);
    EXPECT_EQ(one.calinski_harabasz, four.calinski_harabasz);
    EXPECT_EQ(one.inertia, four.inertia);
  }
}

void expect_same(const Separation& a, const Separation& b) {
  EXPECT_EQ(a.n_clusters, b.n_clusters);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.smallest, b.smallest);
  EXPECT_EQ(a.largest, b.largest);
  EXPECT_NEAR(a.balance, b.balance, 1e-12);
  EXPECT_NEAR(*a.silhouette, *b.silhouette, 1e-9);
  EXPECT_NEAR(a.davies_bouldin, b.davies_bouldin, 1e-9);
  EXPECT_NEAR(a.davies_bouldin_cosine, b.davies_bouldin_cosine, 1e-9);
  EXPECT_NEAR(a.calinski_harabasz / b.calinski_harabasz, 1, 1e-9);
  EXPECT_NEAR(a.inertia / b.inertia, 1, 1e-9);
}

TEST(Separation, EveryJoinIsJudgedAsIfAlone) {
  const Data d = blobs(1500, 16, 14);
  const std::vector<Join> joins{{3, 5}, {13, 0}, {3, 13}, {6, 7}, {1, 6}, {1, 3}, {2, 4}, {8, 9}, {8, 2}};
  for (const Metric metric : kMetrics) {
    const auto all = judge_joins(d.x, d.labels, joins, {.metric = metric});
    ASSERT_EQ(all.size(), joins.size() + 1);
    Labels labels = d.labels;
    for (Index i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(i);
      expect_same(all[i], judge_labels(d.x, labels, {.metric = metric}));
      if (i < joins.size()) std::ranges::replace(labels.of, joins[i].from, joins[i].into);
    }
  }
}

TEST(Separation, IsTheSameForRowsWhoseSquaresLeaveTheRangeOfFloat) {
  Data d = blobs(300, 8, 5);
  const Separation near = judge_labels(d.x, d.labels, {.metric = Metric::euclidean});
  for (Index i = 0; i < 300 * 8; ++i) d.x.data()[i] *= 0x1p70f;
  Separation far = judge_labels(d.x, d.labels, {.metric = Metric::euclidean});
  far.inertia *= 0x1p-140;
  expect_same(near, far);
}

TEST(Separation, EqualRowsAreAtNoDistance) {
  Matrix x(9, 6);
  for (Index i = 0; i < 9; ++i)
    for (Index j = 0; j < 6; ++j)
      x[i][j] = static_cast<float>(0.1 * static_cast<double>((i / 3 + 1) * (j + i / 3 + 1)));
  const Labels right{{0, 0, 0, 1, 1, 1, 2, 2, 2}, 3}, split{{0, 0, 3, 1, 1, 1, 2, 2, 2}, 4};
  for (const Metric metric : kMetrics) {
    EXPECT_EQ(silhouette(x, right, metric).mean, 1) << name_of(metric);
    EXPECT_EQ(silhouette(x, split, metric).of_row[0], 0) << name_of(metric);  // 0 to its own as to the next
  }
  const Separation s = judge_labels(x, right);
  EXPECT_EQ(s.inertia, 0);
  EXPECT_EQ(s.calinski_harabasz, 1);
  EXPECT_NEAR(s.davies_bouldin, 0, 1e-12);
  EXPECT_EQ(judge_labels(x, split).davies_bouldin, kWorst);  // two centres at one place, without any width
  EXPECT_EQ(judge_labels(x, split).davies_bouldin_cosine, kWorst);
}

// Clusters that lie in each other are the worst there are, whatever the others look like.
TEST(Separation, ClustersWithOneCentreAreTheWorst) {
  Matrix x(10, 3);
  for (Index i = 0; i < 10; ++i) {
    const bool far = i >= 8;
    x[i][0] = far ? 50 : 1;
    x[i][1] = far ? -90 : static_cast<float>(i % 2 == 0 ? 1 : -1) * static_cast<float>(1 + i / 4);
    x[i][2] = 1;
  }
  const Labels two{{0, 0, 0, 0, 1, 1, 1, 1, kNoise, kNoise}, 2}, three{{0, 0, 0, 0, 1, 1, 1, 1, 2, 2}, 3};
  for (const Labels& labels : {two, three}) {
    const Separation s = judge_labels(x, labels);
    EXPECT_EQ(s.davies_bouldin, kWorst);
    EXPECT_EQ(s.davies_bouldin_cosine, kWorst);
  }
  Matrix near = x;  // centres that differ by the last digit of a float
  near[0][1] = std::nextafter(near[0][1], 2.0f);
  EXPECT_GT(judge_labels(near, two).davies_bouldin, 1e6);
  // Far from the origin the last digit is no distance, and cosine sees no direction.
  for (Index i = 0; i < 8; ++i) x[i][0] = 1e8f;
  EXPECT_EQ(judge_labels(x, three).davies_bouldin, kWorst);
  EXPECT_EQ(judge_labels(x, three).davies_bouldin_cosine, kWorst);
  // After a join the two are one, and the index is of the rest.
  const auto all = judge_joins(x, three, {{0, 1}});
  EXPECT_EQ(all[0].davies_bouldin, kWorst);
  EXPECT_TRUE(std::isfinite(all[1].davies_bouldin));
}

TEST(Separation, RefusesWhatCannotBeMeasured) {
  const Data d = blobs(20, 3, 2, 0);
  const auto says = [&](const Labels& labels, Fault fault, const std::string& message) {
    const Error e = error_of([&] { judge_labels(d.x, labels); });
    EXPECT_EQ(e.fault, fault);
    EXPECT_EQ(e.what(), message);
    EXPECT_EQ(error_of([&] { silhouette(d.x, labels, Metric::cosine); }).what(), message);
  };
  says({{0, 1}, 2}, Fault::data, "there are 2 labels for 20 rows; there must be one a row");
  says({std::vector<Label>(20, 2), 2}, Fault::data,
       "the label of row 0 is 2; allowed: 0..2 without the last, or -1 for none");
  says({std::vector<Label>(20, 1), 4}, Fault::data,
       "clusters with rows: 1; to say how far clusters are apart takes at least 2");
  says({std::vector<Label>(20, kNoise), 0}, Fault::data,
       "clusters with rows: 0; to say how far clusters are apart takes at least 2");
  Matrix broken = d.x;
  broken[7][1] = std::nanf("");
  EXPECT_EQ(error_of([&] { judge_labels(broken, d.labels); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { silhouette(broken, d.labels, Metric::euclidean); }).fault, Fault::data);
  const Data four = blobs(60, 3, 4, 0);
  for (const std::vector<Join>& joins : std::vector<std::vector<Join>>{
           {{0, 4}}, {{-1, 2}}, {{1, 1}}, {{0, 1}, {2, 1}}, {{0, 1}, {0, 2}, {0, 3}}})
    EXPECT_EQ(error_of([&] { judge_joins(four.x, four.labels, joins); }).fault, Fault::argument);
}

TEST(Separation, StopsWhenAsked) {
  const Data d = blobs(3000, 8, 4);
  std::stop_source stop;
  stop.request_stop();
  for (const Metric metric : kMetrics)
    EXPECT_EQ(error_of([&] { silhouette(d.x, d.labels, metric, {.stop = stop.get_token()}); }).fault,
              Fault::cancelled);
}

}  // namespace
}  // namespace shoal
