#include "unit_variance.h"

#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain =
    1024;  // rows a chunk: never from the number of threads, or the bits would depend on it

/// Means of the squared distances to `mean`, summed a chunk at a time and folded in order.
std::vector<double> variances(const Rows& x, const std::vector<double>& mean, const Run& run) {
  return fold_chunks(
      run, x.rows(), kGrain, std::vector<double>(x.cols()),
      [&](Index first, Index last) {
        std::vector<double> sums(x.cols());
        Matrix scratch;
        const MatrixView block = x.block(first, last - first, scratch);
        for (Index r = 0; r < block.rows; ++r)
          for (Index j = 0; j < block.cols; ++j) sums[j] += std::pow(block[r][j] - mean[j], 2);
        return sums;
      },
      [&](std::vector<double>& total, const std::vector<double>& part) {
        for (Index j = 0; j < total.size(); ++j) total[j] += part[j] / static_cast<double>(x.rows());
      });
}

}  // namespace

UnitVariance UnitVariance::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  if (x.rows() == 0) throw Error(Fault::data, "there are no rows to standardise");
  UnitVariance s;
  s.options_ = options;
  s.space_ = x.space();
  const std::vector<double> mean = column_means(x, run), variance = variances(x, mean, run);
  for (Index j = 0; j < x.cols(); ++j) {
    const double deviation = std::sqrt(variance[j]);
    s.mean_.push_back(static_cast<float>(mean[j]));
    s.scale_.push_back(deviation < options.least_deviation ? 1.0f : static_cast<float>(1 / deviation));
  }
  return s;
}

Matrix UnitVariance::transform(const Rows& x, const Run& run) const {
  check_input(x, mean_.size(), space_, "unit_variance");
  check_finite(x, run);
  Matrix out(x.rows(), x.cols());
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    for (Index r = 0; r < block.rows; ++r)
      for (Index j = 0; j < block.cols; ++j) out[first + r][j] = (block[r][j] - mean_[j]) * scale_[j];
  });
  return out;
}

void UnitVariance::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("mean", std::span<const float>(mean_));
  out.add("scale", std::span<const float>(scale_));
}

UnitVariance UnitVariance::load(const ArchiveReader& in) {
  check_kind(in, kind);
  UnitVariance s;
  s.options_ = read_options<Options>(in);
  s.space_ = read_space(in);
  s.mean_ = in.floats("mean", in.tensor("mean").count());
  s.scale_ = in.floats("scale", s.mean_.size());
  return s;
}

}  // namespace shoal
