#include "shoal/flow/find_clusters.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kTries = 16;          // numbers of clusters that are tried where each is a fit of its own
constexpr Index kCheapPairs = 20000;  // rows up to which a Euclidean silhouette, O(n^2), is taken unasked
constexpr Index kResamples = 20;

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

std::vector<Index> all_of(ClusterRange range) {
  std::vector<Index> out;
  for (Index k = range.min; k <= range.max; ++k) out.push_back(k);
  return out;
}

ClusterRange range_of(const ClusteringOptions& options, Index rows) {
  return options.range ? *options.range : default_cluster_range(rows);
}

/// The method with its seed, and with its number of clusters where that is known.
MethodOptions method_of(const ClusteringOptions& options, Index rows, Seed seed) {
  MethodOptions method = options.method;
  method.set_seed(seed.child(1));
  if (!options.choose && method.takes_n_clusters())
    method.set_n_clusters(options.n_clusters.value_or(default_clusters(rows)));
  return method;
}

/// One call of find_clusters.
class Search {
 public:
  Search(const Rows& x, const ClusteringOptions& options, Seed seed, const Run& run)
      : x_(x), options_(options), seed_(seed), run_(run), method_(method_of(options, x.rows(), seed)) {}

  Clustering finish() {
    AnyClusterer fitted = fit();
    CompactLabels clusters = compact_labels(labels_of(fitted));
    judge(fitted, clusters.original);
    return {std::move(fitted), std::move(clusters), std::move(findings_)};
  }

 private:
  AnyClusterer fit() {
    if (!options_.choose)
      return options_.n_clusters || !method_.takes_n_clusters() ? fit_clusterer(x_, method_, run_)
                                                                : fit_default();
    return std::holds_alternative<AgglomerativeOptions>(method_.of) ? choose_cut() : choose_fit();
  }

  /// With the usual number for so many rows, or fewer where too few of them are distinct.
  AnyClusterer fit_default() {
    for (Index k = default_clusters(x_.rows());; k = k > 16 ? k / 2 : k - 1) {
      method_.set_n_clusters(k);
      try {
        return fit_clusterer(x_, method_, run_);
      } catch (const Error& e) {
        if (e.fault != Fault::data || k == 1) throw;
      }
    }
  }

  /// The numbers that a tree can be cut into without parting equal rows.
  ClusterRange range_within(const Dendrogram& tree) {
    ClusterRange out = range();
    const auto joined = std::ranges::count_if(tree.merges, [](const Merge& m) { return m.height > 0; });
    const Index most = static_cast<Index>(joined) + 1;
    if (out.max <= most) return out;
    range_ended_ = "only " + std::to_string(most) + " distinct rows were given";
    require(out.min <= most, Fault::data,
            option_name("n_clusters") + " is to be chosen from " + std::to_string(out.min) + " on, but " +
                range_ended_);
    out.max = most;
    return out;
  }

  /// Every number of clusters from one dendrogram.
  AnyClusterer choose_cut() {
    method_.set_n_clusters(1);
    const auto joined = Agglomerative::fit(x_, std::get<AgglomerativeOptions>(method_.of), run_);
    TryOptions how{.judge = judging(), .stability = {}};
    if (options_.criterion == Criterion::stability) how.stability = resampling();
    const auto join = [&](const Rows& x) { return *dendrogram_of(fit_clusterer(x, method_, quiet())); };
    findings_.tried = try_cuts(x_, joined.dendrogram(), range_within(joined.dendrogram()), join, how, run_);
    take_choice();
    return joined.with_clusters(findings_.chosen->n_clusters, x_, run_);
  }

  /// A fit for each number of clusters that is tried.
  AnyClusterer choose_fit() {
    const std::vector<Index> numbers = options_.range ? all_of(range()) : spaced(range(), kTries);
    for (Index i = 0; i < numbers.size(); ++i) {
      const auto say = [&](double part) {
        if (run_.progress)
          run_.progress("numbers of clusters", static_cast<double>(i) + part,
                        static_cast<double>(numbers.size()));
      };
      say(0);
      method_.set_n_clusters(numbers[i]);
      const auto found = try_fit(i == 0);
      if (!found) break;
      TriedK tried{.n_clusters = numbers[i],
                   .measures = judge_labels(x_, labels_of(*found), judging(), quiet()),
                   .stability = {}};
      if (options_.criterion == Criterion::stability)
        tried.stability = stability_of(labels_of(*found), quiet());
      findings_.tried.push_back(std::move(tried));
      say(1);
    }
    take_choice();
    return fit_clusterer(x_, method_, run_);
  }

  void take_choice() {
    findings_.chosen = choose_k(options_.criterion, findings_.tried);
    if (!range_ended_.empty())
      findings_.chosen->against.push_back("No more numbers could be tried: " + range_ended_ + ".");
    method_.set_n_clusters(findings_.chosen->n_clusters);
  }

  /// Nothing if there are too few distinct rows for so many clusters, unless it is the first try.
  std::optional<AnyClusterer> try_fit(bool first) {
    try {
      return fit_clusterer(x_, method_, quiet());
    } catch (const Error& e) {
      if (first || e.fault != Fault::data) throw;
      range_ended_ = e.what();
      return std::nullopt;
    }
  }

  /// original: the method's numbers of the clusters that have rows.
  void judge(const AnyClusterer& fitted, const std::vector<Label>& original) {
    const Labels& labels = labels_of(fitted);
    findings_.method = method_;
    const Index n_clusters = original.size();
    findings_.n_clusters = n_clusters;
    findings_.noise = static_cast<Index>(std::ranges::count(labels.of, kNoise));
    findings_.placement = placement_of(fitted);
    if (n_clusters >= 2) findings_.measures = judge_labels(x_, labels, judging(), run_);
    if (findings_.chosen && options_.criterion == Criterion::stability) {
      for (const TriedK& tried : findings_.tried)
        if (tried.n_clusters == findings_.chosen->n_clusters) findings_.stability = tried.stability;
    } else if (options_.resamples > 0 && n_clusters > 0) {
      findings_.stability = stability_of(labels, run_);
    }
    if (findings_.stability) {
      const std::vector<double> of_all = std::move(findings_.stability->jaccard);
      findings_.stability->jaccard.clear();
      for (const Label c : original) findings_.stability->jaccard.push_back(of_all[static_cast<Index>(c)]);
    }
    if (findings_.chosen)
      findings_.against = findings_.chosen->against;
    else if (findings_.measures)
      findings_.against = doubts(*findings_.measures, findings_.stability);
    if (2 * findings_.noise > x_.rows())
      findings_.against.push_back("More than half of the rows, " + std::to_string(findings_.noise) + " of " +
                                  std::to_string(x_.rows()) + ", are in no cluster.");
  }

  JudgeOptions judging() const {
    const bool cheap = method_.metric() == Metric::cosine || x_.rows() <= kCheapPairs;
    return {.metric = method_.metric(),
            .silhouette = cheap || (options_.choose && options_.criterion == Criterion::silhouette)};
  }

  StabilityOptions resampling() const {
    return {.resamples = options_.resamples > 0 ? options_.resamples : kResamples, .seed = seed_.child(3)};
  }

  Stability stability_of(const Labels& labels, const Run& run) const {
    return measure_stability(
        x_, labels, [&](const Rows& x, Index k, Seed seed) { return labels_by(x, k, seed); }, resampling(),
        run);
  }

  /// A resample may hold fewer distinct rows than there are clusters: then as many as it has.
  Labels labels_by(const Rows& x, Index k, Seed seed) const {
    MethodOptions method = method_;
    method.set_seed(seed);
    if (!method.takes_n_clusters()) return labels_of(fit_clusterer(x, method, quiet()));
    for (;; --k) {
      method.set_n_clusters(k);
      try {
        return labels_of(fit_clusterer(x, method, quiet()));
      } catch (const Error& e) {
        if (e.fault != Fault::data || k == 1) throw;
      }
    }
  }

  ClusterRange range() const { return range_of(options_, x_.rows()); }
  Run quiet() const { return run_.quiet(); }

  const Rows& x_;
  const ClusteringOptions& options_;
  Seed seed_;
  const Run& run_;
  MethodOptions method_;
  std::string range_ended_;  // why numbers of clusters were left untried
  ClusterFindings findings_;
};

}  // namespace

void check_together(const ClusteringOptions& o) {
  const std::string clusters = option_name("n_clusters");
  if (o.choose || o.n_clusters)
    require(
        o.method.takes_n_clusters(), Fault::argument,
        (o.n_clusters ? clusters + " is " + std::to_string(*o.n_clusters) : clusters + " is to be chosen") +
            ", but " +
            (o.method.kind() == Agglomerative::kind
                 ? option_name("distance_threshold") +
                       " has agglomerative find the number of clusters itself; give one of the two"
                 : std::string(o.method.kind()) + " finds the number of clusters itself; " +
                       option_name("method") + " spherical_kmeans is one that does not"));
  require(o.resamples != 1, Fault::argument,
          option_name("resamples") + " is 1; allowed: 0, or 2 and more, which can be compared");
  MethodOptions method = o.method;
  if (method.takes_n_clusters()) method.set_n_clusters(o.n_clusters.value_or(1));
  method.check();
}

void check_clustering(const ClusteringOptions& options, Index rows) {
  check_options(options);
  const std::string clusters = option_name("n_clusters") + " is ";
  if (options.n_clusters)
    require(*options.n_clusters <= rows, Fault::argument,
            clusters + std::to_string(*options.n_clusters) + ", but there are only " + std::to_string(rows) +
                " rows");
  if (options.range)
    require(options.range->min >= 2 && options.range->min <= options.range->max && options.range->max < rows,
            Fault::argument,
            clusters + std::to_string(options.range->min) + ".." + std::to_string(options.range->max) +
                "; allowed: numbers from 2 to " + std::to_string(rows - 1) +
                ", the rows less one, the smaller first");
  if (options.choose) {
    const ClusterRange range = range_of(options, rows);
    require(options.criterion != Criterion::elbow || range.max >= range.min + 2, Fault::argument,
            option_name("criterion") + " elbow needs at least 3 numbers of clusters to choose from");
  }
}

std::vector<Field> list_clustering(const ClusteringOptions& options, Index rows, Seed seed) {
  const MethodOptions method = method_of(options, rows, seed);
  std::vector<Field> out = method.list();
  out.push_back({"method", std::string(method.kind())});
  out.push_back({"resamples", static_cast<std::int64_t>(options.resamples)});
  if (!options.choose) return out;
  const ClusterRange range = options.range.value_or(ClusterRange{0, 0});
  out.push_back({"criterion", std::string(name_of(options.criterion))});
  out.push_back({"min", static_cast<std::int64_t>(range.min)});
  out.push_back({"max", static_cast<std::int64_t>(range.max)});
  return out;
}

Clustering find_clusters(const Rows& x, const ClusteringOptions& options, Seed seed, const Run& run) {
  check_clustering(options, x.rows());
  return Search(x, options, seed, run).finish();
}

MethodOptions saved_method(const std::filesystem::path& file) {
  const ArchiveReader in(file);
  const std::string kind = in.meta("kind");
  auto method = method_named(kind);
  if (!method) throw Error(Fault::format, file.string() + ": '" + kind + "' is no method of clustering");
  in.read(method->options());
  return std::move(*method);
}

}  // namespace shoal
