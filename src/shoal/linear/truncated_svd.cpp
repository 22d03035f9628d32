#include "shoal/linear/truncated_svd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/rows.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {
namespace {

constexpr Index kStrip = 32;    // directions a thread works on at a time: 128 bytes of each column's row
constexpr double kNone = 1e-6;  // of the largest, squared: what float products cannot tell from 0
constexpr Index kExact = 512, kMore = 64, kRounds = 8;

using Sums = std::array<float, kStrip>;

/// Directions [first, first + kStrip) of q, column by column of x: contiguous, zeros where there is none.
std::vector<float> strip_of(const Matrix& q, Index first) {
  std::vector<float> out(q.rows() * kStrip);
  const Index n = std::min(kStrip, q.cols() - first);
  for (Index i = 0; i < q.rows(); ++i) std::copy_n(q[i].data() + first, n, out.data() + i * kStrip);
  return out;
}

/// Row i of x times the strip. Each sum runs over the row's entries in order.
Sums project(const SparseRows& x, Index i, const std::vector<float>& strip) {
  Sums sums{};
  for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e) {
    const float value = x.values[e];
    const float* q = strip.data() + x.columns[e] * kStrip;
    for (Index j = 0; j < kStrip; ++j) sums[j] += value * q[j];
  }
  return sums;
}

/// x^T (x q), a strip of directions at a time; every sum runs over the rows in order.
Matrix applied_twice(const SparseRows& x, const Matrix& q, const Run& run) {
  Matrix out(q.rows(), q.cols());
  for_chunks(run, q.cols(), kStrip, [&](Index, Index first, Index last) {
    const std::vector<float> strip = strip_of(q, first);
    std::vector<float> found(strip.size());
    for (Index i = 0; i < x.rows(); ++i) {
      if (i % 4096 == 0) check_stop(run);
      const Sums sums = project(x, i, strip);
      for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e) {
        const float value = x.values[e];
        float* to = found.data() + x.columns[e] * kStrip;
        for (Index j = 0; j < kStrip; ++j) to[j] += value * sums[j];
      }
    }
    for (Index i = 0; i < out.rows(); ++i)
      std::copy_n(found.data() + i * kStrip, last - first, out[i].data() + first);
  });
  return out;
}

/// q w, w: q.cols() x n in double, by columns `of` of length q.cols().
Matrix turned(const Matrix& q, const std::vector<double>& rows, Index n, const Run& run) {
  Matrix by(n, q.cols());
  for (Index i = 0; i < n * q.cols(); ++i) by.data()[i] = static_cast<float>(rows[i]);
  const Packed packed = Packed::rows(by);
  Matrix out(q.rows(), n);
  for_chunks(run, q.rows(), 1024, [&](Index, Index first, Index last) {
    multiply(q.view().slice(first, last - first), packed, {}, Activation::none,
             out.span().slice(first, last - first));
  });
  return out;
}

/// Directions that span what the columns of z span, the strongest first, at right angles: once done nearly
/// so, twice to the last digits, since z^T z has the squares of what z has.
Matrix orthonormal(Matrix z, int times, const Run& run) {
  for (int time = 0; time < times; ++time) {
    const Index p = z.cols();
    EigenPairs pairs = symmetric_eigen(gram(Rows(z), {}, run.quiet()), p);
    Index kept = 0;
    while (kept < p && pairs.values[kept] > 1e-10 * pairs.values[0] && pairs.values[kept] > 0) ++kept;
    for (Index i = 0; i < kept; ++i)
      for (Index j = 0; j < p; ++j) pairs.vectors[i * p + j] /= std::sqrt(pairs.values[i]);
    z = turned(z, pairs.vectors, kept, run.quiet());
  }
  return z;
}

/// x q as a dense matrix, by rows.
Matrix projected(const SparseRows& x, const Matrix& q, const Run& run) {
  Matrix out(x.rows(), q.cols());
  for_chunks(run, q.cols(), kStrip, [&](Index, Index first, Index last) {
    const std::vector<float> strip = strip_of(q, first);
    for (Index i = 0; i < x.rows(); ++i) {
      const Sums sums = project(x, i, strip);
      std::copy_n(sums.data(), last - first, out[i].data() + first);
    }
  });
  return out;
}

/// (x q)^T (x q) of blocks of rows, added up in double.
std::vector<double> squared(const SparseRows& x, const Matrix& q, const Run& run) {
  constexpr Index kRows = 8192;
  std::vector<double> out(q.cols() * q.cols());
  for (Index first = 0; first < x.rows(); first += kRows) {
    const Index last = std::min(first + kRows, x.rows());
    SparseRows some{.cols = x.cols};
    for (Index i = first; i < last; ++i) some.starts.push_back(x.starts[i + 1] - x.starts[first]);
    const auto at = static_cast<std::ptrdiff_t>(x.starts[first]),
               end = static_cast<std::ptrdiff_t>(x.starts[last]);
    some.columns.assign(x.columns.begin() + at, x.columns.begin() + end);
    some.values.assign(x.values.begin() + at, x.values.begin() + end);
    const Matrix y = projected(some, q, run);
    const auto part = gram(Rows(y), {}, run.quiet());
    for (Index i = 0; i < out.size(); ++i) out[i] += part[i];
  }
  return out;
}

void check(const SparseRows& x, Index k) {
  require(k > 0, Fault::argument, "truncated_svd: 0 values are asked for");
  require(x.columns.size() == x.values.size() && x.starts.back() == x.values.size(), Fault::argument,
          "truncated_svd: the rows are not as long as their entries");
  for (Index e = 0; e < x.columns.size(); ++e) {
    require(x.columns[e] < x.cols, Fault::argument, "truncated_svd: an entry lies in no column");
    require(std::isfinite(x.values[e]), Fault::data, "truncated_svd: a value is not finite");
  }
}

}  // namespace

TruncatedSvd truncated_svd(const SparseRows& x, Index k, Seed seed, const Run& run) {
  check(x, k);
  const Index p = x.cols <= kExact ? x.cols : std::min(x.cols, k + kMore);
  Matrix q(x.cols, p);
  if (p == x.cols) {
    for (Index i = 0; i < p; ++i) q[i][i] = 1;
  } else {
    const Random random(seed);
    for_chunks(run, x.cols, 1024, [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < p; ++j) q[i][j] = static_cast<float>(random.normal(i * p + j));
    });
    for (Index round = 0; round < kRounds && q.cols() > 0; ++round) {
      if (run.progress) run.progress("svd", static_cast<double>(round), kRounds);
      q = orthonormal(applied_twice(x, q, run.quiet()), round + 1 == kRounds ? 2 : 1, run);
    }
  }
  TruncatedSvd out;
  if (q.cols() == 0) return out;  // all is 0
  const EigenPairs pairs = symmetric_eigen(squared(x, q, run.quiet()), q.cols());
  Index kept = 0;
  while (kept < std::min(k, q.cols()) && pairs.values[kept] > kNone * pairs.values[0]) ++kept;
  out.components = turned(q, pairs.vectors, kept, run.quiet());
  for (Index j = 0; j < kept; ++j) {
    out.singular_values.push_back(std::sqrt(pairs.values[j]));
    Index largest = 0;
    for (Index i = 1; i < x.cols; ++i)
      if (std::fabs(out.components[i][j]) > std::fabs(out.components[largest][j])) largest = i;
    if (out.components[largest][j] < 0)
      for (Index i = 0; i < x.cols; ++i) out.components[i][j] = -out.components[i][j];
  }
  if (run.progress) run.progress("svd", kRounds, kRounds);
  return out;
}

}  // namespace shoal
