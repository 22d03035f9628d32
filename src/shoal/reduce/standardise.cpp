#include "shoal/reduce/standardise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 4096;  // rows a chunk at least, and rows a block

/// Sums of the squared distances to `mean`.
std::vector<double> squared_deviations(const Rows& x, const std::vector<double>& mean, const Run& run) {
  return fold_chunks(
      run, x.rows(), std::max(kGrain, x.rows() / 64), std::vector<double>(x.cols()),
      [&](Index first, Index last) {
        std::vector<double> sums(x.cols());
        Matrix scratch;
        for (Index at = first; at < last; at += kGrain) {
          const MatrixView block = x.block(at, std::min(kGrain, last - at), scratch);
          for (Index r = 0; r < block.rows; ++r)
            for (Index j = 0; j < sums.size(); ++j) {
              const double off = block[r][j] - mean[j];
              sums[j] += off * off;
            }
        }
        return sums;
      },
      [](std::vector<double>& total, const std::vector<double>& part) {
        for (Index j = 0; j < total.size(); ++j) total[j] += part[j];
      });
}

}  // namespace

void Standardise::update(const Rows& batch, const Run& run) {
  if (batch.rows() == 0) return;
  if (count_ > 0) check_input(batch, mean_.size(), space_, "the scale");
  const std::vector<double> mean = column_means(batch, run);
  const std::vector<double> squares = squared_deviations(batch, mean, run);
  // Nothing can fail from here on: a batch counts whole or not at all.
  if (count_ == 0) {
    space_ = batch.space();
    mean_.assign(batch.cols(), 0);
    squares_.assign(batch.cols(), 0);
  }
  const auto before = static_cast<double>(count_), added = static_cast<double>(batch.rows());
  for (Index j = 0; j < mean.size(); ++j) {
    const double off = mean[j] - mean_[j];
    mean_[j] += off * (added / (before + added));
    squares_[j] += squares[j] + off * off * before * (added / (before + added));
  }
  count_ += batch.rows();
}

Standardise Standardise::fit(const Rows& x, const Options& options, const Run& run) {
  require(x.rows() > 0, Fault::data, "there are no rows to standardise");
  Standardise s(options);
  s.update(x, run);
  return s;
}

std::vector<double> Standardise::variance() const {
  std::vector<double> out = squares_;
  for (double& v : out) v /= static_cast<double>(count_);
  return out;
}

/// What to divide by. Rounding leaves a little variance in a constant column: the bound is scikit-learn's.
std::vector<double> Standardise::deviation() const {
  constexpr double kEps = std::numeric_limits<double>::epsilon();
  std::vector<double> out = variance();
  const auto n = static_cast<double>(count_);
  for (Index j = 0; j < out.size(); ++j) {
    const double rounding = n * mean_[j] * kEps;
    const bool constant = out[j] <= n * kEps * out[j] + rounding * rounding;
    out[j] = constant || !options_.with_std ? 1 : std::sqrt(out[j]);
  }
  return out;
}

Matrix Standardise::transform(const Rows& x, const Run& run) const {
  require(count_ > 0, Fault::data, "the scale has seen no rows");
  check_input(x, mean_.size(), space_, "the scale");
  check_finite(x, run);
  const std::vector<double> by = deviation();
  Matrix out(x.rows(), x.cols());
  for_chunks(
      run, x.rows(), kGrain,
      [&](Index, Index first, Index last) {
        Matrix scratch;
        const MatrixView block = x.block(first, last - first, scratch);
        for (Index r = 0; r < block.rows; ++r)
          for (Index j = 0; j < block.cols; ++j) {
            const double off = options_.with_mean ? block[r][j] - mean_[j] : block[r][j];
            out[first + r][j] = static_cast<float>(off / by[j]);
          }
      },
      "standardise");
  return out;
}

void Standardise::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  const auto count = static_cast<std::int64_t>(count_);
  out.add("count", std::span<const std::int64_t>(&count, 1));
  out.add("mean", std::span<const double>(mean_));
  out.add("squares", std::span<const double>(squares_));
}

Standardise Standardise::load(const ArchiveReader& in) {
  check_kind(in, kind);
  Standardise s(read_options<Options>(in));
  s.space_ = read_space(in);
  const auto count = in.integers("count");
  s.mean_ = in.doubles("mean", in.tensor("mean").count());
  s.squares_ = in.doubles("squares", s.mean_.size());
  if (count.size() != 1 || count[0] < 0)
    throw Error(Fault::format, in.path().string() + ": count is not one number of rows");
  s.count_ = static_cast<Index>(count[0]);
  return s;
}

}  // namespace shoal
