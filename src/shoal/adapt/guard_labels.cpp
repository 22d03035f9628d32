#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "shoal/adapt/centers_impl.h"
#include "shoal/adapt/guard_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/product.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

/// Average precision of a whole order, and the precision of its first n (of as many as there can be).
struct Ranked {
  double average = 0, first = 0;
};
Ranked judge_order(const std::vector<Index>& order, const std::vector<bool>& right, Index n) {
  Ranked out;
  double found = 0, all = 0;
  for (const bool r : right) all += r;
  for (Index i = 0; i < order.size(); ++i) {
    if (!right[order[i]]) continue;
    found += 1;
    out.average += found / static_cast<double>(i + 1);
    if (i < n) out.first += 1;
  }
  out.average /= all;
  out.first /= std::min(all, static_cast<double>(n));
  return out;
}

/// The guard of labels.
class LabelGuard {
 public:
  LabelGuard(const CorpusClusters& clusters, const Rows& texts, const Labels& labels,
             const ProfileOptions& options, const Run& run)
      : labels_(labels), options_(options), run_(run), texts_(unit_matrix(texts)), space_(texts.space()) {
    // What is held out is no example of other texts.
    clusters_ = clusters.without(texts_.view());
  }

  void judge(PersonaliseReport& report) {
    deal();
    for (Index f = 0; f < kFolds; ++f) judge_fold(f);
    report.order = grouped_gain(group_, average_before_, average_after_);
    for (Index t = 0; t < kLabelsTops.size(); ++t)
      report.tops.push_back({kLabelsTops[t], grouped_gain(group_, first_before_, first_after_[t])});
  }

 private:
  static constexpr Index kFolds = 3;

  /// Each label by itself, so that every fold has all of them; equal texts go together.
  void deal() {
    std::vector<Index> order;
    for (Index i = 0; i < texts_.rows(); ++i)
      if (labels_.of[i] != kNoise) order.push_back(i);
    const Random random(options_.seed.child(13));
    std::vector<std::pair<std::uint64_t, Index>> drawn;
    for (const Index i : order) {
      std::uint64_t hash = 0;
      for (const float v : texts_[i])
        hash = Random({hash}).bits(static_cast<std::uint64_t>(std::llround(static_cast<double>(v) * 1e6)));
      drawn.emplace_back(random.bits(hash), i);
    }
    std::ranges::sort(drawn);
    std::vector<Index> count(labels_.count);
    fold_.assign(texts_.rows(), kFolds);
    std::uint64_t last = 0;
    Index last_fold = 0;
    for (Index i = 0; i < drawn.size(); ++i) {
      const auto [draw, row] = drawn[i];
      const bool equal = i > 0 && draw == last;
      last_fold = equal ? last_fold : count[static_cast<Index>(labels_.of[row])]++ % kFolds;
      last = draw;
      fold_[row] = last_fold;
    }
    first_after_.assign(kLabelsTops.size(), {});
  }

  void judge_fold(Index f) {
    Labels train{.of = labels_.of, .count = labels_.count};
    std::vector<Index> held;
    for (Index i = 0; i < texts_.rows(); ++i)
      if (fold_[i] == f) {
        held.push_back(i);
        train.of[i] = kNoise;
      }
    const auto sizes = label_sizes(train);
    if (std::ranges::count_if(sizes, [](Index n) { return n > 0; }) < 2 || held.size() < 4) return;
    ProfileOptions options = options_;
    options.seed = options_.seed.child(20 + f);
    const Profile profile = Profile::fit(clusters_, Rows(texts_, space_), train, options, run_.quiet());
    held = some_of(held, kMostGuardGallery, options_.seed.child(50 + f));
    const Matrix gallery = select_rows(Rows(texts_), held).to_matrix();
    const auto prepared = profile.prepare(gallery.view());
    const Packed packed = Packed::rows(gallery);
    const std::vector<Index> asked =
        some_of(all_rows(held.size()), 4 * kMostGuardQueries, options_.seed.child(60 + f));
    const Index n = asked.size();
    struct One {
      bool counts = false;
      Ranked alone, order;
      std::array<Ranked, kLabelsTops.size()> tops;
    };
    std::vector<One> found(n);
    for_chunks(run_.quiet(), n, 8, [&](Index, Index first, Index last) {
      Matrix cosine(1, held.size());
      std::vector<float> map(held.size()), preferred(map), score(map);
      std::vector<bool> right(held.size());
      for (Index i = first; i < last; ++i) {
        const Index j = asked[i];
        const auto q = gallery[j];
        bool any = false;
        for (Index g = 0; g < held.size(); ++g) {
          right[g] = g != j && labels_.of[held[g]] == labels_.of[held[j]];
          any = any || right[g];
        }
        if (!any) continue;
        multiply({q.data(), 1, q.size(), q.size()}, packed, {}, Activation::none, cosine.span());
        const auto query = profile.ask(q);
        profile.compare(query, prepared, map, preferred);
        const auto ranked = [&](float gate, const Strength& s) {
          for (Index g = 0; g < score.size(); ++g)
            score[g] = g == j ? -10 : cosine[0][g] + gate * (s.map * map[g] + s.preferences * preferred[g]);
          return judge_order(best_rows(score, score.size()), right, options_.keep);
        };
        One& one = found[i];
        one.counts = true;
        one.alone = ranked(0, {});
        one.order = ranked(query.wide, kLabelsOrder);
        for (Index t = 0; t < kLabelsTops.size(); ++t) one.tops[t] = ranked(query.narrow, kLabelsTops[t]);
      }
    });
    for (Index i = 0; i < n; ++i) {
      if (!found[i].counts) continue;
      group_.push_back(labels_.of[held[asked[i]]]);
      average_before_.push_back(found[i].alone.average);
      average_after_.push_back(found[i].order.average);
      first_before_.push_back(found[i].alone.first);
      for (Index t = 0; t < kLabelsTops.size(); ++t) first_after_[t].push_back(found[i].tops[t].first);
    }
  }

  CorpusClusters clusters_;
  const Labels& labels_;
  const ProfileOptions& options_;
  const Run& run_;
  Matrix texts_;
  Space space_;
  std::vector<Index> fold_;
  std::vector<Label> group_;
  std::vector<double> average_before_, average_after_, first_before_;
  std::vector<std::vector<double>> first_after_;
};

}  // namespace

void judge_by_labels(const CorpusClusters& clusters, const Rows& texts, const Labels& labels,
                     const ProfileOptions& options, const Run& run, PersonaliseReport& report) {
  LabelGuard(clusters, texts, labels, options, run).judge(report);
}

}  // namespace shoal
