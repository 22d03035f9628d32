#include "shoal/measure/silhouette.h"

#include <algorithm>
#include <limits>

#include "shoal/measure/distance_totals_impl.h"
#include "shoal/measure/row_silhouette_impl.h"

namespace shoal {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

RowSilhouette::RowSilhouette(std::span<double> totals, const std::vector<Index>& sizes, Label own)
    : totals_(totals), means_(totals.size()), own_(static_cast<Index>(own)), own_size_(sizes[own_]) {
  for (Index c = 0; c < totals.size(); ++c) means_[c] = totals[c] / static_cast<double>(sizes[c]);
  means_[own_] = kInfinite;
  find_nearest();
}

double RowSilhouette::value() const {
  if (own_size_ == 1) return 0;
  const double a = totals_[own_] / static_cast<double>(own_size_ - 1), b = means_[nearest_];
  const double larger = std::max(a, b);
  return larger > 0 ? (b - a) / larger : 0;
}

void RowSilhouette::join(Join join, Index size) {
  const auto into = static_cast<Index>(join.into), from = static_cast<Index>(join.from);
  totals_[into] += totals_[from];
  means_[from] = kInfinite;
  if (own_ == from || own_ == into) {
    own_ = into;
    own_size_ = size;
    means_[into] = kInfinite;
  } else {
    means_[into] = totals_[into] / static_cast<double>(size);
  }
  // The mean distance to two clusters is not below both of theirs: another is the nearest only if one of them
  // was.
  if (nearest_ == into || nearest_ == from) find_nearest();
}

void RowSilhouette::find_nearest() {
  nearest_ = static_cast<Index>(std::ranges::min_element(means_) - means_.begin());
}

Silhouette silhouette(const Rows& x, const Labels& labels, Metric metric, const Run& run) {
  const Members members(labels, x.rows());
  Silhouette s{0, std::vector<double>(labels.count, kNone), std::vector<double>(x.rows(), kNone)};
  for_distance_totals(x, members, metric, run, "silhouette", [&](Index, Index row, std::span<double> totals) {
    s.of_row[row] = RowSilhouette(totals, members.sizes, members.of(row)).value();
  });
  std::vector<double> sums(members.clusters());
  for (Index i = 0; i < x.rows(); ++i)
    if (members.of(i) != kNoise) {
      s.mean += s.of_row[i];
      sums[members.of(i)] += s.of_row[i];
    }
  s.mean /= static_cast<double>(members.rows);
  for (Index c = 0; c < labels.count; ++c)
    if (const Label m = members.number[c]; m != kNoise)
      s.of_cluster[c] = sums[m] / static_cast<double>(members.sizes[m]);
  return s;
}

}  // namespace shoal
