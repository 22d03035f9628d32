#include "shoal/adapt/personalise.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "shoal/adapt/centers_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kMostQueries = 500;   // of a fold
constexpr Index kMostGallery = 3000;  // rows of the corpus that they are compared with
constexpr Index kRankedAmong = 1000;  // of those, where places in whole lists are wanted
constexpr Index kResamples = 200;
constexpr Index kLeastJudgements = 10;
constexpr Strength kPairsOrder{1, 0.6f}, kLabelsOrder{1, 0};
// From gentle to strong.
constexpr std::array kPairsTops{Strength{0, 0.2f}, Strength{0.5f, 0.2f}, Strength{0, 0.6f},
                                Strength{0.5f, 0.6f}, Strength{1, 0.6f}};
constexpr std::array kLabelsTops{Strength{0.2f, 0}, Strength{0.5f, 0}, Strength{1, 0}};

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// The rows that a draw puts first, in order.
std::vector<Index> some_of(const std::vector<Index>& rows, Index most, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < rows.size(); ++i) drawn.emplace_back(random.bits(i), rows[i]);
  std::ranges::sort(drawn);
  if (drawn.size() > most) drawn.resize(most);
  std::vector<Index> out;
  for (const auto& [draw, row] : drawn) out.push_back(row);
  std::ranges::sort(out);
  return out;
}

std::vector<Index> all_rows(Index n) {
  std::vector<Index> out(n);
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

Label nearest_center(const Matrix& centers, std::span<const float> x) {
  Label best = 0;
  float most = -2;
  for (Index c = 0; c < centers.rows(); ++c)
    if (const float s = kernels().dot(centers[c].data(), x.data(), x.size()); s > most)
      most = s, best = static_cast<Label>(c);
  return best;
}

/// Of the first n of the rows by score, ties to the smaller row.
std::vector<Index> best_rows(const std::vector<float>& score, Index n) {
  std::vector<Index> order = all_rows(score.size());
  n = std::min(n, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(n), [&](Index a, Index b) {
    return score[a] != score[b] ? score[a] > score[b] : a < b;
  });
  order.resize(n);
  return order;
}

/// Mean of differences, whose error counts groups: differences inside one are not independent.
HeldOutGain grouped_gain(const std::vector<Label>& group, const std::vector<double>& before,
                         const std::vector<double>& after) {
  HeldOutGain out{.n = group.size()};
  if (group.empty()) return out;
  const auto n = static_cast<double>(group.size());
  Label most = 0;
  for (const Label g : group) most = std::max(most, g);
  std::vector<double> sum(static_cast<Index>(most) + 1), count(sum.size());
  for (Index i = 0; i < group.size(); ++i) {
    out.before += before[i] / n;
    out.after += after[i] / n;
    sum[static_cast<Index>(group[i])] += after[i] - before[i];
    count[static_cast<Index>(group[i])] += 1;
  }
  out.gain = out.after - out.before;
  double squares = 0, groups = 0;
  for (Index g = 0; g < sum.size(); ++g) {
    if (count[g] == 0) continue;
    const double off = sum[g] - out.gain * count[g];
    squares += off * off;
    groups += 1;
  }
  out.error = groups > 1 ? std::sqrt(squares * groups / (groups - 1)) / n : 1;
  return out;
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
      before += weight * area_under_curve(judged->before, judged->accepted);
      after += weight * area_under_curve(judged->after, judged->accepted);
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
        gallery_(unit_matrix(
            select_rows(corpus, some_of(all_rows(corpus.rows()), kMostGallery, options.seed.child(11))))) {
    deal();
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
    n_folds_ = pairs_.size() < 500 ? 5 : 3;
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
    queries = some_of(queries, kMostQueries, options_.seed.child(40 + i));
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

  const CorpusClusters& clusters_;
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
      : clusters_(clusters),
        labels_(labels),
        options_(options),
        run_(run),
        texts_(unit_matrix(texts)),
        space_(texts.space()) {}

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
    held = some_of(held, kMostGallery, options_.seed.child(50 + f));
    const Matrix gallery = select_rows(Rows(texts_), held).to_matrix();
    const auto prepared = profile.prepare(gallery.view());
    const Packed packed = Packed::rows(gallery);
    const Index n = std::min(held.size(), 4 * kMostQueries);
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
      for (Index j = first; j < last; ++j) {
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
        One& one = found[j];
        one.counts = true;
        one.alone = ranked(0, {});
        one.order = ranked(query.wide, kLabelsOrder);
        for (Index t = 0; t < kLabelsTops.size(); ++t) one.tops[t] = ranked(query.narrow, kLabelsTops[t]);
      }
    });
    for (Index j = 0; j < n; ++j) {
      if (!found[j].counts) continue;
      group_.push_back(labels_.of[held[j]]);
      average_before_.push_back(found[j].alone.average);
      average_after_.push_back(found[j].order.average);
      first_before_.push_back(found[j].alone.first);
      for (Index t = 0; t < kLabelsTops.size(); ++t) first_after_[t].push_back(found[j].tops[t].first);
    }
  }

  const CorpusClusters& clusters_;
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

double area_under_curve(const std::vector<double>& scores, const std::vector<bool>& accepted) {
  std::vector<Index> order = all_rows(scores.size());
  std::ranges::sort(order, [&](Index a, Index b) { return scores[a] < scores[b]; });
  double rejected = 0, right = 0, positive = 0;
  for (Index first = 0, last; first < order.size(); first = last) {
    double ties = 0, here = 0;
    for (last = first; last < order.size() && scores[order[last]] == scores[order[first]]; ++last)
      accepted[order[last]] ? here += 1 : ties += 1;
    right += here * (rejected + ties / 2);
    positive += here;
    rejected += ties;
  }
  return positive > 0 && rejected > 0 ? right / (positive * rejected) : 0.5;
}

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
  PairGuard(clusters, corpus, texts, settled, options, run).judge(report);
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
  LabelGuard(clusters, texts, labels, options, run).judge(report);
  if (report.order.n < kLeastJudgements) {
    report.reason = "fewer than " + std::to_string(kLeastJudgements) +
                    " texts have another one of their label beside them when a third is held out";
    return profile;
  }
  decide(report, profile, kLabelsTops, kLabelsOrder);
  return profile;
}

}  // namespace shoal
