#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What a `Pca` may be told.
struct PcaOptions {
  double variance = 0.95;             ///< share of variance to keep, (0, 1]; ignored if n_components is given
  std::optional<Index> n_components;  ///< exactly so many, 1..min(rows, cols)
};
template <class V>
void fields(PcaOptions& o, V&& visit) {
  visit("variance", o.variance, "share of variance to keep", above(0).at_most(1));
  visit("n_components", o.n_components, "keep exactly so many components", at_least(1));
}

/// Principal components from the exact covariance, gathered in double in two passes over each batch (means,
/// products): memory O(d^2), whatever the number of rows, which may be mapped. By share of variance it keeps
/// the fewest components that reach the share (one, if all rows are equal). The sign of a component is fixed:
/// its entry of largest magnitude is positive.
///
///   Pca pca({.variance = 0.95});
///   for (const Rows& batch : batches) pca.update(batch, run);
///   Matrix reduced = pca.transform(rows, run);
class Pca {
 public:
  using Options = PcaOptions;
  static constexpr std::string_view kind = "pca";

  /// Learns by `update`. Error(argument) on an option out of range.
  explicit Pca(Options options);
  /// Empty: nothing happens. Error(data) if a row holds a NaN or an infinity (named) or if the columns or the
  /// space differ from earlier batches; then the batch is not counted. O(rows d^2).
  /// Batches may be cut anywhere: the result differs by rounding only (about 1e-6 of the variance).
  void update(const Rows& batch, const Run& run = {});
  /// One update with all rows. Also throws what the accessors below throw.
  static Pca fit(const Rows& x, const Options& options = {}, const Run& run = {});

  // These solve for the components the first time that they are asked after an update: O(d^3). Error(data)
  // if fewer than 2 rows were seen, Error(argument) if n_components exceeds min(rows, cols).

  /// (x - mean) * components^T: rows x n_components. Error(data) as update.
  Matrix transform(const Rows& x, const Run& run = {}) const;
  Index n_components() const;
  const Matrix& components() const&;  ///< n_components x d, orthonormal rows
  Matrix components() && { return components(); }
  const std::vector<float>& mean() const&;                 ///< d
  const std::vector<double>& explained_variance() const&;  ///< n_components, descending, divided by n - 1
  std::vector<float> mean() && { return mean(); }
  std::vector<double> explained_variance() && { return explained_variance(); }
  double explained_variance_ratio() const;  ///< of all kept together; 1 if there is no variance
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Pca load(const ArchiveReader& in);

 private:
  struct Solution;
  struct Solving;
  const Solution& solution() const;
  Solution solve() const;

  Options options_;
  Space space_;
  Index count_ = 0;
  std::vector<float> shift_;      // near the mean: keeps the sums small. d long; empty before the first batch
  std::vector<double> sums_;      // of rows minus shift, d
  std::vector<double> products_;  // of rows minus shift, d x d
  std::shared_ptr<Solving> solving_;  // of the rows seen so far: copies share it, an update starts another
};
static_assert(Transformer<Pca>);

}  // namespace shoal
