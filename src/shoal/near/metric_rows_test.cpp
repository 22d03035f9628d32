#include "shoal/near/metric_rows_impl.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/near/centroids_impl.h"
#include "shoal/near/nearness_impl.h"
#include "shoal/near/select_rows.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Matrix draws(Index rows, Index cols, float far = 0) {
  const Random random({7});
  Matrix x(rows, cols);
  for (Index i = 0; i < rows * cols; ++i) x.data()[i] = far + static_cast<float>(random.normal(i));
  return x;
}

double length(std::span<const double> row) {
  return std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
}

TEST(MetricRows, UnitRowsAreNeitherCopiedNorChanged) {
  Matrix x = draws(40, 11);
  unit_rows(x.span());
  const MetricRows rows(x, Metric::cosine, {});
  RowScratch scratch;
  EXPECT_EQ(rows.block(3, 5, scratch).data, x[3].data());
  std::vector<double> row(11);
  rows.read(3, row, scratch);
  EXPECT_NEAR(length(row), 1, 1e-15);  // in double even what floats leave of the length is gone
}

TEST(MetricRows, OneLongRowLeavesTheOthersAlone) {
  Matrix x = draws(40, 11);
  unit_rows(x.span());
  for (float& v : x[4]) v *= 1e25f;
  std::ranges::fill(x[5], 0.0f);
  const MetricRows rows(x, Metric::cosine, {});
  RowScratch scratch;
  const MatrixView block = rows.block(3, 3, scratch);
  EXPECT_TRUE(std::ranges::equal(block[0], x[3]));
  EXPECT_NEAR(kernels().dot(block[1].data(), block[1].data(), 11), 1, 1e-6);
  EXPECT_TRUE(std::ranges::equal(block[2], x[5]));
  EXPECT_TRUE(rows.zero(5));
  EXPECT_FALSE(rows.zero(4));
}

TEST(MetricRows, FarRowsAreMovedToTheirMean) {
  const Matrix x = draws(3000, 3, 1e6f);
  const MetricRows rows(x, Metric::euclidean, {});
  ASSERT_EQ(rows.frame().shift.size(), 3u);
  for (const Index i : {Index{0}, Index{2999}}) EXPECT_LT(rows.squared_length(i), 100);
  const MetricRows near(draws(3000, 3), Metric::euclidean, {});
  EXPECT_TRUE(near.frame().shift.empty());
  EXPECT_EQ(near.frame().scale, 1);
}

TEST(MetricRows, WithinOneNoNumberIsAboveOne) {
  for (const float far : {0.0f, 1e6f, 1e30f, 3e-39f}) {
    Matrix x = draws(2100, 3);
    for (Index i = 0; i < 6300; ++i) x.data()[i] *= far == 0 ? 1 : far;
    const Matrix other = [&] {
      Matrix y(1, 3);
      y[0][1] = 3 * *std::max_element(x.data(), x.data() + 6300);
      return y;
    }();
    const ShiftScale frame = frame_within_one({x, other}, {});
    const Matrix moved = MetricRows(other, Metric::euclidean, frame, {}).to_matrix();
    EXPECT_LE(std::abs(moved[0][1]), 1) << far;
    EXPECT_GT(std::abs(moved[0][1]), 0.2) << far;
  }
}

TEST(MetricRows, WhatReadsInDoubleIsWhatABlockRounds) {
  const Matrix x = draws(300, 7, 3);
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    const MetricRows rows(x, metric, {});
    const Matrix all = rows.to_matrix(), some = rows.gather({299, 4});
    EXPECT_TRUE(std::ranges::equal(some[0], all[299]));
    EXPECT_TRUE(std::ranges::equal(some[1], all[4]));
    RowScratch scratch;
    std::vector<double> row(7);
    for (Index i = 0; i < 300; ++i) {
      rows.read(i, row, scratch);
      for (Index j = 0; j < 7; ++j) EXPECT_NEAR(row[j], all[i][j], 3e-7 * std::abs(row[j]) + 1e-9);
    }
  }
}

TEST(MetricRows, TheFirstBadRowIsNamed) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean}) {
    Matrix x = draws(5000, 4);
    x[4100][2] = std::numeric_limits<float>::infinity();
    x[3000][1] = std::numeric_limits<float>::quiet_NaN();
    const Error e = error_of([&] { MetricRows(x, metric, {}); });
    EXPECT_EQ(e.fault, Fault::data);
    EXPECT_NE(std::string(e.what()).find("row 3000, column 1: NaN"), std::string::npos) << e.what();
  }
}

TEST(MetricRows, AsRowsTheyAreTheSame) {
  Matrix x = draws(700, 5, 2);
  const Rows halves(700, 5, Dtype::f16,
                    [&](Index first, Index count, Matrix& scratch) {
                      if (scratch.rows() < count || scratch.cols() != 5) scratch = Matrix(count, 5);
                      std::copy_n(x[first].data(), count * 5, scratch.data());
                      return scratch.view().slice(0, count);
                    },
                    {});
  for (const bool unit : {true, false}) {  // unit rows are passed on as the source made them
    if (unit) unit_rows(x.span());
    const auto rows = std::make_shared<const MetricRows>(halves, Metric::cosine, shoal::Run{});
    const Rows as = as_rows(rows, {});
    EXPECT_TRUE(as.to_matrix() == rows->to_matrix());
    Matrix scratch;
    const MatrixView block = as.block(600, 50, scratch);
    const Matrix all = rows->to_matrix();
    EXPECT_TRUE(std::ranges::equal(block[49], all[649]));
    x = draws(700, 5, 2);
  }
}

TEST(Centroids, AreTheMeansOfTheRowsByHand) {
  Matrix x(5, 2);
  const float numbers[] = {1, 0, 3, 0, 0, 5, 9, 9, 0, -1};
  std::ranges::copy(numbers, x.data());
  const Labels labels{{0, 0, 1, kNoise, 1}, 2};
  const Matrix means = centroids(x, Metric::euclidean, labels, {});
  EXPECT_EQ(means[0][0], 2);
  EXPECT_EQ(means[1][1], 2);
  const Matrix directions = centroids(x, Metric::cosine, labels, {});
  EXPECT_EQ(directions[0][0], 1);
  EXPECT_EQ(directions[1][1], 0) << "two opposite rows have no direction";
  const Error e = error_of([&] { centroids(x, Metric::cosine, {labels.of, 3}, {}); });
  EXPECT_NE(std::string(e.what()).find("cluster 2 of 0..2 has no rows"), std::string::npos) << e.what();
}

TEST(Centroids, SameBitsForAnyThreads) {
  const Matrix x = draws(20000, 3);
  Labels labels{std::vector<Label>(20000), 7};
  for (Index i = 0; i < 20000; ++i) labels.of[i] = static_cast<Label>(i % 7);
  const MetricRows rows(x, Metric::cosine, {});
  const std::vector<double> one = label_sums(rows, labels, {.threads = 1});
  for (const unsigned threads : {2u, 3u}) EXPECT_EQ(label_sums(rows, labels, {.threads = threads}), one);
}

TEST(SelectRows, ReadThrough) {
  Matrix x(6, 2);
  for (Index i = 0; i < 6; ++i) x[i][0] = x[i][1] = static_cast<float>(i);
  const Matrix some = select_rows(x, {5, 0, 0, 3}).to_matrix();
  ASSERT_EQ(some.rows(), 4u);
  EXPECT_EQ(some[0][1], 5);
  EXPECT_EQ(some[2][0], 0);
  EXPECT_EQ(some[3][1], 3);
  EXPECT_THROW(select_rows(x, {6}), Error);
}

}  // namespace
}  // namespace shoal
