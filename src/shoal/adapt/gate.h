#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// Rows of length 1 and to which clusters of the corpus they belong (ClusterPreferences::memberships).
struct PlacedTexts {
  MatrixView x, memberships;
};

/// Says how much a text is like what somebody's feedback was about, compared with what else the corpus holds:
/// a linear rule on the vector and its memberships tells texts of the feedback (1) from other texts of the
/// corpus (-1), by ridge regression in which both sides count the same. In the long run the sum of
/// the rule's squares is least at (p - q) / (p + q), p and q the densities of the two, so that 0 is where
/// both are as dense.
///
/// The thresholds come from the texts of the feedback, each judged by the rule that is learnt without it, and
/// by the rule that is learnt without its whole cluster: what the rule says of a text near, but not among,
/// what the feedback was about. Both in closed form, from the rows of the hat matrix.
class FeedbackGate {
 public:
  /// about: texts of the feedback; others: texts of the corpus, those of the feedback left out. At least one
  /// each. O((n + m) p^2 + p^3) for p = dimensions + clusters.
  static FeedbackGate fit(const PlacedTexts& about, const PlacedTexts& others, Seed seed, const Run& run);

  /// What the rule says: about -1..1.
  float nearness(std::span<const float> x, std::span<const float> memberships) const;
  /// Half open where 90 of 100 texts of the feedback, each left out, are let in, or, if that is later, where
  /// 75 of 100 whose cluster was left out are shut out, but where at least half of the former are let in:
  /// 0..1.
  float wide(float nearness) const;
  /// Half open where half of the texts of the feedback, each left out, are let in, or, if that is later,
  /// where 95 of 100 whose cluster was left out are shut out: 0..1, at most `wide`.
  float narrow(float nearness) const;

  void save(ArchiveWriter& out) const;
  static FeedbackGate load(const ArchiveReader& in, Index dims, Index n_clusters);

 private:
  std::vector<float> of_x_, of_memberships_;
  double constant_ = 0, wide_ = 0, narrow_ = 0, deviation_ = 1;
};

}  // namespace shoal
