#include "shoal/reduce/pca.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

struct Pca::Solution {
  Matrix components;
  std::vector<float> mean;
  std::vector<double> variance;
  double total = 0;  // variance of all d directions
};

struct Pca::Solving {
  std::once_flag once;
  Solution solution;
};

namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;

bool all_finite(const auto& values) {
  return std::ranges::all_of(values, [](auto v) { return std::isfinite(v); });
}

/// The fewest leading values that make up `share` of `total`.
Index leading(const std::vector<double>& values, double total, double share) {
  // What the sum of all values loses to rounding must not add a component.
  const double wanted = share * total * (1 - 1e-12);
  double sum = 0;
  for (Index i = 0; i < values.size(); ++i)
    if ((sum += values[i]) >= wanted) return i + 1;
  return values.size();
}

/// Rows of `block` minus `mean`, in `out`.
void center(MatrixView block, const std::vector<float>& mean, Matrix& out) {
  if (out.rows() < block.rows) out = Matrix(block.rows, block.cols);
  for (Index r = 0; r < block.rows; ++r)
    for (Index j = 0; j < block.cols; ++j) out[r][j] = block[r][j] - mean[j];
}

}  // namespace

Pca::Pca(Options options) : options_(options), solving_(std::make_shared<Solving>()) {
  check_options(options);
}

void Pca::update(const Rows& batch, const Run& run) {
  if (batch.rows() == 0) return;
  if (batch.cols() == 0) throw Error(Fault::data, "the rows have no columns");
  if (count_ > 0) check_input(batch, shift_.size(), space_, "the components");
  const std::vector<double> means = column_means(batch, run);
  std::vector<float> shift = shift_;
  if (count_ == 0) shift.assign(means.begin(), means.end());
  const std::vector<double> products = gram(batch, shift, run);
  if (!all_finite(products)) {
    check_finite(batch, run);
    throw Error(Fault::data, "the rows hold numbers too large to be squared; scale them down");
  }
  // Nothing can fail from here on: a batch counts whole or not at all.
  if (count_ == 0) {
    shift_ = std::move(shift);
    space_ = batch.space();
    sums_.assign(batch.cols(), 0);
    products_.assign(products.size(), 0);
  }
  const auto rows = static_cast<double>(batch.rows());
  for (Index j = 0; j < sums_.size(); ++j) sums_[j] += rows * (means[j] - shift_[j]);
  for (Index j = 0; j < products.size(); ++j) products_[j] += products[j];
  count_ += batch.rows();
  solving_ = std::make_shared<Solving>();
}

Pca Pca::fit(const Rows& x, const Options& options, const Run& run) {
  Pca pca(options);
  pca.update(x, run);
  pca.solution();
  return pca;
}

const Pca::Solution& Pca::solution() const {
  std::call_once(solving_->once, [&] { solving_->solution = solve(); });
  return solving_->solution;
}

Pca::Solution Pca::solve() const {
  if (count_ < 2)
    throw Error(Fault::data, "principal components need at least 2 rows; given: " + std::to_string(count_));
  const Index d = sums_.size(), most = std::min(count_, d);
  if (options_.n_components && *options_.n_components > most)
    throw Error(Fault::argument, option_name("n_components") + " is " +
                                     std::to_string(*options_.n_components) + ", but " +
                                     std::to_string(count_) + " rows of " + std::to_string(d) +
                                     " columns allow 1.." + std::to_string(most));
  const auto n = static_cast<double>(count_);
  std::vector<double> covariance(d * d);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j)
      covariance[i * d + j] = (products_[i * d + j] - sums_[i] * (sums_[j] / n)) / (n - 1);

  EigenPairs eigen = symmetric_eigen(covariance, d);
  for (double& value : eigen.values) value = std::max(value, 0.0);  // rounding may take a zero below
  Solution s;
  s.total = std::accumulate(eigen.values.begin(), eigen.values.end(), 0.0);
  const Index keep = options_.n_components
                         ? *options_.n_components
                         : std::min(most, leading(eigen.values, s.total, options_.variance));
  s.variance.assign(eigen.values.begin(), eigen.values.begin() + static_cast<std::ptrdiff_t>(keep));
  s.components = Matrix(keep, d);
  for (Index i = 0; i < keep * d; ++i) s.components.data()[i] = static_cast<float>(eigen.vectors[i]);
  s.mean.resize(d);
  for (Index j = 0; j < d; ++j) s.mean[j] = static_cast<float>(shift_[j] + sums_[j] / n);
  return s;
}

Matrix Pca::transform(const Rows& x, const Run& run) const {
  const Solution& s = solution();
  check_input(x, shift_.size(), space_, "the components");
  const Packed packed = Packed::rows(s.components.view());
  Matrix reduced(x.rows(), s.components.rows());
  for_chunks(
      run, x.rows(), kGrain,
      [&](Index, Index first, Index last) {
        Matrix converted, centered;
        for (Index i = first; i < last; i += kBlock) {
          const Index count = std::min(kBlock, last - i);
          center(x.block(i, count, converted), s.mean, centered);
          multiply(centered.view().slice(0, count), packed, {}, Activation::none,
                   reduced.span().slice(i, count));
          for (Index r = i; r < i + count; ++r)
            if (!all_finite(std::as_const(reduced)[r]))
              throw Error(Fault::data, "row " + std::to_string(r) +
                                           " holds a NaN, an infinity or numbers too large to be multiplied");
        }
      },
      "PCA");
  return reduced;
}

Index Pca::n_components() const { return solution().components.rows(); }
const Matrix& Pca::components() const& { return solution().components; }
const std::vector<float>& Pca::mean() const& { return solution().mean; }
const std::vector<double>& Pca::explained_variance() const& { return solution().variance; }

double Pca::explained_variance_ratio() const {
  const Solution& s = solution();
  return s.total > 0 ? std::accumulate(s.variance.begin(), s.variance.end(), 0.0) / s.total : 1;
}

void Pca::save(ArchiveWriter& out) const {
  const Solution& s = solution();
  out.options(list_fields(options_));
  out.space(space_);
  const auto count = static_cast<std::int64_t>(count_);
  out.add("count", std::span<const std::int64_t>(&count, 1));
  out.add("shift", std::span<const float>(shift_));
  out.add("sums", std::span<const double>(sums_));
  out.add("products", std::span<const double>(products_));
  out.add("components", s.components.view());
  out.add("mean", std::span<const float>(s.mean));
  out.add("explained_variance", std::span<const double>(s.variance));
  out.add("total_variance", std::span<const double>(&s.total, 1));
}

Pca Pca::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Pca pca(read_options<Options>(in));
  pca.space_ = read_space(in);
  const auto count = in.integers("count");
  if (count.size() != 1 || count[0] < 2) throw bad("count is not one number above 1");
  pca.count_ = static_cast<Index>(count[0]);
  Solution& s = pca.solving_->solution;
  s.components = in.matrix("components");
  const Index d = s.components.cols(), kept = s.components.rows();
  if (kept < 1 || kept > d) throw bad("components are not 1.." + std::to_string(d) + " rows");
  pca.shift_ = in.floats("shift", d);
  pca.sums_ = in.doubles("sums", d);
  pca.products_ = in.doubles("products", d * d);
  s.mean = in.floats("mean", d);
  s.variance = in.doubles("explained_variance", kept);
  s.total = in.doubles("total_variance", 1)[0];
  std::call_once(pca.solving_->once, [] {});  // solved already
  return pca;
}

}  // namespace shoal
