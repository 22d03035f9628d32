#include "shoal/cluster/selection/fit_range.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "shoal/cluster/selection/objections_impl.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr Index kTries = 16;  // numbers of clusters that are tried where each is a fit of its own

/// 2, 3, 4, 5, 7, ...: about `most` numbers from min to max, each the last one times a constant.
std::vector<Index> spaced(ClusterRange range, Index most) {
  std::vector<Index> out;
  const double ratio = std::pow(static_cast<double>(range.max) / static_cast<double>(range.min),
                                1.0 / static_cast<double>(most - 1));
  for (Index i = 0; i < most; ++i) {
    const double exact = static_cast<double>(range.min) * std::pow(ratio, static_cast<double>(i));
    const auto k = std::clamp(static_cast<Index>(std::lround(exact)), range.min, range.max);
    if (out.empty() || k > out.back()) out.push_back(k);
  }
  return out;
}

bool is_joining(const MethodOptions& method) {
  return std::holds_alternative<AgglomerativeOptions>(method.of);
}

/// The message without its hint, as a clause of a sentence.
std::string clause(const Error& e) {
  const Error bare(e.fault, e.marked);
  return bare.text([](std::string_view name) {
    return name == "n_clusters" ? std::string("the number of clusters") : std::string(name);
  });
}

/// One call of fit_range.
class RangeFit {
 public:
  RangeFit(const Rows& x, MethodOptions method, const FitRangeOptions& options, const Run& run)
      : x_(x),
        method_(std::move(method)),
        options_(options),
        judge_(options.judge),
        run_(run),
        quiet_(run.quiet()) {
    judge_.silhouette = judge_.silhouette || options.criterion == Criterion::silhouette;
  }

  FittedChoice finish() {
    const std::vector<Index> numbers = numbers_to_try(method_, options_.range, x_.rows());
    return is_joining(method_) ? cut(numbers) : fit_each(numbers);
  }

 private:
  bool by_stability() const { return options_.criterion == Criterion::stability; }

  /// Every number from one tree.
  FittedChoice cut(const std::vector<Index>& numbers) {
    method_.set_n_clusters(1);
    const auto joined = Agglomerative::fit(x_, std::get<AgglomerativeOptions>(method_.of), run_);
    const Dendrogram& tree = joined.dendrogram();
    const ClusterRange range = range_within(tree, {numbers.front(), numbers.back()});
    for (Separation& s : judge_dendrogram(x_, tree, range, judge_, run_))
      tried_.push_back({s.n_clusters, std::move(s), {}});
    if (by_stability()) {
      std::vector<Labels> cuts;
      for (const TriedK& t : tried_) cuts.push_back(tree.cut(t.n_clusters));
      const auto join = [&](const Rows& x) { return *dendrogram_of(fit_clusterer(x, method_, quiet_)); };
      auto found = measure_stability(x_, cuts, join, options_.stability, run_);
      for (Index i = 0; i < tried_.size(); ++i) tried_[i].stability = std::move(found[i]);
    }
    ChosenK chosen = choose();
    AnyClusterer fitted = joined.with_clusters(chosen.n_clusters, x_, run_);
    TriedK judged = chosen_one(chosen);
    judged.measures = judge_labels(x_, labels_of(fitted), judge_, run_);
    return {std::move(fitted), std::move(judged), std::move(tried_), std::move(chosen)};
  }

  /// The numbers that a tree can be cut into without parting equal rows.
  ClusterRange range_within(const Dendrogram& tree, ClusterRange range) {
    const auto joined = std::ranges::count_if(tree.merges, [](const Merge& m) { return m.height > 0; });
    const Index most = static_cast<Index>(joined) + 1;
    if (range.max <= most) return range;
    ended_ = "only " + std::to_string(most) + " distinct rows were given";
    require(range.min <= most, Fault::data,
            option_name("n_clusters") + " is to be chosen from " + std::to_string(range.min) + " on, but " +
                ended_);
    range.max = most;
    return range;
  }

  FittedChoice fit_each(const std::vector<Index>& numbers) {
    std::optional<AnyClusterer> best;
    for (Index i = 0; i < numbers.size(); ++i) {
      say(i, numbers.size());
      method_.set_n_clusters(numbers[i]);
      auto found = try_fit(i == 0);
      if (!found) break;
      if (compact_labels(labels_of(*found)).original.size() <
          2) {  // nothing stands apart: no criterion has a value
        passed_over_.push_back(numbers[i]);
        continue;
      }
      const TriedK& t = tried_.emplace_back(judged(*found, numbers[i]));
      if (options_.criterion == Criterion::elbow) continue;
      const double value = criterion_value(options_.criterion, t);
      if (best && !is_chosen_over(options_.criterion, value, best_value_)) continue;
      best = std::move(found);
      best_value_ = value;
      best_k_ = t.n_clusters;
    }
    say(numbers.size(), numbers.size());
    if (tried_.empty())
      throw Error(Fault::data, "for each number of clusters that was tried, from " +
                                   std::to_string(passed_over_.front()) + " to " +
                                   std::to_string(passed_over_.back()) + ", " + std::string(method_.kind()) +
                                   " finds only one: there is nothing to choose from; " +
                                   option_name("method") + " spherical_kmeans always divides");
    ChosenK chosen = choose();
    if (!best || best_k_ != chosen.n_clusters) {
      method_.set_n_clusters(chosen.n_clusters);
      best = fit_clusterer(x_, method_, run_);
    }
    TriedK judged = chosen_one(chosen);
    return {std::move(*best), std::move(judged), std::move(tried_), std::move(chosen)};
  }

  void say(Index done, Index total) const {
    if (run_.progress)
      run_.progress("numbers of clusters", static_cast<double>(done), static_cast<double>(total));
  }

  /// Nothing if there are too few distinct rows for so many clusters, unless it is the first try.
  std::optional<AnyClusterer> try_fit(bool first) {
    try {
      return fit_clusterer(x_, method_, quiet_);
    } catch (const Error& e) {
      if (first || e.fault != Fault::data) throw;
      ended_ = clause(e);
      return std::nullopt;
    }
  }

  TriedK judged(const AnyClusterer& fitted, Index n_clusters) const {
    const Labels& labels = labels_of(fitted);
    TriedK out{n_clusters, judge_labels(x_, labels, judge_, quiet_), {}};
    if (by_stability()) out.stability = measure_stability(x_, labels, method_, options_.stability, quiet_);
    return out;
  }

  ChosenK choose() const {
    ChosenK chosen = choose_k(options_.criterion, tried_);
    if (!ended_.empty()) chosen.against.push_back(objections::range_ended(chosen.tried_max, ended_));
    if (!passed_over_.empty()) chosen.against.push_back(objections::passed_over(passed_over_));
    return chosen;
  }

  const TriedK& chosen_one(const ChosenK& chosen) const {
    return *std::ranges::find(tried_, chosen.n_clusters, &TriedK::n_clusters);
  }

  const Rows& x_;
  MethodOptions method_;
  const FitRangeOptions& options_;
  JudgeOptions judge_;
  const Run& run_;
  Run quiet_;
  std::vector<TriedK> tried_;
  double best_value_ = 0;
  Index best_k_ = 0;
  std::vector<Index> passed_over_;  // numbers for which the method found a single cluster
  std::string ended_;               // why numbers were left untried
};

}  // namespace

std::vector<Index> numbers_to_try(const MethodOptions& method, std::optional<ClusterRange> range,
                                  Index rows) {
  const ClusterRange wanted = range ? *range : default_cluster_range(rows);
  check_range(wanted, rows);
  if (!range && !is_joining(method)) return spaced(wanted, kTries);
  std::vector<Index> out;
  for (Index k = wanted.min; k <= wanted.max; ++k) out.push_back(k);
  return out;
}

FittedChoice fit_range(const Rows& x, MethodOptions method, const FitRangeOptions& options, const Run& run) {
  return RangeFit(x, std::move(method), options, run).finish();
}

AnyClusterer fit_default_number(const Rows& x, MethodOptions& method, const Run& run) {
  for (Index k = default_clusters(x.rows());; k = k > 16 ? k / 2 : k - 1) {
    method.set_n_clusters(k);
    try {
      return fit_clusterer(x, method, run);
    } catch (const Error& e) {
      if (e.fault != Fault::data || k == 1) throw;
    }
  }
}

Stability measure_stability(const Rows& x, const Labels& labels, const MethodOptions& method,
                            const StabilityOptions& options, const Run& run) {
  const Run quiet = run.quiet();
  const auto relabel = [&](const Rows& rows, Index k, Seed seed) {
    MethodOptions its = method;
    its.set_seed(seed);
    if (!its.takes_n_clusters()) return labels_of(fit_clusterer(rows, its, quiet));
    for (;; --k) {
      its.set_n_clusters(k);
      try {
        return labels_of(fit_clusterer(rows, its, quiet));
      } catch (const Error& e) {
        if (e.fault != Fault::data || k == 1) throw;
      }
    }
  };
  return measure_stability(x, labels, ClusterMethod(relabel), options, run);
}

}  // namespace shoal
