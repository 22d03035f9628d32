#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "shoal/cluster/som/som_train_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/symmetric_eigen.h"
#include "shoal/near/metric_rows_impl.h"
#include "shoal/near/nearness_impl.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;     // rows that are multiplied at once
constexpr Index kGrain = 2048;    // least rows a chunk
constexpr Index kMostParts = 32;  // chunks whose sums are kept apart
constexpr Index kUnitGrain = 64;  // units a chunk
constexpr double kSpread = 2;     // the start reaches so many standard deviations to either side

/// -1..1 for a position among `count`; 0 for the only one.
double position(Index i, Index count) {
  return count < 2 ? 0 : 2 * static_cast<double>(i) / static_cast<double>(count - 1) - 1;
}

/// Units on the plane of the first two principal components; the longer side of the grid along the first.
Matrix plane(const Rows& x, const SomGrid& grid, const Run& run) {
  const Index d = x.cols();
  const std::vector<double> mean = column_means(x, run);
  const std::vector<float> shift(mean.begin(), mean.end());
  const EigenPairs eigen = symmetric_eigen(gram(x, shift, run), d);
  const auto deviation = [&](Index i) {
    return i < d ? std::sqrt(std::max(0.0, eigen.values[i]) / static_cast<double>(x.rows())) : 0;
  };
  const bool wide = grid.cols() >= grid.rows();
  Matrix units(grid.units(), d);
  for (Index u = 0; u < grid.units(); ++u) {
    const double across = kSpread * position(u % grid.cols(), grid.cols()) * deviation(wide ? 0 : 1);
    const double down = kSpread * position(u / grid.cols(), grid.rows()) * deviation(wide ? 1 : 0);
    for (Index j = 0; j < d; ++j) {
      const double first = eigen.vectors[j], second = d > 1 ? eigen.vectors[d + j] : 0;
      units[u][j] =
          static_cast<float>(mean[j] + across * (wide ? first : second) + down * (wide ? second : first));
    }
  }
  return units;
}

Matrix drawn(const Rows& x, const SomGrid& grid, Seed seed) {
  const Random random(seed);
  Matrix units(grid.units(), x.cols()), scratch;
  for (Index u = 0; u < grid.units(); ++u)
    std::ranges::copy(x.block(random.below(u, x.rows()), 1, scratch)[0], units[u].begin());
  return units;
}

/// Of each unit: the sum of the rows that it matches best, and at the end their number.
struct Sums {
  std::vector<double> of;

  void add(const Sums& other) {
    for (Index i = 0; i < of.size(); ++i) of[i] += other.of[i];
  }
};

Matrix matched(const SomRows& x, const Matrix& units, const Run& run) {
  const SomMatcher matcher(units);
  const Index width = x.rows().cols() + 1, n = x.rows().rows();
  const Index grain = std::max(kGrain, chunk_count(n, kMostParts));
  const Sums sums = fold_chunks(
      run, n, grain, Sums{std::vector<double>(units.rows() * width, 0.0)},
      [&](Index first, Index last) {
        Sums part{std::vector<double>(units.rows() * width, 0.0)};
        matcher.match(
            x, first, last, [&](Index i, std::span<const float> row, std::span<const float> values) {
              if (x.zero(i)) return;
              double* const sum = part.of.data() + static_cast<Index>(largest(values).label) * width;
              for (Index j = 0; j < row.size(); ++j) sum[j] += row[j];
              sum[width - 1] += 1;
            });
        return part;
      },
      [](Sums& total, Sums&& part) { total.add(part); });
  Matrix out(units.rows(), width);
  std::ranges::copy(sums.of, out.data());
  return out;
}

/// Each unit becomes the mean of all rows, weighted by how far their units are on the grid. Weights are taken
/// relative to the nearest unit that any row matches, so that they do not vanish all.
void smooth(const Matrix& sums, const SomGrid& grid, double radius, Matrix& units, const Run& run) {
  const Index width = sums.cols();
  const Packed packed = Packed::columns(sums.view());
  for_chunks(run, units.rows(), kUnitGrain, [&](Index, Index first, Index last) {
    Matrix weights(last - first, units.rows()), means(last - first, width);
    for (Index u = first; u < last; ++u) {
      double least = std::numeric_limits<double>::infinity();
      for (Index v = 0; v < units.rows(); ++v)
        if (sums[v][width - 1] > 0) least = std::min(least, grid.square(u, v));
      for (Index v = 0; v < units.rows(); ++v)
        if (sums[v][width - 1] > 0)
          weights[u - first][v] =
              static_cast<float>(std::exp((least - grid.square(u, v)) / (2 * radius * radius)));
    }
    multiply(weights.view(), packed, {}, Activation::none, means.span());
    for (Index u = first; u < last; ++u)
      for (Index j = 0; j + 1 < width; ++j) units[u][j] = means[u - first][j] / means[u - first][width - 1];
  });
}

}  // namespace

SomRows::SomRows(const Rows& x, Metric metric, std::vector<float> mean, const Run& run)
    : unit_(metric == Metric::cosine ? std::make_shared<const MetricRows>(x, metric, run) : nullptr),
      mean_(std::move(mean)),
      rows_(unit_ ? as_rows(unit_, x.space()) : x) {
  if (mean_.empty()) mean_ = frame_at_mean(rows_, run).shift;
  const ShiftScale frame{mean_, 1};
  rows_ = as_rows(std::make_shared<const MetricRows>(rows_, Metric::euclidean, frame, run), x.space());
}

SomMatcher::SomMatcher(const Matrix& codebook) : packed_(Packed::rows(codebook.view())) {
  for (Index u = 0; u < codebook.rows(); ++u)
    bias_.push_back(-0.5f * kernels().dot(codebook[u].data(), codebook[u].data(), codebook.cols()));
}

void SomMatcher::match(
    const SomRows& x, Index first, Index last,
    const std::function<void(Index, std::span<const float>, std::span<const float>)>& each) const {
  Matrix scratch, values(std::min(kBlock, last - first), packed_.outputs());
  for (Index i = first; i < last; i += kBlock) {
    const Index count = std::min(kBlock, last - i);
    const MatrixView block = x.rows().block(i, count, scratch);
    multiply(block, packed_, bias_, Activation::none, values.span().slice(0, count));
    for (Index r = 0; r < count; ++r) each(i + r, block[r], values[r]);
  }
}

Matrix train_som(const SomRows& x, const SomOptions& options, const Run& run) {
  const SomGrid grid(options);
  Matrix units =
      options.init == SomInit::pca ? plane(x.rows(), grid, run) : drawn(x.rows(), grid, options.seed);
  const double from = std::max(
      options.radius_end,
      options.radius.value_or(static_cast<double>(std::max(options.grid_rows, options.grid_cols)) / 2));
  const auto epochs = static_cast<double>(options.n_epochs);
  for (Index epoch = 0; epoch < options.n_epochs; ++epoch) {
    check_stop(run);
    const double done = options.n_epochs == 1 ? 1 : static_cast<double>(epoch) / (epochs - 1);
    const double radius = from * std::pow(options.radius_end / from, done);
    smooth(matched(x, units, run), grid, radius, units, run);
    if (run.progress) run.progress("map", static_cast<double>(epoch + 1), epochs);
  }
  return units;
}

}  // namespace shoal
