#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

enum class NegativeSampling : std::uint8_t {
  top,    ///< the nearest
  random  ///< drawn by the seed from all that are allowed
};
constexpr auto names_of(NegativeSampling) { return std::array{"top", "random"}; }

/// Which passages may be negatives of an anchor; as sentence_transformers.util.mine_hard_negatives.
struct MineOptions {
  Index num_negatives = 3;
  Index range_min = 0;             ///< the nearest so many that are allowed are passed over
  std::optional<Index> range_max;  ///< no further than this rank; absent: as far as is likely to be needed
  std::optional<double> max_score, min_score;
  /// Scores above (the least score of the anchor's positives) - absolute_margin are refused; the same for
  /// relative_margin times the size of that score.
  std::optional<double> absolute_margin, relative_margin;
  NegativeSampling sampling_strategy = NegativeSampling::top;
  Seed seed{42};

  bool filtered() const { return max_score || min_score || absolute_margin || relative_margin; }
};
template <class V>
void fields(MineOptions& o, V&& visit) {
  visit("num_negatives", o.num_negatives, "negatives an anchor", between(1, 1000));
  visit("range_min", o.range_min,
        "pass over so many of the nearest, which may be positives that nobody marked", between(0, 1'000'000));
  visit("range_max", o.range_max,
        "look no further than this rank. Default: range_min + num_negatives, or with margins or limits "
        "range_min + 10 num_negatives; and as many as an anchor has positives",
        between(1, 1'000'000));
  visit("max_score", o.max_score, "refuse passages with a higher score (cosine, or what --judge says)");
  visit("min_score", o.min_score, "refuse passages with a lower score");
  visit("absolute_margin", o.absolute_margin,
        "refuse passages that score above the anchor's positive minus this; 0: none above the positive");
  visit("relative_margin", o.relative_margin,
        "the same as a share of the positive's score; 0.05: at most 95% of it", at_least(0));
  visit("sampling_strategy", o.sampling_strategy, "the nearest that are allowed, or drawn from them");
  visit("seed", o.seed, "start of all randomness");
}
/// Error(argument) if the ranks leave no room for the negatives.
void check_together(const MineOptions& options);

/// A passage and its score.
struct ScoredPassage {
  Index passage = 0;
  float score = 0;
};

/// An anchor, what belongs to it, and what was found.
struct MinedAnchor {
  std::vector<ScoredPassage> positives;  ///< in the order given
  std::vector<ScoredPassage> negatives;  ///< best first; fewer than wanted where no more are allowed
  /// The nearest passage that scores above the least positive and was not taken for a negative because of it,
  /// or was, where nothing forbids it.
  std::optional<ScoredPassage> nearer;
};

struct Mined {
  std::vector<MinedAnchor> anchors;
  Index range_max = 0;     ///< that was used
  Index candidates = 0;    ///< passages looked at
  Index nearer = 0;        ///< of them score above the least positive: false negatives, as it seems
  Index nearer_taken = 0;  ///< of these became negatives
  Index by_absolute_margin = 0, by_relative_margin = 0, by_max_score = 0, by_min_score = 0;  ///< refused by
};

/// Scores of pairs by a judge, as a cross-encoder: of anchor a[i] and passage p[i].
using JudgeAnchors =
    std::function<std::vector<float>(const std::vector<Index>& anchors, const std::vector<Index>& passages)>;

/// positives[a]: passages of anchor a, at least one, each once; rows: how many rows said so, at most (a pair
/// may stand in several). never[a]: a passage that is no negative either, as it has the anchor's own text.
/// Searches all passages by cosine, exactly (near/exact.h): range_max and as many more as an anchor has
/// positives; scores them (by the judge, if there is one), refuses by margin and limits, and takes negatives.
/// Equal to sentence-transformers' for `top`, but for ties, which go to the earlier passage. The same bits
/// for any number of threads. Error(argument) as check_together. Steps "neighbours", "judge".
Mined mine_negatives(const Rows& anchors, const Rows& passages,
                     const std::vector<std::vector<Index>>& positives,
                     const std::vector<std::optional<Index>>& never, Index rows, const MineOptions& options,
                     const JudgeAnchors& judge, const Run& run);

}  // namespace shoal
