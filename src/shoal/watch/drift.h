#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// How two groups of vectors are told apart. All statistics are the larger the more the groups differ, and do
/// not mind which is called old.
enum class DriftTest : std::uint8_t {
  mmd,         ///< maximum mean discrepancy, squared and unbiased, with a Gaussian kernel whose width is the
               ///< median distance (Gretton et al. 2012)
  g_test,      ///< G of the table of sides x clusters
  hotelling,   ///< T^2 of the means, in a common covariance shrunk towards a sphere
  mean_shift,  ///< Euclidean distance between the means
  covariance_shift,  ///< squared Frobenius distance of the second moments about the common mean, unbiased
  kl_gaussian,       ///< Kullback-Leibler divergence of two Gaussians with shrunk covariances in the leading
                     ///< principal components, the mean of both directions
  kl_clusters,       ///< the same of the two histograms of clusters, half a row added to each cluster
  energy,            ///< energy distance, unbiased (Szekely, Rizzo 2013)
  classifier  ///< how well logistic regression tells the sides apart in blocks that were held out: mean AUC
};
constexpr auto names_of(DriftTest) {
  return std::array{"mmd",         "g-test",      "hotelling", "mean-shift", "covariance-shift",
                    "kl-gaussian", "kl-clusters", "energy",    "classifier"};
}

struct DriftOptions {
  std::vector<DriftTest> tests = {DriftTest::mmd, DriftTest::g_test, DriftTest::hotelling};
  double alpha = 0.05;        ///< drift is said where the omnibus p-value is not larger
  Index permutations = 1000;  ///< deals of the blocks at random, where not all are tried
  Index max_rows = 10000;     ///< rows that tests of pairs (mmd, energy, covariance-shift) look at
  Seed seed{42};
};
template <class V>
void fields(DriftOptions& o, V&& visit) {
  visit("alpha", o.alpha, "share of false alarms: drift is said where the p-value is not larger",
        above(0).below(1));
  visit("permutations", o.permutations, "deals of the blocks at random, where there are too many to try all",
        between(19, 100000));
  visit("max_rows", o.max_rows,
        "rows at most that tests of pairs of rows look at, drawn evenly from all blocks", at_least(4));
  visit("seed", o.seed, "start of all randomness");
}

struct DriftTestResult {
  DriftTest test = DriftTest::mmd;
  double distance = 0;   ///< the statistic
  double threshold = 0;  ///< the deals' quantile 1 - alpha, for sides of this size
  double p_val = 1;      ///< all three NaN: of one side no row was among those that tests of pairs look at
};

enum class ClusterFate : std::uint8_t { same, grew, shrank, born, died };
constexpr auto names_of(ClusterFate) { return std::array{"same", "grew", "shrank", "born", "died"}; }

/// How one cluster's share changed.
struct ClusterChange {
  Label cluster = 0;
  Index old_rows = 0, new_rows = 0;
  double old_share = 0, new_share = 0;
  double p_val = 1;            ///< of the difference of shares, by the same deals
  double corrected_p_val = 1;  ///< for all clusters together (step_down_p_values): as small as smallest_p
  /// grew, shrank: corrected_p_val <= alpha. born: then less than a tenth of its share was there before;
  /// died: the reverse. Else same.
  ClusterFate fate = ClusterFate::same;
};

struct DriftResult {
  Index old_rows = 0, new_rows = 0, old_blocks = 0, new_blocks = 0;
  Index pair_rows = 0;           ///< that tests of pairs looked at: at most max_rows
  Index old_pair_rows = 0;       ///< of these on the old side
  Index deals = 0;               ///< of the blocks, the one seen counted
  bool exact = false;            ///< all deals there are
  double smallest_p = 1;         ///< that can be reached
  bool enough_blocks = true;     ///< smallest_p <= alpha
  double p_val = 1;              ///< of all tests together: the smallest p-value, permuted
  std::optional<bool> is_drift;  ///< absent: not enough blocks
  std::vector<DriftTestResult> tests;
  std::vector<ClusterChange> clusters;  ///< in their order; empty without clusters
};

/// Rows in blocks, looked at once, of which any blocks can be compared with any others. Rows of one block
/// (a day, a source) may depend on each other; blocks may not: whole blocks are dealt to the two sides, so
/// that correlated neighbours do not cry wolf.
///
///   const DriftStudy study(rows, blocks, clusters, options, run);
///   const DriftResult found = study.compare(old_blocks, new_blocks, run);
///
/// Memory: the rows as float32 twice, 4 bytes a row and principal moment (528), or a block instead of a row
/// where blocks are fewer; blocks^2 doubles for each test of pairs, or rows x deals floats where each row is
/// a block.
class DriftStudy {
 public:
  /// blocks: of each row its block, 0..count-1 (kNoise: the row is left out). clusters: of each row, found
  /// without regard to blocks, or empty: then tests of clusters are left out. O(rows d^2) and for tests of
  /// pairs O(min(rows, max_rows)^2 d). Steps "prepare", "pairs". Error(data) for rows that are not finite or
  /// labels that do not fit, Error(argument) on an option out of range.
  DriftStudy(const Rows& x, const Labels& blocks, const Labels& clusters, const DriftOptions& options,
             const Run& run);
  DriftStudy(DriftStudy&&) noexcept;
  ~DriftStudy();

  /// The blocks of one side against those of the other: no block twice. Error(data) if a side has no rows,
  /// or both together fewer than 4. Identical sides are at p-values of 1. Step "permute".
  DriftResult compare(const std::vector<Index>& old_blocks, const std::vector<Index>& new_blocks,
                      const Run& run) const;
  double bandwidth() const;  ///< the median distance: the width of the kernel

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Error(argument) unless `names` is a list of tests by name, parted by commas: "mmd,g-test". "all": all.
std::vector<DriftTest> drift_tests(const std::string& names);

}  // namespace shoal
