#pragma once

#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What `UnitVariance::fit` may be told. One struct a stage, with defaults; `fields` has a line for each
/// field, from which checks, flags, JSON and saved files come.
struct UnitVarianceOptions {
  double least_deviation = 1e-12;  ///< columns that vary less are only centred, above 0
};
template <class V>
void fields(UnitVarianceOptions& o, V&& visit) {
  visit("least_deviation", o.least_deviation, "columns that vary less are only centred", above(0));
}

/// Columns with mean 0 and standard deviation 1. A stage to copy (tools/new_stage.py): `fit` makes it, so it
/// cannot exist unfitted; `transform` is const; `load` mirrors `save`. O(n d), two passes; 16 bytes a column.
class UnitVariance {
 public:
  using Options = UnitVarianceOptions;
  static constexpr std::string_view kind = "unit_variance";  ///< stands in saved files: never rename

  /// Error(argument) for an option out of range; Error(data) for no rows, and naming a row with a NaN or an
  /// infinity.
  static UnitVariance fit(const Rows& x, const Options& options = {}, const Run& run = {});
  /// rows x d. Error(data) as fit, or for another number of columns.
  Matrix transform(const Rows& x, const Run& run = {}) const;

  void save(ArchiveWriter& out) const;
  static UnitVariance load(const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  UnitVariance() = default;
  Options options_;
  Space space_;
  std::vector<float> mean_, scale_;  // scale: 1 / deviation
};
static_assert(Transformer<UnitVariance>);  // what a stage can do is checked where it is declared

}  // namespace shoal
