#pragma once

#include <functional>
#include <memory>

#include "shoal/cluster/som/som_grid_impl.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/linear/product.h"
#include "shoal/near/metric_rows_impl.h"

namespace shoal {

/// Rows as a map compares them: of length 1 under cosine, minus `mean`; and which of them do not count.
class SomRows {
 public:
  /// mean: cols long, or empty for that of the rows. Error(data) naming the first row with a NaN or infinity.
  SomRows(const Rows& x, Metric metric, std::vector<float> mean, const Run& run);

  const Rows& rows() const { return rows_; }
  const std::vector<float>& mean() const { return mean_; }
  bool zero(Index row) const { return unit_ && unit_->zero(row); }  ///< has the row no direction?

 private:
  std::shared_ptr<const MetricRows> unit_;  // cosine
  std::vector<float> mean_;
  Rows rows_;
};

/// The codebook after options.n_epochs epochs, in the space of x.rows(). Progress as step "map".
Matrix train_som(const SomRows& x, const SomOptions& options, const Run& run);

/// Products with all units, minus half their squared length: the greatest is the nearest unit's.
class SomMatcher {
 public:
  explicit SomMatcher(const Matrix& codebook);
  /// Calls each(row, values of all units) for rows [first, last), row by row, in this thread.
  void match(const SomRows& x, Index first, Index last,
             const std::function<void(Index, std::span<const float> row, std::span<const float> values)>&
                 each) const;

 private:
  Packed packed_;
  std::vector<float> bias_;
};

}  // namespace shoal
