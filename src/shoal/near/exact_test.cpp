#include "shoal/near/exact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stop_token>
#include <tuple>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Matrix random_rows(Index n, Index d, std::uint64_t seed = 1) {
  Matrix x(n, d);
  const Random random(Seed{seed});
  for (Index i = 0; i < n * d; ++i) x.data()[i] = static_cast<float>(2 * random.uniform(i) - 1);
  return x;
}

double naive_distance(std::span<const float> a, std::span<const float> b, Metric metric) {
  double ab = 0, aa = 0, bb = 0, square = 0;
  for (Index j = 0; j < a.size(); ++j) {
    ab += static_cast<double>(a[j]) * b[j];
    aa += static_cast<double>(a[j]) * a[j];
    bb += static_cast<double>(b[j]) * b[j];
    square += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
  }
  if (metric == Metric::euclidean) return std::sqrt(square);
  return aa == 0 || bb == 0 ? 1 : 1 - ab / std::sqrt(aa * bb);
}

// The k nearest of `query` by plain sorting; `skip` is not a candidate.
std::vector<std::uint32_t> naive(const Matrix& x, std::span<const float> query, Index k, Metric metric,
                                 Index skip = std::numeric_limits<Index>::max()) {
  std::vector<std::pair<double, std::uint32_t>> all;
  for (Index j = 0; j < x.rows(); ++j)
    if (j != skip) all.emplace_back(naive_distance(query, x[j], metric), static_cast<std::uint32_t>(j));
  std::sort(all.begin(), all.end());
  std::vector<std::uint32_t> ids;
  for (Index j = 0; j < k; ++j) ids.push_back(all[j].second);
  return ids;
}

std::vector<std::uint32_t> ids(const Neighbours& near, Index row) {
  return {near.id.begin() + row * near.k, near.id.begin() + (row + 1) * near.k};
}

Matrix make(Index cols, std::initializer_list<float> values) {
  Matrix x(values.size() / cols, cols);
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

TEST(Exact, OnALine) {
  const Matrix x = make(1, {0, 1, 3, 7});
  const Neighbours near = nearest_neighbours(x, 2, Metric::euclidean, {});
  EXPECT_EQ(near.rows(), 4u);
  EXPECT_EQ(near.id, (std::vector<std::uint32_t>{1, 2, 0, 2, 1, 0, 2, 1}));
  EXPECT_EQ(near.distance, (std::vector<float>{1, 3, 1, 2, 2, 3, 4, 6}));
}

TEST(Exact, AnglesAndZeroRows) {
  const Matrix x = make(2, {1, 0, 5, 0, 0, 2, -3, 0, 0, 0});
  const Neighbours near = nearest_neighbours(x, 4, Metric::cosine, {});
  EXPECT_EQ(ids(near, 0), (std::vector<std::uint32_t>{1, 2, 4, 3}));
  EXPECT_EQ(std::vector<float>(near.distance.begin(), near.distance.begin() + 4),
            (std::vector<float>{0, 1, 1, 2}));
  EXPECT_EQ(ids(near, 4), (std::vector<std::uint32_t>{0, 1, 2, 3}));
  for (Index j = 0; j < 4; ++j) EXPECT_EQ(near.distance[4 * 4 + j], 1);
}

TEST(Exact, AgreesWithSorting) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean})
    for (const auto& [n, d, k] :
         {std::tuple<Index, Index, Index>{2, 3, 1}, {17, 1, 5}, {64, 5, 63}, {257, 33, 1}, {700, 16, 15}}) {
      const Matrix x = random_rows(n, d);
      const Neighbours near = nearest_neighbours(x, k, metric, {});
      ASSERT_EQ(near.rows(), n);
      if (metric == Metric::cosine && d == 1) continue;  // every distance is 0 or 2
      for (Index i = 0; i < n; ++i) {
        EXPECT_EQ(ids(near, i), naive(x, x[i], k, metric, i)) << name_of(metric) << ' ' << n << " row " << i;
        for (Index j = 0; j < k; ++j)
          EXPECT_NEAR(near.distance[i * k + j], naive_distance(x[i], x[near.id[i * k + j]], metric), 1e-5);
      }
    }
}

TEST(Exact, QueriesAgreeWithSorting) {
  const Matrix x = random_rows(600, 20), queries = random_rows(300, 20, 2);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Neighbours near = nearest(x, queries, 7, metric, {});
    ASSERT_EQ(near.rows(), 300u);
    for (Index i = 0; i < 300; ++i) EXPECT_EQ(ids(near, i), naive(x, queries[i], 7, metric));
  }
  EXPECT_EQ(nearest(x, Matrix(0, 20), 3, Metric::cosine, {}).rows(), 0u);
}

TEST(Exact, AQueryAloneOrInABatch) {
  const Matrix x = random_rows(500, 40), queries = random_rows(270, 40, 3);
  const Neighbours all = nearest(x, queries, 9, Metric::cosine, {});
  for (Index i : {0u, 100u, 269u}) {
    const Neighbours one = nearest(x, queries.view().slice(i, 1), 9, Metric::cosine, {});
    EXPECT_EQ(one.id, ids(all, i));
    EXPECT_TRUE(std::equal(one.distance.begin(), one.distance.end(), all.distance.begin() + i * 9));
  }
}

TEST(Exact, EqualRowsBySmallestId) {
  Matrix x(600, 8);
  for (Index i = 0; i < 600; ++i)
    for (Index j = 0; j < 8; ++j) x[i][j] = 0.1f * static_cast<float>(j + 1);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Neighbours near = nearest_neighbours(x, 3, metric, {});
    EXPECT_EQ(ids(near, 0), (std::vector<std::uint32_t>{1, 2, 3}));
    EXPECT_EQ(ids(near, 1), (std::vector<std::uint32_t>{0, 2, 3}));
    EXPECT_EQ(ids(near, 599), (std::vector<std::uint32_t>{0, 1, 2}));
    for (float distance : near.distance) EXPECT_EQ(distance, 0);
  }
}

TEST(Exact, FarFromTheOrigin) {  // |a|^2 + |b|^2 - 2ab would lose everything here
  const Matrix x = make(1, {1e6f, 1e6f + 1, 1e6f + 3, 1e6f + 7});
  const Neighbours near = nearest_neighbours(x, 2, Metric::euclidean, {});
  EXPECT_EQ(near.id, (std::vector<std::uint32_t>{1, 2, 0, 2, 1, 0, 2, 1}));
}

TEST(Exact, VeryLongAndVeryShortRows) {
  const Matrix directions = random_rows(50, 6);
  const Neighbours as_is = nearest_neighbours(directions, 5, Metric::cosine, {});
  Matrix x = directions;
  for (Index i = 0; i < 50; ++i)
    for (float& v : x[i]) v *= i % 2 == 0 ? 1e25f : 1e-25f;
  EXPECT_EQ(nearest_neighbours(x, 5, Metric::cosine, {}).id, as_is.id);

  const Neighbours euclidean = nearest_neighbours(directions, 5, Metric::euclidean, {});
  for (const float factor : {1e30f, 1e-30f}) {
    x = directions;
    for (Index i = 0; i < 50; ++i)
      for (float& v : x[i]) v *= factor;
    const Neighbours scaled = nearest_neighbours(x, 5, Metric::euclidean, {});
    EXPECT_EQ(scaled.id, euclidean.id);
    EXPECT_NEAR(scaled.distance[0] / factor, euclidean.distance[0], 1e-5);
  }
}

TEST(Exact, SameBitsForAnyThreads) {
  const Matrix x = random_rows(1500, 24), queries = random_rows(400, 24, 2);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const Neighbours all = nearest_neighbours(x, 10, metric, {.threads = 1});
    const Neighbours some = nearest(x, queries, 10, metric, {.threads = 1});
    for (unsigned threads : {2u, 3u, 8u}) {
      const Neighbours again = nearest_neighbours(x, 10, metric, {.threads = threads});
      EXPECT_EQ(again.id, all.id);
      EXPECT_EQ(again.distance, all.distance);
      const Neighbours asked = nearest(x, queries, 10, metric, {.threads = threads});
      EXPECT_EQ(asked.id, some.id);
      EXPECT_EQ(asked.distance, some.distance);
    }
  }
}

TEST(Exact, HalvesAreReadAsRows) {
  const Matrix x = random_rows(300, 12);
  const Rows rows(300, 12, Dtype::f16,
                  [&](Index first, Index count, Matrix& scratch) {
                    scratch = Matrix(count, 12);
                    std::copy_n(x[first].data(), count * 12, scratch.data());
                    return scratch.view();
                  },
                  {});
  EXPECT_EQ(nearest_neighbours(rows, 4, Metric::cosine, {}).id,
            nearest_neighbours(x, 4, Metric::cosine, {}).id);
}

TEST(Exact, Refusals) {
  const Matrix x = random_rows(5, 3);
  for (Index k : {0u, 5u, 6u})
    EXPECT_EQ(fault_of([&] { nearest_neighbours(x, k, Metric::cosine, {}); }), Fault::argument);
  EXPECT_EQ(fault_of([&] { nearest_neighbours(Matrix(0, 3), 1, Metric::cosine, {}); }), Fault::argument);
  EXPECT_EQ(fault_of([&] { nearest(x, random_rows(2, 4), 1, Metric::cosine, {}); }), Fault::argument);
  EXPECT_EQ(fault_of([&] { nearest(x, x, 6, Metric::cosine, {}); }), Fault::argument);
  const Rows one(x, {.id = "one", .dims = 3}), other(x, {.id = "other", .dims = 3});
  EXPECT_EQ(fault_of([&] { nearest(one, other, 1, Metric::cosine, {}); }), Fault::data);
  Matrix bad = x;
  bad[3][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(fault_of([&] { nearest_neighbours(bad, 1, Metric::cosine, {}); }), Fault::data);
  EXPECT_EQ(fault_of([&] { nearest(x, bad, 1, Metric::euclidean, {}); }), Fault::data);
  const Matrix huge = make(1, {3e38f, -3e38f, 3e38f});
  EXPECT_EQ(fault_of([&] { nearest_neighbours(huge, 1, Metric::euclidean, {}); }), Fault::data);
}

TEST(Exact, StopsAndReports) {
  const Matrix x = random_rows(2000, 8);
  std::stop_source source;
  double last = 0;
  const shoal::Run run{
      .threads = 2, .stop = source.get_token(), .progress = [&](auto step, double done, double of) {
        EXPECT_EQ(step, "neighbours");
        last = done / of;
      }};
  nearest_neighbours(x, 3, Metric::cosine, run);
  EXPECT_EQ(last, 1);
  source.request_stop();
  EXPECT_EQ(fault_of([&] { nearest_neighbours(x, 3, Metric::cosine, run); }), Fault::cancelled);
}

TEST(Exact, MetricNames) {
  for (const Metric m : {Metric::cosine, Metric::euclidean}) EXPECT_EQ(named<Metric>(name_of(m)), m);
  EXPECT_EQ(named<Metric>("manhattan"), std::nullopt);
}

}  // namespace
}  // namespace shoal
