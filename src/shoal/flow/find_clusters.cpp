#include "shoal/flow/find_clusters.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kCheapPairs = 20000;  // rows up to which a Euclidean silhouette, O(n^2), is taken unasked
constexpr Index kResamples = 20;

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

std::optional<Index> n_init_of(const MethodOptions& method) {
  return std::visit(
      []<class O>(const O& o) -> std::optional<Index> {
        if constexpr (requires { o.n_init; }) return o.n_init;
        return std::nullopt;
      },
      method.of);
}

/// From how many starts each fit was made, and why so many; nothing of a method without starts.
std::string starts_sentence(const MethodOptions& asked, const MethodOptions& used) {
  const auto n_init = n_init_of(used);
  if (!n_init) return {};
  return " Each fit is the best of " + std::to_string(*n_init) + (*n_init == 1 ? " start" : " starts") +
         (n_init_of(asked) ? ", as asked for." : " (the default: 10 for small data, fewer for large).");
}

/// One call of find_clusters.
class Search {
 public:
  Search(const Rows& x, const ClusteringOptions& options, Seed seed, const Run& run)
      : x_(x), options_(options), seed_(seed), run_(run), method_(method_of(options, x.rows(), seed)) {
    method_.set_n_init(x.rows(), clusters_fitted(options, x.rows()), x.cols());
  }

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
                                                                : fit_default_number(x_, method_, run_);
    FittedChoice made = fit_range(x_, method_,
                                  {.range = options_.range,
                                   .criterion = options_.criterion,
                                   .judge = judging(),
                                   .stability = resampling()},
                                  run_);
    method_.set_n_clusters(made.chosen.n_clusters);
    findings_.measures = made.judged.measures;
    findings_.stability = std::move(made.judged.stability);
    findings_.tried = std::move(made.tried);
    findings_.chosen = std::move(made.chosen);
    return std::move(made.fitted);
  }

  /// original: the method's numbers of the clusters that have rows.
  void judge(const AnyClusterer& fitted, const std::vector<Label>& original) {
    const Labels& labels = labels_of(fitted);
    findings_.method = method_;
    findings_.n_clusters = original.size();
    findings_.noise = static_cast<Index>(std::ranges::count(labels.of, kNoise));
    findings_.placement = placement_of(fitted);
    if (!findings_.measures && original.size() >= 2)
      findings_.measures = judge_labels(x_, labels, judging(), run_);
    take_stability(labels, original);
    findings_.why = findings_.chosen ? findings_.chosen->why
                    : method_.takes_n_clusters() || method_.kind() == Som::kind
                        ? "Their number was set beforehand, not chosen by a measure."
                        : "The method finds their number by itself.";
    findings_.why += starts_sentence(options_.method, method_);
    const auto add = [&](std::vector<Objection> more) {
      std::ranges::move(more, std::back_inserter(findings_.against));
    };
    if (findings_.chosen) {
      add(findings_.chosen->against);
      // Measured after the choice, it is new to it.
      if (options_.criterion != Criterion::stability) add(doubts(findings_.stability));
    } else if (findings_.measures) {
      add(doubts(*findings_.measures, findings_.stability));
    }
    add(doubts_of_noise(findings_.noise, x_.rows()));
  }

  void take_stability(const Labels& labels, const std::vector<Label>& original) {
    if (!findings_.stability && options_.resamples > 0 && !original.empty())
      findings_.stability = measure_stability(x_, labels, method_, resampling(), run_);
    if (!findings_.stability) return;
    const std::vector<double> of_all = std::exchange(findings_.stability->jaccard, {});
    for (const Label c : original) findings_.stability->jaccard.push_back(of_all[static_cast<Index>(c)]);
  }

  JudgeOptions judging() const {
    const bool cheap = method_.metric() == Metric::cosine || x_.rows() <= kCheapPairs;
    return {.metric = method_.metric(),
            .silhouette = cheap || (options_.choose && options_.criterion == Criterion::silhouette)};
  }

  StabilityOptions resampling() const {
    return {.resamples = options_.resamples > 0 ? options_.resamples : kResamples, .seed = seed_.child(3)};
  }

  const Rows& x_;
  const ClusteringOptions& options_;
  Seed seed_;
  const Run& run_;
  MethodOptions method_;
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

Index clusters_fitted(const ClusteringOptions& options, Index rows) {
  if (!options.choose) return options.n_clusters.value_or(default_clusters(rows)) * (1 + options.resamples);
  const std::vector<Index> numbers = numbers_to_try(options.method, options.range, rows);
  const Index all = std::accumulate(numbers.begin(), numbers.end(), Index{0});
  if (options.criterion == Criterion::stability)
    return all * (1 + (options.resamples > 0 ? options.resamples : kResamples));
  return all + numbers.back() * options.resamples;
}

std::vector<Field> list_clustering(const ClusteringOptions& options, Index rows, Seed seed) {
  const MethodOptions method = method_of(options, rows, seed);
  std::vector<Field> out = method.list();
  out.push_back({"method", std::string(method.kind())});
  out.push_back({"resamples", static_cast<std::int64_t>(options.resamples)});
  // A number that nobody asked for becomes smaller where rows are equal; the same number asked for is an
  // error.
  if (options.n_clusters == default_clusters(rows)) out.push_back({"n_clusters_asked_for", true});
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
