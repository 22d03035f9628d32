#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What a `Standardise` may be told.
struct StandardiseOptions {
  bool with_mean = true;  ///< subtract the column's mean
  bool with_std = true;   ///< divide by the column's standard deviation (of n, as usual here, not n - 1)
};
template <class V>
void fields(StandardiseOptions& o, V&& visit) {
  visit("with_mean", o.with_mean, "subtract each column's mean");
  visit("with_std", o.with_std, "divide each column by its standard deviation");
}

/// Columns with mean 0 and standard deviation 1, as scikit-learn's StandardScaler. Means and sums of squared
/// deviations are kept in double and merged batch by batch (Chan, Golub, LeVeque 1979), so rows may come as a
/// stream. A column whose deviation is rounding of its mean is constant: it is only centred.
///
///   Standardise scaler;
///   for (const Rows& batch : batches) scaler.update(batch, run);
///   Matrix scaled = scaler.transform(x, run);
class Standardise {
 public:
  using Options = StandardiseOptions;
  static constexpr std::string_view kind = "standardise";

  /// Learns by `update`.
  explicit Standardise(Options options = {}) : options_(options) {}
  /// Empty: nothing happens. Error(data) if a row holds a NaN or an infinity (named) or if the columns or the
  /// space differ from earlier batches; then the batch is not counted. Two passes, O(rows d).
  /// Batches may be cut anywhere: the result differs by rounding in double only.
  void update(const Rows& batch, const Run& run = {});
  /// One update with all rows. Error(data) also if there are none.
  static Standardise fit(const Rows& x, const Options& options = {}, const Run& run = {});

  /// (x - mean) / deviation: rows x d. Error(data) as update, or if no row was seen.
  Matrix transform(const Rows& x, const Run& run = {}) const;
  Index count() const { return count_; }                      ///< rows seen
  const std::vector<double>& mean() const& { return mean_; }  ///< d
  std::vector<double> mean() && { return std::move(mean_); }
  std::vector<double> variance() const;  ///< d, divided by n
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Standardise load(const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  std::vector<double> deviation() const;

  Options options_;
  Space space_;
  Index count_ = 0;
  std::vector<double> mean_, squares_;  // squares: sums of squared deviations from the mean
};
static_assert(Transformer<Standardise>);

}  // namespace shoal
