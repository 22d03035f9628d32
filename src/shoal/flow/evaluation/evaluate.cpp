#include "shoal/flow/evaluation/evaluate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/flow/evaluation/role_vectors.h"
#include "shoal/measure/rank_correlation.h"
#include "shoal/measure/ranking.h"
#include "shoal/measure/scored_pairs.h"
#include "shoal/measure/similarity.h"
#include "shoal/near/exact.h"

namespace shoal {
namespace {

constexpr Index kPairs = 8192;  // whose vectors are gathered at a time
constexpr Index kMapRanks = 100, kStarts = 5;
constexpr Index kQueries = 1024;  // searched at a time
constexpr Similarity kSimilarities[] = {Similarity::cosine, Similarity::dot, Similarity::manhattan,
                                        Similarity::euclidean};

/// At which accuracy, precision and recall are told.
std::vector<Index> ranks_of(const EvaluateOptions& o) {
  std::set<Index> out{1, 3, 5, 10};
  out.insert(o.k);
  return {out.begin(), out.end()};
}

/// A metric: its value and, of all but thresholds and deviations, how to take it again.
struct TaskMetric {
  std::string name;
  double value = 0;
  Measurable again;
};

TaskMetric metric_of(std::string name, Measurable again) {
  const double value = again.value();
  return {std::move(name), value, std::move(again)};
}

/// The mean of what is said of each thing.
Measurable mean_of(std::vector<double> values) {
  const Index n = values.size();
  return {{n}, [values = std::move(values)](DrawCounts times) {
            double sum = 0, all = 0;
            for (Index i = 0; i < values.size(); ++i) sum += times[i] * values[i], all += times[i];
            return all > 0 ? sum / all : 0;
          }};
}

/// The largest of several metrics.
Measurable largest_of(std::vector<Measurable> all) {
  const std::vector<Index> things = all[0].things;
  return {things, [all = std::move(all)](DrawCounts times) {
            double best = all[0].of(times);
            for (const Measurable& one : all) best = std::max(best, one.of(times));
            return best;
          }};
}

/// As main_metrics, of a model that scores pairs.
std::vector<std::string> pair_metrics(TaskKind task, const EvaluateOptions& o) {
  switch (task) {
    case TaskKind::sts:
      return {"spearman", "pearson"};
    case TaskKind::triplet:
      return {"accuracy"};
    case TaskKind::pairs:
      return {"average_precision", "accuracy", "f1", "precision", "recall", "mcc"};
    default:
      return main_metrics(task, o);  // of rerank
  }
}

void check_metric(const std::vector<std::string>& names, TaskKind task, const EvaluateOptions& o) {
  if (o.metric.empty() || std::ranges::find(names, o.metric) != names.end()) return;
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  throw Error(Fault::argument, option_name("metric") + " is '" + o.metric + "'; of " + option_name("task") +
                                   " " + name_of(task) + " it may be " + list);
}

class EvaluationRun {
 public:
  EvaluationRun(const EvaluationTask& task, const Embedders& embed, const EvaluateOptions& options,
                const Run& run)
      : task_(task), o_(options), run_(run), x_(std::in_place, task.texts, embed) {}
  /// There are no vectors.
  EvaluationRun(const EvaluationTask& task, ScorePairs score, const EvaluateOptions& options, const Run& run)
      : task_(task), o_(options), run_(run), score_(std::move(score)) {}

  Evaluation finish() {
    switch (task_.kind) {
      case TaskKind::sts:
        compare_scores();
        break;
      case TaskKind::triplet:
        compare_triplets();
        break;
      case TaskKind::pairs:
        compare_labels();
        break;
      case TaskKind::retrieval:
        search();
        break;
      case TaskKind::rerank:
        reorder();
        break;
      case TaskKind::clustering:
        cluster();
        break;
      case TaskKind::classification:
        classify();
        break;
    }
    return take();
  }

 private:
  /// Of texts column a and b of each row.
  std::vector<double> similarities(TextRole role_a, Index a, TextRole role_b, Index b, Similarity by) const {
    std::vector<Index> first, second;
    for (const auto& row : task_.rows) first.push_back(row[a]), second.push_back(row[b]);
    return similarities(role_a, first, role_b, second, by);
  }
  std::vector<double> similarities(TextRole role_a, const std::vector<Index>& a, TextRole role_b,
                                   const std::vector<Index>& b, Similarity by) const {
    std::vector<double> out;
    for (Index first = 0; first < a.size(); first += kPairs) {
      check_stop(run_);
      const Index last = std::min(first + kPairs, a.size());
      const auto part = [&](const std::vector<Index>& all) {
        return std::vector<Index>(all.begin() + static_cast<std::ptrdiff_t>(first),
                                  all.begin() + static_cast<std::ptrdiff_t>(last));
      };
      const Matrix x = x_->of(role_a, part(a)).to_matrix(), y = x_->of(role_b, part(b)).to_matrix();
      const auto found = pair_similarities(x.view(), y.view(), by, run_.quiet());
      out.insert(out.end(), found.begin(), found.end());
    }
    return out;
  }

  /// By the scorer of pairs, of texts a and b of each row.
  std::vector<double> scores_of(Index a, Index b) const {
    std::vector<Index> first, second;
    for (const auto& row : task_.rows) first.push_back(row[a]), second.push_back(row[b]);
    return scores_of(first, second);
  }
  std::vector<double> scores_of(const std::vector<Index>& a, const std::vector<Index>& b) const {
    Texts firsts, seconds;
    for (Index i = 0; i < a.size(); ++i) {
      firsts.add(task_.texts.texts[a[i]]);
      seconds.add(task_.texts.texts[b[i]]);
    }
    const std::vector<float> found = score_(firsts, seconds);
    require(found.size() == a.size(), Fault::data,
            "the model gives " + std::to_string(found.size()) + " scores for " + std::to_string(a.size()) +
                " pairs");
    for (Index i = 0; i < found.size(); ++i)
      require(std::isfinite(found[i]), Fault::data,
              "the model gives a score that is not finite, of the text \"" +
                  std::string(beginning_of(firsts[i], 80)) + "\"");
    return {found.begin(), found.end()};
  }

  void add(std::string name, Measurable again) {
    metrics_.push_back(metric_of(std::move(name), std::move(again)));
  }
  void add(std::string name, double value) { metrics_.push_back({std::move(name), value, {}}); }

  void compare_scores() {
    if (score_) return compare_pair_scores();
    std::vector<Measurable> pearsons, spearmans;
    for (const Similarity by : kSimilarities) {
      const auto alike = std::make_shared<const std::vector<double>>(
          similarities(TextRole::plain, 0, TextRole::plain, 1, by));
      const auto ranked = std::make_shared<const RankedLists>(*alike, task_.scores);
      pearsons.push_back({{alike->size()}, [alike, &scores = task_.scores](DrawCounts times) {
                            return pearson(*alike, scores, times);
                          }});
      spearmans.push_back({{alike->size()}, [ranked](DrawCounts times) { return ranked->spearman(times); }});
      add(std::string("pearson_") + name_of(by), pearsons.back());
      add(std::string("spearman_") + name_of(by), spearmans.back());
    }
    add("pearson_max", largest_of(pearsons));
    add("spearman_max", largest_of(spearmans));
  }

  void compare_pair_scores() {
    const auto alike = std::make_shared<const std::vector<double>>(scores_of(0, 1));
    const auto ranked = std::make_shared<const RankedLists>(*alike, task_.scores);
    add("pearson", {{alike->size()}, [alike, &scores = task_.scores](DrawCounts times) {
                      return pearson(*alike, scores, times);
                    }});
    add("spearman", {{alike->size()}, [ranked](DrawCounts times) { return ranked->spearman(times); }});
  }

  void compare_triplets() {
    if (score_) {
      const auto near = scores_of(0, 1), far = scores_of(0, 2);
      std::vector<double> right;
      for (Index i = 0; i < near.size(); ++i) right.push_back(near[i] > far[i]);
      return add("accuracy", mean_of(std::move(right)));
    }
    std::vector<Measurable> all;
    for (const Similarity by : kSimilarities) {
      const auto near = similarities(TextRole::query, 0, TextRole::document, 1, by),
                 far = similarities(TextRole::query, 0, TextRole::document, 2, by);
      std::vector<double> right;
      for (Index i = 0; i < near.size(); ++i) right.push_back(near[i] > far[i]);
      all.push_back(mean_of(std::move(right)));
      add(std::string(name_of(by)) + "_accuracy", all.back());
    }
    add("max_accuracy", largest_of(all));
  }

  void compare_labels() {
    struct Kind {
      const char* name;
      double PairScores::*score;
      bool threshold;
    };
    constexpr Kind kKinds[] = {{"accuracy", &PairScores::accuracy, false},
                               {"accuracy_threshold", &PairScores::accuracy_threshold, true},
                               {"f1", &PairScores::f1, false},
                               {"f1_threshold", &PairScores::f1_threshold, true},
                               {"precision", &PairScores::precision, false},
                               {"recall", &PairScores::recall, false},
                               {"ap", &PairScores::ap, false},
                               {"mcc", &PairScores::mcc, false}};
    if (score_) {
      const auto alike = scores_of(0, 1);
      const auto pairs = std::make_shared<const ScoredPairs>(alike, task_.positive);
      const PairScores scores = pairs->all();
      for (const Kind& kind : kKinds) {
        const std::string name = std::string(kind.name) == "ap" ? "average_precision" : kind.name;
        if (kind.threshold)
          add(name, scores.*kind.score);
        else
          add(name, {{alike.size()},
                     [pairs, score = kind.score](DrawCounts times) { return pairs->of(times).*score; }});
      }
      return;
    }
    std::vector<std::vector<Measurable>> all(std::size(kKinds));
    for (const Similarity by : kSimilarities) {
      const auto alike = similarities(TextRole::plain, 0, TextRole::plain, 1, by);
      const auto pairs = std::make_shared<const ScoredPairs>(alike, task_.positive);
      const PairScores scores = pairs->all();
      const bool distance = by == Similarity::manhattan || by == Similarity::euclidean;
      for (Index i = 0; i < std::size(kKinds); ++i) {
        const std::string name = std::string(name_of(by)) + "_" + kKinds[i].name;
        const auto score = kKinds[i].score;
        if (kKinds[i].threshold) {
          add(name, distance ? -(scores.*score) : scores.*score);
          continue;
        }
        all[i].push_back(
            {{alike.size()}, [pairs, score](DrawCounts times) { return pairs->of(times).*score; }});
        add(name, all[i].back());
      }
    }
    for (Index i = 0; i < std::size(kKinds); ++i)
      if (!kKinds[i].threshold) add(std::string("max_") + kKinds[i].name, largest_of(all[i]));
  }

  void search() {
    const std::string k = std::to_string(o_.k);
    const std::vector<Index> at = ranks_of(o_);
    const Index most = std::min(std::max({kMapRanks, o_.k, at.back()}), task_.corpus.size());
    const Rows corpus = x_->of(TextRole::document, task_.corpus);
    const Index n = task_.queries.size();
    std::vector<FoundScores> found(n);
    for (Index first = 0; first < n; first += kQueries) {
      tell(first, n);
      const Index last = std::min(first + kQueries, n);
      std::vector<Index> texts;
      for (Index i = first; i < last; ++i) texts.push_back(task_.queries[i].text);
      const Neighbours hits =
          nearest(corpus, x_->of(TextRole::query, texts), most, Metric::cosine, run_.quiet());
      for (Index i = first; i < last; ++i) {
        const std::vector<Index>& relevant = task_.queries[i].candidates;
        std::vector<std::uint8_t> right(most);
        for (Index rank = 0; rank < most; ++rank)
          right[rank] = std::ranges::binary_search(relevant, Index{hits.id[(i - first) * most + rank]});
        found[i] = found_scores(right, relevant.size(), at, o_.k, kMapRanks);
      }
    }
    const auto mean = [&](const std::function<double(const FoundScores&)>& score) {
      std::vector<double> values;
      for (const FoundScores& one : found) values.push_back(score(one));
      return mean_of(std::move(values));
    };
    for (Index i = 0; i < at.size(); ++i)
      add("cosine_accuracy@" + std::to_string(at[i]),
          mean([i](const FoundScores& s) { return s.accuracy[i]; }));
    for (Index i = 0; i < at.size(); ++i)
      add("cosine_precision@" + std::to_string(at[i]),
          mean([i](const FoundScores& s) { return s.precision[i]; }));
    for (Index i = 0; i < at.size(); ++i)
      add("cosine_recall@" + std::to_string(at[i]), mean([i](const FoundScores& s) { return s.recall[i]; }));
    add("cosine_ndcg@" + k, mean([](const FoundScores& s) { return s.ndcg; }));
    add("cosine_mrr@" + k, mean([](const FoundScores& s) { return s.mrr; }));
    add("cosine_map@" + std::to_string(kMapRanks), mean([](const FoundScores& s) { return s.map; }));
  }

  void reorder() {
    const std::string k = std::to_string(o_.k);
    std::vector<Index> queries, candidates;
    for (const TaskQuery& query : task_.queries)
      for (const Index text : query.candidates) queries.push_back(query.text), candidates.push_back(text);
    const auto alike =
        score_ ? scores_of(queries, candidates)
               : similarities(TextRole::query, queries, TextRole::document, candidates, Similarity::cosine);
    std::vector<double> map, mrr, ndcg;
    Index at = 0;
    for (const TaskQuery& query : task_.queries) {
      const OrderScores scores =
          order_scores(std::span(alike).subspan(at, query.candidates.size()), query.relevant, o_.k);
      at += query.candidates.size();
      map.push_back(scores.ap), mrr.push_back(scores.mrr), ndcg.push_back(scores.ndcg);
    }
    add("map", mean_of(std::move(map)));
    add("mrr@" + k, mean_of(std::move(mrr)));
    add("ndcg@" + k, mean_of(std::move(ndcg)));
  }

  void cluster() {
    const LabelClusters found = cluster_labelled(x_->of(TextRole::plain, task_.labelled), task_.labels,
                                                 kStarts, o_.seed.child(1), run_);
    add("v_measure", found.v_measure);
    add("v_measure_std", found.deviation);
    add("homogeneity_score", found.homogeneity);
    add("completeness_score", found.completeness);
    add("adjusted_rand_score", found.adjusted_rand);
  }

  void classify() {
    const FewShotOptions how{.shots = o_.shots, .draws = o_.draws, .c = o_.c, .seed = o_.seed.child(1)};
    const FewShot found = few_shot(x_->of(TextRole::plain, task_.labelled), task_.labels, how, run_);
    add("accuracy", found.accuracy);
    add("f1", found.f1);
    if (found.ap) add("ap", *found.ap);
  }

  Evaluation take() const {
    Evaluation out;
    out.main = !o_.metric.empty() ? o_.metric
               : score_           ? pair_metrics(task_.kind, o_)[0]
                                  : main_metrics(task_.kind, o_)[0];
    out.dims = x_ ? x_->dims() : 0;
    const TaskMetric* main = nullptr;
    for (const TaskMetric& metric : metrics_) {
      out.metrics.push_back({metric.name, metric.value});
      if (metric.again.of && metric.name == out.main) main = &metric;
    }
    require(main != nullptr, Fault::argument, "evaluate: " + out.main + " was not measured");
    out.resampled = resample(main->again, o_.resamples, o_.seed.child(2), run_, "measure");
    out.value = measured(out.resampled);
    const bool signed_one =
        out.main.starts_with("pearson") || out.main.starts_with("spearman") || out.main.ends_with("mcc");
    out.value.low = std::max(out.value.low, signed_one ? -1.0 : 0.0);  // no metric goes further
    out.value.high = std::min(out.value.high, 1.0);
    return out;
  }

  void tell(Index done, Index all) const {
    if (run_.progress) run_.progress("measure", static_cast<double>(done), static_cast<double>(all));
  }

  const EvaluationTask& task_;
  const EvaluateOptions& o_;
  const Run& run_;
  std::optional<RoleVectors> x_;
  ScorePairs score_;
  std::vector<TaskMetric> metrics_;
};

}  // namespace

std::vector<std::string> main_metrics(TaskKind task, const EvaluateOptions& o) {
  std::vector<std::string> out;
  const auto each = [&](std::initializer_list<const char*> metrics, bool similarity_first) {
    for (const char* metric : metrics) {
      for (const Similarity by : kSimilarities)
        out.push_back(similarity_first ? std::string(name_of(by)) + "_" + metric
                                       : std::string(metric) + "_" + name_of(by));
      out.push_back(similarity_first ? std::string("max_") + metric : std::string(metric) + "_max");
    }
  };
  const std::string k = std::to_string(o.k);
  switch (task) {
    case TaskKind::sts:
      each({"spearman", "pearson"}, false);
      break;
    case TaskKind::triplet:
      each({"accuracy"}, true);
      break;
    case TaskKind::pairs:
      each({"ap", "accuracy", "f1", "precision", "recall", "mcc"}, true);
      break;
    case TaskKind::retrieval:
      out = {"cosine_ndcg@" + k, "cosine_mrr@" + k, "cosine_map@" + std::to_string(kMapRanks)};
      for (const char* metric : {"accuracy", "precision", "recall"})
        for (const Index at : ranks_of(o))
          out.push_back(std::string("cosine_") + metric + "@" + std::to_string(at));
      break;
    case TaskKind::rerank:
      out = {"ndcg@" + k, "mrr@" + k, "map"};
      break;
    case TaskKind::clustering:
      out = {"v_measure"};
      break;
    case TaskKind::classification:
      out = {"accuracy"};
      break;
  }
  return out;
}

Evaluation evaluate(const EvaluationTask& task, const Embedders& embed, const Run& run,
                    const EvaluateOptions& options) {
  check_options(options);
  check_metric(main_metrics(task.kind, options), task.kind, options);
  return EvaluationRun(task, embed, options, run).finish();
}

bool scores_pairs(TaskKind task) {
  return task == TaskKind::sts || task == TaskKind::triplet || task == TaskKind::pairs ||
         task == TaskKind::rerank;
}

Evaluation evaluate_pairs(const EvaluationTask& task, const ScorePairs& score, const Run& run,
                          const EvaluateOptions& options) {
  check_options(options);
  require(scores_pairs(task.kind), Fault::argument,
          option_name("task") + " " + name_of(task.kind) +
              " needs vectors of single texts, and the model scores pairs; it can be tried on sts, triplet, "
              "pairs and rerank");
  check_metric(pair_metrics(task.kind, options), task.kind, options);
  return EvaluationRun(task, score, options, run).finish();
}

}  // namespace shoal
