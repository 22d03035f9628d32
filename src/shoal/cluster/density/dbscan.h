#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

/// What `Dbscan::fit` may be told.
struct DbscanOptions {
  double eps = 0.5;       ///< >= 0: rows at most so far apart are neighbours
  Index min_samples = 5;  ///< >= 1: a core row has so many neighbours, itself included
  Metric metric = Metric::cosine;
};
template <class V>
void fields(DbscanOptions& o, V&& visit) {
  visit("eps", o.eps, "rows at most so far apart are neighbours", at_least(0));
  visit("min_samples", o.min_samples, "a core row has so many neighbours, itself included", at_least(1));
  visit("metric", o.metric, "distance of rows");
}

/// Density-based clusters (Ester, Kriegel, Sander, Xu 1996), exactly: core rows that are neighbours share a
/// cluster; a row that is not core joins a cluster that has a core neighbour of it; all others are kNoise.
///
///   const Dbscan groups = Dbscan::fit(rows, {.eps = 0.2, .min_samples = 10});
///   groups.labels();
///
/// Clusters are numbered by their first core row. A row within reach of several joins the one of the smallest
/// number. Both as in scikit-learn, whose answer this is but for distances within rounding of eps (here: the
/// distance of `nearest_neighbours`, in float32, against eps as float32).
/// A row of zeros is, under cosine, at distance 1 from every other row.
/// All pairs of rows are compared by blocked products, n^2 / 2 of d numbers, and where more than 64
/// neighbours a row are found, those blocks once more. Memory: at most 520 bytes a row, at most
/// 8 min_samples more, and a float32 copy of the rows unless they are float32 of length 1 compared by cosine.
class Dbscan {
 public:
  using Options = DbscanOptions;
  static constexpr std::string_view kind = "dbscan";
  static constexpr std::string_view title = "DBSCAN";  ///< for people

  /// Progress as steps "neighbours" and "clusters". Error(argument) on an option out of range; Error(data) if
  /// a row holds a NaN or an infinity (named) or has no columns.
  static Dbscan fit(const Rows& x, const Options& options = {}, const Run& run = {});

  const Labels& labels() const& { return labels_; }
  Labels labels() && { return std::move(labels_); }
  const std::vector<std::uint32_t>& core_sample_indices() const& { return core_; }  ///< ascending
  std::vector<std::uint32_t> core_sample_indices() && { return std::move(core_); }
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Dbscan load(const ArchiveReader& in);  ///< Error(format)

 private:
  Options options_;
  Space space_;
  Labels labels_;
  std::vector<std::uint32_t> core_;
};
static_assert(Clusterer<Dbscan>);

}  // namespace shoal
