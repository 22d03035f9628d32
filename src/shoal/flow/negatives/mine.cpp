#include "shoal/flow/negatives/mine.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/measure/similarity.h"
#include "shoal/near/drawn_rows.h"
#include "shoal/near/exact.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kAnchors = 512;  // searched at a time

/// Their ranks, their scores: what is left of the candidates of one anchor.
using Candidates = std::vector<ScoredPassage>;

class Mining {
 public:
  Mining(const Rows& anchors, const Rows& passages, const std::vector<std::vector<Index>>& positives,
         const std::vector<std::optional<Index>>& never, Index rows, const MineOptions& options,
         const JudgeAnchors& judge, const Run& run)
      : anchors_(anchors),
        passages_(passages),
        positives_(positives),
        never_(never),
        rows_(rows),
        o_(options),
        judge_(judge),
        run_(run) {}

  Mined finish() {
    const bool far = o_.absolute_margin || o_.relative_margin || o_.max_score || (judge_ && o_.min_score);
    out_.range_max = o_.range_max ? *o_.range_max : o_.range_min + (far ? 10 : 1) * o_.num_negatives + rows_;
    out_.anchors.resize(positives_.size());
    for (Index first = 0; first < positives_.size(); first += kAnchors) {
      if (run_.progress)
        run_.progress(judge_ ? "judge" : "neighbours", static_cast<double>(first),
                      static_cast<double>(positives_.size()));
      search(first, std::min(kAnchors, positives_.size() - first));
    }
    return std::move(out_);
  }

 private:
  /// Scores of anchor a[i] and passage p[i].
  std::vector<float> scores_of(const std::vector<Index>& a, const std::vector<Index>& p) const {
    if (judge_) {
      auto out = judge_(a, p);
      require(out.size() == a.size(), Fault::argument,
              "the judge gives " + std::to_string(out.size()) + " scores for " + std::to_string(a.size()) +
                  " pairs");
      for (Index i = 0; i < out.size(); ++i)
        require(std::isfinite(out[i]), Fault::data, "the judge gives a score that is not finite");
      return out;
    }
    std::vector<float> out;
    constexpr Index kPairs = 8192;
    for (Index first = 0; first < a.size(); first += kPairs) {
      const auto part = [&](const std::vector<Index>& all) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
        return std::vector<Index>(begin,
                                  begin + static_cast<std::ptrdiff_t>(std::min(kPairs, all.size() - first)));
      };
      const Matrix x = select_rows(anchors_, part(a)).to_matrix(),
                   y = select_rows(passages_, part(p)).to_matrix();
      for (const double s : pair_similarities(x.view(), y.view(), Similarity::cosine, run_.quiet()))
        out.push_back(static_cast<float>(s));
    }
    return out;
  }

  void search(Index first, Index count) {
    // One more than sentence-transformers asks for: the anchor's own text may be among them.
    const Index most = std::min(out_.range_max + rows_ + 1, passages_.rows());
    std::vector<Index> block(count);
    for (Index i = 0; i < count; ++i) block[i] = first + i;
    const Neighbours near =
        nearest(passages_, select_rows(anchors_, block), most, Metric::cosine, run_.quiet());
    std::vector<Index> a, p;
    std::vector<Index> ends;
    for (Index i = 0; i < count; ++i) {
      const Index anchor = first + i;
      for (const Index passage : positives_[anchor]) a.push_back(anchor), p.push_back(passage);
      Index taken = 0;  // positives among them too, as there
      for (Index j = 0; j < most && taken < out_.range_max + rows_; ++j) {
        const Index passage = near.id[i * most + j];
        const bool positive = std::ranges::find(positives_[anchor], passage) != positives_[anchor].end();
        if (!positive && never_[anchor] == passage) continue;
        ++taken;
        if (positive) continue;
        a.push_back(anchor), p.push_back(passage);
      }
      ends.push_back(p.size());
    }
    const std::vector<float> scores = scores_of(a, p);
    for (Index i = 0, at = 0; i < count; ++i) {
      MinedAnchor& anchor = out_.anchors[first + i];
      for (Index j = 0; j < positives_[first + i].size(); ++j, ++at)
        anchor.positives.push_back({p[at], scores[at]});
      Candidates candidates;
      for (; at < ends[i]; ++at) candidates.push_back({p[at], scores[at]});
      take(first + i, anchor, std::move(candidates));
    }
  }

  template <class Refuse>
  static void refuse(Candidates& from, Index& counter, const Refuse& refused) {
    counter += std::erase_if(from, [&](const ScoredPassage& one) { return refused(one.score); });
  }

  void take(Index number, MinedAnchor& anchor, Candidates candidates) {
    out_.candidates += candidates.size();
    float least = anchor.positives[0].score;
    for (const ScoredPassage& positive : anchor.positives) least = std::min(least, positive.score);
    std::ranges::sort(candidates, [](const ScoredPassage& x, const ScoredPassage& y) {
      return x.score != y.score ? x.score > y.score : x.passage < y.passage;
    });
    const auto nearer =
        std::ranges::count_if(candidates, [&](const ScoredPassage& c) { return c.score > least; });
    out_.nearer += static_cast<Index>(nearer);
    if (nearer > 0) anchor.nearer = candidates[0];
    if (o_.absolute_margin) {
      const auto margin = static_cast<float>(*o_.absolute_margin);
      refuse(candidates, out_.by_absolute_margin, [&](float s) { return s + margin > least; });
    }
    if (o_.relative_margin) {
      const float limit = least - std::abs(least) * static_cast<float>(*o_.relative_margin);
      refuse(candidates, out_.by_relative_margin, [&](float s) { return s > limit; });
    }
    if (o_.max_score)
      refuse(candidates, out_.by_max_score, [&](float s) { return s > static_cast<float>(*o_.max_score); });
    if (o_.min_score)
      refuse(candidates, out_.by_min_score, [&](float s) { return s < static_cast<float>(*o_.min_score); });
    if (candidates.size() > out_.range_max) candidates.resize(out_.range_max);
    candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(
                                                                  std::min(o_.range_min, candidates.size())));
    if (o_.sampling_strategy == NegativeSampling::top) {
      if (candidates.size() > o_.num_negatives) candidates.resize(o_.num_negatives);
      anchor.negatives = std::move(candidates);
    } else {
      for (const Index i : drawn_rows(candidates.size(), o_.num_negatives, o_.seed.child(number)))
        anchor.negatives.push_back(candidates[i]);
    }
    for (const ScoredPassage& negative : anchor.negatives) out_.nearer_taken += negative.score > least;
  }

  const Rows& anchors_;
  const Rows& passages_;
  const std::vector<std::vector<Index>>& positives_;
  const std::vector<std::optional<Index>>& never_;
  Index rows_;
  const MineOptions& o_;
  const JudgeAnchors& judge_;
  const Run& run_;
  Mined out_;
};

}  // namespace

void check_together(const MineOptions& o) {
  if (!o.range_max) return;
  require(o.range_min < *o.range_max, Fault::argument,
          option_name("range_min") + " is " + std::to_string(o.range_min) + "; allowed: below " +
              option_name("range_max") + ", " + std::to_string(*o.range_max));
  require(o.num_negatives <= *o.range_max - o.range_min, Fault::argument,
          option_name("num_negatives") + " is " + std::to_string(o.num_negatives) + "; between " +
              option_name("range_min") + " and " + option_name("range_max") + " there are " +
              std::to_string(*o.range_max - o.range_min) + " ranks");
}

Mined mine_negatives(const Rows& anchors, const Rows& passages,
                     const std::vector<std::vector<Index>>& positives,
                     const std::vector<std::optional<Index>>& never, Index rows, const MineOptions& options,
                     const JudgeAnchors& judge, const Run& run) {
  check_options(options);
  require(anchors.rows() == positives.size() && never.size() == positives.size(), Fault::argument,
          "mine_negatives: " + std::to_string(anchors.rows()) + " anchors, and positives of " +
              std::to_string(positives.size()));
  for (const auto& of_one : positives)
    require(!of_one.empty(), Fault::argument, "mine_negatives: an anchor has no positive");
  return Mining(anchors, passages, positives, never, rows, options, judge, run).finish();
}

}  // namespace shoal
