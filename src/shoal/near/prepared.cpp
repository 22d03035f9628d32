#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/near/prepared_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;  // rows a chunk

// How far from 1 a squared length may be for the row to pass as a unit row: float rounding, not more.
constexpr float kUnitSlack = 1e-5f;

void own(Prepared& p) {
  if (p.rows.data == p.owned.data()) return;
  p.owned = Matrix(p.rows.rows, p.rows.cols);
  for (Index i = 0; i < p.rows.rows; ++i) std::copy_n(p.rows[i].data(), p.rows.cols, p.owned[i].data());
  p.rows = p.owned.view();
}

void measure(Prepared& p, const Run& run) {
  p.half_square.resize(p.rows.rows);
  for_chunks(run, p.rows.rows, kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const float* const row = p.rows[i].data();
      p.half_square[i] = 0.5f * kernels().dot(row, row, p.rows.cols);
    }
  });
}

Prepared borrow(const Rows& x, Metric metric, const Run& run) {
  check_finite(x, run);
  Prepared p;
  p.metric = metric;
  p.rows = x.block(0, x.rows(), p.owned);
  return p;
}

void make_unit(Prepared& p, const Run& run) {
  measure(p, run);
  const bool unit = std::all_of(p.half_square.begin(), p.half_square.end(),
                                [](float h) { return std::abs(2 * h - 1) <= kUnitSlack; });
  if (unit) return;
  own(p);
  unit_rows(p.owned.span());
  measure(p, run);
}

float largest(const Prepared& p, std::span<const float> mean) {
  float most = 0;
  for (Index i = 0; i < p.rows.rows; ++i)
    for (Index j = 0; j < p.rows.cols; ++j) most = std::max(most, std::abs(p.rows[i][j] - mean[j]));
  return most;
}

void make_centred(Prepared& p, std::span<const float> mean, float unit, const Run& run) {
  own(p);
  p.unit = unit;
  for_chunks(run, p.owned.rows(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      float* const row = p.owned[i].data();
      for (Index j = 0; j < p.owned.cols(); ++j) row[j] = (row[j] - mean[j]) / unit;
    }
  });
  measure(p, run);
}

// The smallest power of two that is not below x; 1 for 0.
float power_of_two(float x) {
  require(std::isfinite(x), Fault::data, "euclidean neighbours: the rows' numbers are too large for float32");
  if (x == 0) return 1;
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1.0f, std::min(exponent, 127));
}

std::vector<float> mean_of(const Rows& x, const Run& run) {
  const std::vector<double> means = column_means(x, run);
  return {means.begin(), means.end()};
}

}  // namespace

Prepared prepare(const Rows& x, Metric metric, const Run& run) {
  Prepared p = borrow(x, metric, run);
  if (metric == Metric::cosine) {
    make_unit(p, run);
  } else {
    const std::vector<float> mean = mean_of(x, run);
    make_centred(p, mean, power_of_two(largest(p, mean)), run);
  }
  return p;
}

PreparedPair prepare(const Rows& x, const Rows& queries, Metric metric, const Run& run) {
  PreparedPair both{borrow(x, metric, run), borrow(queries, metric, run)};
  if (metric == Metric::cosine) {
    make_unit(both.rows, run);
    make_unit(both.queries, run);
  } else {
    const std::vector<float> mean = mean_of(x, run);
    const float unit = power_of_two(std::max(largest(both.rows, mean), largest(both.queries, mean)));
    make_centred(both.rows, mean, unit, run);
    make_centred(both.queries, mean, unit, run);
  }
  return both;
}

void products_to_scores(const Prepared& a, Index first_row, const Prepared& b, Index first_column,
                        MatrixSpan products) {
  if (a.metric == Metric::cosine) return;
  const float* const columns = b.half_square.data() + first_column;
  for (Index r = 0; r < products.rows; ++r) {
    const float row = a.half_square[first_row + r];
    float* const score = products.data + r * products.stride;
    for (Index c = 0; c < products.cols; ++c) score[c] -= row + columns[c];
  }
}

float distance(const Prepared& a, Index i, const Prepared& b, Index j) {
  const float square = kernels().squared_distance(a.rows[i].data(), b.rows[j].data(), a.rows.cols);
  if (a.metric == Metric::euclidean) return std::sqrt(square) * a.unit;
  if (a.half_square[i] == 0 || b.half_square[j] == 0) return 1;
  return std::min(0.5f * square, 2.0f);
}

}  // namespace shoal
