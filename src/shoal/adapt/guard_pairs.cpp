#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "shoal/adapt/centers_impl.h"
#include "shoal/adapt/guard_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"
#include "shoal/measure/classification.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kRankedAmong = 1000;  // of the gallery, where places in whole lists are wanted
constexpr Index kResamples = 200;

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

Label nearest_center(const Matrix& centers, std::span<const float> x) {
  Label best = 0;
  float most = -2;
  for (Index c = 0; c < centers.rows(); ++c)
    if (const float s = kernels().dot(centers[c].data(), x.data(), x.size()); s > most)
      most = s, best = static_cast<Label>(c);
  return best;
}

/// P(accepted | cosine, what the profile adds) by logistic regression with a ridge, by Newton's steps.
class AcceptanceModel {
 public:
  AcceptanceModel(const std::vector<std::array<double, 2>>& x, const std::vector<bool>& y) {
    for (int step = 0; step < 25; ++step) {
      std::array<double, 3> gradient{};
      std::array<std::array<double, 3>, 3> curve{};
      for (Index i = 0; i < x.size(); ++i) {
        const std::array<double, 3> row{1, x[i][0], x[i][1]};
        const double p = (*this)(x[i][0], x[i][1]), w = std::max(1e-9, p * (1 - p));
        for (int a = 0; a < 3; ++a) {
          gradient[a] += (p - (y[i] ? 1 : 0)) * row[a];
          for (int b = 0; b < 3; ++b) curve[a][b] += w * row[a] * row[b];
        }
      }
      for (int a = 0; a < 3; ++a) {
        const double ridge = a == 0 ? 1e-6 : 1;
        gradient[a] += ridge * beta_[a];
        curve[a][a] += ridge;
      }
      solve(curve, gradient);
      for (int a = 0; a < 3; ++a) beta_[a] -= gradient[a];
    }
  }
  double operator()(double cosine, double added) const {
    return sigmoid(std::clamp(beta_[0] + beta_[1] * cosine + beta_[2] * added, -30.0, 30.0));
  }

 private:
  /// b becomes a^-1 b; a is positive definite.
  static void solve(std::array<std::array<double, 3>, 3> a, std::array<double, 3>& b) {
    for (int i = 0; i < 3; ++i)
      for (int r = i + 1; r < 3; ++r) {
        const double f = a[r][i] / a[i][i];
        for (int c = i; c < 3; ++c) a[r][c] -= f * a[i][c];
        b[r] -= f * b[i];
      }
    for (int i = 2; i >= 0; --i) {
      for (int c = i + 1; c < 3; ++c) b[i] -= a[i][c] * b[c];
      b[i] /= a[i][i];
    }
  }
  std::array<double, 3> beta_{};
};

/// Held-out judgements of one fold: scores before and after.
struct Judged {
  std::vector<double> cosine, added;  // what the profile adds, against its mean over the corpus
  std::vector<double> before, after;  // rows of the corpus that stand lower
  std::vector<bool> accepted;
};

/// Area under the curve, mean over the folds by their judgements; its error by a bootstrap inside each fold.
HeldOutGain area_gain(const std::vector<Judged>& folds, Seed seed) {
  HeldOutGain out;
  const auto mean = [&](const std::optional<Index>& resample, double& before, double& after) {
    double n = 0;
    before = after = 0;
    for (Index f = 0; f < folds.size(); ++f) {
      const Judged* judged = &folds[f];
      Judged drawn;
      if (resample) {
        const Random random(seed.child(*resample * folds.size() + f));
        for (Index i = 0; i < judged->before.size(); ++i) {
          const Index j = random.below(i, judged->before.size());
          drawn.before.push_back(judged->before[j]);
          drawn.after.push_back(judged->after[j]);
          drawn.accepted.push_back(judged->accepted[j]);
        }
        judged = &drawn;
      }
      const auto weight = static_cast<double>(judged->before.size());
      before += weight * area_under_roc(judged->before, judged->accepted);
      after += weight * area_under_roc(judged->after, judged->accepted);
      n += weight;
    }
    if (n > 0) before /= n, after /= n;
  };
  mean({}, out.before, out.after);
  out.gain = out.after - out.before;
  for (const Judged& fold : folds) out.n += fold.before.size();
  double sum = 0, squares = 0;
  for (Index r = 0; r < kResamples; ++r) {
    double before = 0, after = 0;
    mean(r, before, after);
    sum += after - before;
    squares += (after - before) * (after - before);
  }
  const double m = sum / kResamples;
  out.error = std::sqrt(std::max(0.0, squares / kResamples - m * m));
  return out;
}

/// The guard of pairs.
class PairGuard {
 public:
  PairGuard(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
            const std::vector<JudgedPair>& pairs, const ProfileOptions& options, const Run& run)
      : clusters_(clusters),
        pairs_(pairs),
        options_(options),
        run_(run),
        texts_(unit_matrix(texts)),
        space_(texts.space()),
        gallery_(unit_matrix(select_rows(
            corpus, some_of(all_rows(corpus.rows()), kMostGuardGallery, options.seed.child(11))))) {
    deal();
    // What is held out is no example of other texts.
    const Matrix about = select_rows(Rows(texts_), used_).to_matrix();
    clusters_ = clusters.without(about.view());
  }

  void judge(PersonaliseReport& report) {
    for (Index f = 0; f < n_folds_; ++f) learn_fold(f);
    report.order = area_gain(judged_, options_.seed.child(12));
    if (judged_.empty()) return;
    std::vector<std::array<double, 2>> x;
    std::vector<bool> y;
    for (const Judged& fold : judged_)
      for (Index i = 0; i < fold.before.size(); ++i) {
        x.push_back({fold.cosine[i], fold.added[i]});
        y.push_back(fold.accepted[i]);
      }
    const AcceptanceModel model(x, y);
    groups_.clear();
    before_.assign(kPairsTops.size(), {});
    after_ = before_;
    for (Index i = 0; i < profiles_.size(); ++i) judge_tops(i, model);
    for (Index t = 0; t < kPairsTops.size(); ++t)
      report.tops.push_back({kPairsTops[t], grouped_gain(groups_, before_[t], after_[t])});
  }

 private:
  void deal() {
    for (const JudgedPair& p : pairs_) used_.push_back(p.a), used_.push_back(p.b);
    std::ranges::sort(used_);
    used_.erase(std::ranges::unique(used_).begin(), used_.end());
    // A pair is held out with either of its texts: of few pairs many folds must leave enough to learn from.
    n_folds_ = pairs_.size() < 100 ? 10 : pairs_.size() < 500 ? 5 : 3;
    fold_.assign(texts_.rows(), 0);
    // Dealt out in an order by the seed; equal texts go together.
    std::vector<Index> order = used_;
    std::ranges::sort(
        order, [&](Index a, Index b) { return std::ranges::lexicographical_compare(texts_[a], texts_[b]); });
    const Random random(options_.seed.child(13));
    Index draw = 0;
    for (Index i = 0; i < order.size(); ++i) {
      if (i > 0 && !std::ranges::equal(texts_[order[i]], texts_[order[i - 1]])) ++draw;
      fold_[order[i]] = random.below(draw, n_folds_);
    }
    cluster_.assign(texts_.rows(), 0);
    for (const Index i : used_) cluster_[i] = nearest_center(clusters_.centers, texts_[i]);
    for (Index g = 0; g < gallery_.rows(); ++g)
      gallery_cluster_.push_back(nearest_center(clusters_.centers, gallery_[g]));
  }

  bool held_out(const JudgedPair& p, Index f) const { return fold_[p.a] == f || fold_[p.b] == f; }

  void learn_fold(Index f) {
    std::vector<JudgedPair> train, test;
    for (const JudgedPair& p : pairs_) (held_out(p, f) ? test : train).push_back(p);
    const auto accepted = std::ranges::count_if(train, &JudgedPair::accepted);
    if (accepted == 0 || static_cast<Index>(accepted) == train.size() || test.empty()) return;
    ProfileOptions options = options_;
    options.seed = options_.seed.child(20 + f);
    profiles_.push_back(Profile::fit(clusters_, Rows(texts_, space_), train, options, run_.quiet()));
    folds_.push_back(f);
    tests_.push_back(test);
    judge_pairs(profiles_.back(), f, test);
  }

  /// The text held out asks, the other one answers: where does it stand among the corpus? Scores of different
  /// queries are not compared.
  void judge_pairs(const Profile& profile, Index f, const std::vector<JudgedPair>& test) {
    const MatrixView among = gallery_.view().slice(0, std::min(kRankedAmong, gallery_.rows()));
    const auto prepared = profile.prepare(among);
    const Packed packed = Packed::rows(among);
    Judged out;
    for (auto* values : {&out.cosine, &out.before, &out.after, &out.added}) values->resize(test.size());
    for_chunks(run_.quiet(), test.size(), 16, [&](Index, Index first, Index last) {
      Matrix cosine(1, among.rows);
      std::vector<float> map(among.rows), preferred(among.rows);
      for (Index i = first; i < last; ++i) {
        const bool swap = fold_[test[i].a] != f;
        const auto q = texts_[swap ? test[i].b : test[i].a], g = texts_[swap ? test[i].a : test[i].b];
        const auto query = profile.ask(q);
        const auto text = profile.prepare({g.data(), 1, g.size(), g.size()});
        float own_map = 0, own_preferred = 0;
        profile.compare(query, text, {&own_map, 1}, {&own_preferred, 1});
        profile.compare(query, prepared, map, preferred);
        multiply({q.data(), 1, q.size(), q.size()}, packed, {}, Activation::none, cosine.span());
        const auto adds = [&](float m, float p) {
          return query.wide * (kPairsOrder.map * m + kPairsOrder.preferences * p);
        };
        const float own = kernels().dot(q.data(), g.data(), q.size()),
                    own_added = adds(own_map, own_preferred);
        double mean = 0;
        for (Index r = 0; r < among.rows; ++r) {
          const float added = adds(map[r], preferred[r]);
          mean += added;
          out.before[i] += cosine[0][r] < own;
          out.after[i] += cosine[0][r] + added < own + own_added;
        }
        out.cosine[i] = own;
        out.added[i] = own_added - mean / static_cast<double>(among.rows);
      }
    });
    for (const JudgedPair& p : test) out.accepted.push_back(p.accepted);
    judged_.push_back(std::move(out));
  }

  void judge_tops(Index i, const AcceptanceModel& model) {
    const Profile& profile = profiles_[i];
    const Index k = clusters_.centers.rows(), keep = options_.keep;
    std::vector<double> accepted(k * k), judged(k * k);
    for (const JudgedPair& p : tests_[i]) {
      const auto a = static_cast<Index>(cluster_[p.a]), b = static_cast<Index>(cluster_[p.b]);
      for (const Index at : a == b ? std::vector{a * k + b} : std::vector{a * k + b, b * k + a}) {
        accepted[at] += p.accepted;
        judged[at] += 1;
      }
    }
    std::vector<Index> queries;
    for (const Index t : used_)
      if (fold_[t] == folds_[i]) queries.push_back(t);
    queries = some_of(queries, kMostGuardQueries, options_.seed.child(40 + i));
    const auto prepared = profile.prepare(gallery_.view());
    const Packed packed = Packed::rows(gallery_);
    const Index base = groups_.size();
    groups_.resize(base + queries.size());
    for (auto* of : {&before_, &after_})
      for (auto& values : *of) values.resize(base + queries.size());
    for_chunks(run_.quiet(), queries.size(), 8, [&](Index, Index first, Index last) {
      Matrix cosine(1, gallery_.rows());
      std::vector<float> score(gallery_.rows()), map(score), preferred(score);
      for (Index j = first; j < last; ++j) {
        const auto q = texts_[queries[j]];
        multiply({q.data(), 1, q.size(), q.size()}, packed, {}, Activation::none, cosine.span());
        const auto query = profile.ask(q);
        profile.compare(query, prepared, map, preferred);
        const Label cluster = cluster_[queries[j]];
        const auto adds = [&](Index g) {
          return query.wide * (kPairsOrder.map * map[g] + kPairsOrder.preferences * preferred[g]);
        };
        double mean = 0;
        for (Index g = 0; g < score.size(); ++g) mean += adds(g);
        mean /= static_cast<double>(score.size());
        const auto precision = [&](const Strength& s) {
          for (Index g = 0; g < score.size(); ++g)
            score[g] = cosine[0][g] + query.narrow * (s.map * map[g] + s.preferences * preferred[g]);
          double sum = 0;
          const auto best = best_rows(score, keep);
          for (const Index g : best) {
            const Index at = static_cast<Index>(cluster) * k + static_cast<Index>(gallery_cluster_[g]);
            constexpr double kPrior = 2;
            sum += (accepted[at] + kPrior * model(cosine[0][g], adds(g) - mean)) / (judged[at] + kPrior);
          }
          return sum / static_cast<double>(best.size());
        };
        groups_[base + j] = cluster;
        const double alone = precision({});
        for (Index t = 0; t < kPairsTops.size(); ++t) {
          before_[t][base + j] = alone;
          after_[t][base + j] = query.narrow > 0 ? precision(kPairsTops[t]) : alone;
        }
      }
    });
  }

  CorpusClusters clusters_;
  const std::vector<JudgedPair>& pairs_;
  const ProfileOptions& options_;
  const Run& run_;
  Matrix texts_;
  Space space_;
  Matrix gallery_;
  std::vector<Label> cluster_, gallery_cluster_;
  std::vector<Index> used_, fold_;
  Index n_folds_ = 3;
  std::vector<Profile> profiles_;
  std::vector<Index> folds_;
  std::vector<std::vector<JudgedPair>> tests_;
  std::vector<Judged> judged_;
  std::vector<Label> groups_;
  std::vector<std::vector<double>> before_, after_;
};

}  // namespace

void judge_by_pairs(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const std::vector<JudgedPair>& pairs, const ProfileOptions& options, const Run& run,
                    PersonaliseReport& report) {
  PairGuard(clusters, corpus, texts, pairs, options, run).judge(report);
}

}  // namespace shoal
