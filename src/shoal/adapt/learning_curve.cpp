#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "shoal/adapt/centers_impl.h"
#include "shoal/adapt/guard_impl.h"
#include "shoal/adapt/personalise.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/measure/classification.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kLeastPairs = 60;

/// Pairs to learn from, and those held out of clusters that are learnt from and that are not.
struct Dealt {
  std::vector<JudgedPair> train, seen, unseen;
};

bool both_kinds(const std::vector<JudgedPair>& pairs) {
  const auto n = std::ranges::count_if(pairs, &JudgedPair::accepted);
  return n > 0 && static_cast<Index>(n) < pairs.size();
}

/// A third of the clusters is never learnt from. Pairs between the two kinds of clusters are not used.
Dealt deal(const Matrix& texts, const std::vector<JudgedPair>& pairs, Seed seed, const Run& run) {
  std::vector<Index> used;
  for (const JudgedPair& p : pairs) used.push_back(p.a), used.push_back(p.b);
  std::ranges::sort(used);
  used.erase(std::ranges::unique(used).begin(), used.end());
  const Matrix about = select_rows(Rows(texts), used).to_matrix();
  const auto found = unit_centers(about.view(), std::clamp<Index>(used.size() / 8, 3, 30), seed, run);
  std::vector<bool> unseen(texts.rows());
  const Random random(seed.child(1));
  for (Index i = 0; i < used.size(); ++i)
    unseen[used[i]] = found.label[i] == kNoise || random.below(static_cast<Index>(found.label[i]), 3) == 0;
  Dealt out;
  const Random held(seed.child(2));
  for (Index i = 0; i < pairs.size(); ++i) {
    if (unseen[pairs[i].a] != unseen[pairs[i].b]) continue;
    (unseen[pairs[i].a] ? out.unseen : held.below(i, 4) == 0 ? out.seen : out.train).push_back(pairs[i]);
  }
  // In an order of chance: its beginning is feedback of all kinds, not of the first texts.
  const Random order(seed.child(3));
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < out.train.size(); ++i) drawn.emplace_back(order.bits(i), i);
  std::ranges::sort(drawn);
  std::vector<JudgedPair> train;
  for (const auto& [draw, i] : drawn) train.push_back(out.train[i]);
  out.train = std::move(train);
  return out;
}

double area_by(const std::vector<JudgedPair>& pairs, const auto& score) {
  std::vector<double> scores;
  std::vector<bool> accepted;
  for (const JudgedPair& p : pairs) {
    scores.push_back(score(p));
    accepted.push_back(p.accepted);
  }
  return area_under_roc(scores, accepted);
}

double cosine(const Matrix& x, const JudgedPair& p) {
  return kernels().dot(x[p.a].data(), x[p.b].data(), x.cols());
}

Matrix moved(const Matrix& x, const Matrix& map) {
  Matrix out(x.rows(), x.cols());
  multiply(x.view(), Packed::rows(map), {}, Activation::none, out.span());
  for (Index i = 0; i < x.rows(); ++i) kernels().axpy(1, x[i].data(), out[i].data(), x.cols());
  unit_rows(out.span());
  return out;
}

Matrix of_rank(const Matrix& map, Index rank) {
  const LowRank parts = low_rank(map, rank);
  Matrix out(map.rows(), map.cols());
  multiply(parts.left.view(), Packed::columns(parts.right.view()), {}, Activation::none, out.span());
  return out;
}

/// A pair as a search would rank it: what the profile adds is compared with what it adds to the query itself,
/// so that queries near the feedback and far from it can be compared.
double by_profile(const Profile& profile, const Matrix& x, const JudgedPair& p) {
  const auto one_way = [&](Index q, Index g) {
    const auto query = profile.ask(x[q]);
    const MatrixView text{x[g].data(), 1, x.cols(), x.cols()};
    float map = 0, preferred = 0;
    profile.compare(query, profile.prepare(text), {&map, 1}, {&preferred, 1});
    return query.wide * (kPairsOrder.map * (map - 0.5) + kPairsOrder.preferences * preferred);
  };
  return cosine(x, p) + (one_way(p.a, p.b) + one_way(p.b, p.a)) / 2;
}

}  // namespace

std::vector<CurvePoint> learning_curve(const CorpusClusters& clusters, const Rows& texts,
                                       const std::vector<JudgedPair>& pairs, const ProfileOptions& options,
                                       const Run& run) {
  FeedbackConflicts ignored;
  const auto settled = settle_pairs(pairs, texts.rows(), ignored);
  if (settled.size() < kLeastPairs) return {};
  const Matrix x = unit_matrix(texts);
  const Dealt dealt = deal(x, settled, options.seed.child(60), run);
  if (!both_kinds(dealt.seen) || !both_kinds(dealt.unseen)) return {};
  const auto alone = [&](const JudgedPair& p) { return cosine(x, p); };
  const double seen_before = area_by(dealt.seen, alone), unseen_before = area_by(dealt.unseen, alone);
  // What is held out is no example of other texts.
  const CorpusClusters others = clusters.without(x.view());
  std::vector<CurvePoint> out;
  const auto add = [&](const char* way, Index n, const auto& score) {
    out.push_back(
        {way, n, area_by(dealt.seen, score), area_by(dealt.unseen, score), seen_before, unseen_before});
  };
  for (const Index parts : {Index{8}, Index{4}, Index{2}, Index{1}}) {
    const Index n = dealt.train.size() / parts;
    const std::vector<JudgedPair> some(dealt.train.begin(),
                                       dealt.train.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < 8 || !both_kinds(some)) continue;
    check_stop(run);
    const Seed seed = options.seed.child(61);
    const Profile profile = Profile::fit(others, Rows(x, texts.space()), some, options, run.quiet());
    add("profile with its gate", n, [&](const JudgedPair& p) { return by_profile(profile, x, p); });
    const Matrix map = learn_pair_map(x.view(), some, PairLoss::cosine, seed, run.quiet());
    const Matrix far = learn_pair_map(x.view(), some, PairLoss::contrastive, seed, run.quiet());
    const Matrix whole = moved(x, map), narrow = moved(x, of_rank(map, 16)), distance = moved(x, far);
    add("map alone", n, [&](const JudgedPair& p) { return cosine(whole, p); });
    add("map of rank 16", n, [&](const JudgedPair& p) { return cosine(narrow, p); });
    add("map by a distance loss", n, [&](const JudgedPair& p) { return cosine(distance, p); });
    if (run.progress) run.progress("learning curve", 9 - static_cast<double>(parts), 8);
  }
  return out;
}

}  // namespace shoal
