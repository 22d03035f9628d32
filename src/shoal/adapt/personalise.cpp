#include "shoal/adapt/personalise.h"

#include <algorithm>

#include "shoal/adapt/guard_impl.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kLeastJudgements = 10;

template <class Tops>
void decide(PersonaliseReport& report, Profile& profile, const Tops& tops, Strength order) {
  if (!(report.order.gain > 0 && report.order.gain > report.order.error)) {
    report.trust = Trust::none;
    profile.set_strengths({}, {});
    return;
  }
  report.trust = Trust::order;
  Strength top;
  double best = 0;
  for (const auto& t : report.tops)
    if (report.order.gain > report.order.error && t.precision.n > 0 && t.precision.low() > 0 &&
        t.precision.gain > best) {
      best = t.precision.gain;
      top = t.strength;
      report.trust = Trust::top;
    }
  if (report.trust == Trust::order && report.order.gain > report.order.error && !report.tops.empty() &&
      report.tops[0].precision.n > 0 && report.tops[0].precision.high() >= 0) {
    top = tops[0];
    report.trust = Trust::gentle;
  }
  profile.set_strengths(order, top);
}

}  // namespace

Profile personalise(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const std::vector<JudgedPair>& pairs, const ProfileOptions& options,
                    PersonaliseReport& report, const Run& run) {
  report = {};
  const auto settled = settle_pairs(pairs, texts.rows(), report.conflicts);
  std::vector<bool> used(texts.rows());
  for (const JudgedPair& p : settled) {
    used[p.a] = used[p.b] = true;
    ++(p.accepted ? report.accepted : report.rejected);
  }
  report.texts = static_cast<Index>(std::ranges::count(used, true));
  Profile profile = Profile::fit(clusters, texts, settled, options, run);
  if (settled.size() < kLeastJudgements) {
    report.reason = "fewer than " + std::to_string(kLeastJudgements) + " judgements";
    return profile;
  }
  judge_by_pairs(clusters, corpus, texts, settled, options, run, report);
  if (report.order.n == 0) {
    report.reason = "too few accepted or rejected pairs to hold some out";
    return profile;
  }
  decide(report, profile, kPairsTops, kPairsOrder);
  return profile;
}

Profile personalise(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const Labels& labels, const ProfileOptions& options, PersonaliseReport& report,
                    const Run& run) {
  check_input(corpus, clusters.space.dims, clusters.space, "the corpus");
  report = {};
  report.of_labels = true;
  for (const Index n : label_sizes(labels)) {
    report.texts += n;
    report.labels += n > 0;
  }
  Profile profile = Profile::fit(clusters, texts, labels, options, run);
  judge_by_labels(clusters, texts, labels, options, run, report);
  if (report.order.n < kLeastJudgements) {
    report.reason = "fewer than " + std::to_string(kLeastJudgements) +
                    " texts have another one of their label beside them when a third is held out";
    return profile;
  }
  decide(report, profile, kLabelsTops, kLabelsOrder);
  return profile;
}

}  // namespace shoal
