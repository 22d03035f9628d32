#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/linear/product.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// A centroid and how near it is: the cosine, or minus the squared distance.
struct Nearest {
  Label label = kNoise;
  float closeness = 0;
};

/// The largest value and its place; ties by the smaller place.
Nearest largest(std::span<const float> values);

/// Says which centroid is the nearest of a row. This alone defines a label:
/// - cosine: the largest of the row's products with all centroids as `gemm` computes them;
/// - Euclidean: the smallest of the squared distances as the kernel `squared_distance` computes them.
/// Products
///   x.c - |c|^2 / 2 only pick the candidates that rounding leaves, seldom more than one.
/// Ties by the smaller label.
class Nearness {
 public:
  Nearness(Metric metric, Index dims);
  /// Borrows the centers until they are used no more.
  void use(const Matrix& centers);
  /// Calls each(r, scores of row r with all centroids) for rows of a block, in pieces that stay in cache.
  template <class Each>
  void for_scores(MatrixView rows, Matrix& scratch, Each&& each) const;
  /// From all scores of a row. Euclidean: the closeness may be rounded down.
  Nearest nearest(std::span<const float> x, float squared_length, std::span<const float> scores) const;
  /// Of one centroid.
  float closeness(std::span<const float> x, Label center) const;
  Metric metric() const { return metric_; }

  /// Euclidean: how far off a squared distance by products can be, as a share of (|x| + |c|)^2; it is at
  /// least twice what one by `squared_distance` is off.
  float rounding() const { return rounding_; }
  /// The same of one centroid. length: |x|, rounded up.
  float slack(float length, Index center) const {
    const float both = length + lengths_[center];
    return rounding_ * both * both;
  }

 private:
  Nearest nearest_of(std::span<const float> x, float length, std::span<const float> scores, float most) const;

  Metric metric_;
  float rounding_;
  const Matrix* centers_ = nullptr;
  Packed packed_;
  std::vector<float> bias_, lengths_;  // Euclidean: -|c|^2 / 2; |c|, rounded up
};

/// The label of every row, in parallel; kNoise for rows of zeros under cosine.
Labels label_rows(const MetricRows& rows, const Matrix& centers, const Run& run, std::string_view step);
/// Cosine distance (0..2; 1 for rows of zeros) or Euclidean distance in the rows' own units: rows x
/// centroids.
Matrix distances(const MetricRows& rows, const Matrix& centers, const Run& run);

template <class Each>
void Nearness::for_scores(MatrixView rows, Matrix& scratch, Each&& each) const {
  const Index outputs = packed_.outputs();
  const Index block = std::max<Index>(16, (Index{1} << 17) / std::max<Index>(1, outputs));
  const Index most = std::min(block, rows.rows);
  if (scratch.rows() < most || scratch.cols() != outputs) scratch = Matrix(most, outputs);
  for (Index first = 0; first < rows.rows; first += block) {
    const Index count = std::min(block, rows.rows - first);
    multiply(rows.slice(first, count), packed_, bias_, Activation::none, scratch.span().slice(0, count));
    for (Index r = 0; r < count; ++r) each(first + r, std::span<const float>(scratch[r]));
  }
}

}  // namespace shoal
