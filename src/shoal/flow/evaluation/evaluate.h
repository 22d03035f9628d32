#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/embed_texts.h"
#include "shoal/flow/evaluation/embedders.h"
#include "shoal/flow/evaluation/task.h"
#include "shoal/measure/bootstrap.h"

namespace shoal {

struct EvaluateOptions {
  std::string metric;      ///< the main one; empty: the task's own
  Index k = 10;            ///< ranks that count in nDCG and MRR
  Index shots = 8;         ///< rows a label that a classifier learns from
  Index draws = 10;        ///< how often they are drawn
  double c = 1;            ///< LogisticOptions::c
  Index resamples = 1000;  ///< of the interval; 0: none
  Seed seed{42};
};
template <class V>
void fields(EvaluateOptions& o, V&& visit) {
  visit("metric", o.metric, "the main metric, the one with an interval. Default: the task's own");
  visit("k", o.k, "retrieval, rerank: ranks that count in nDCG and MRR", between(1, 1000));
  visit("shots", o.shots, "classification: rows a label to learn from", between(1, 1'000'000));
  visit("draws", o.draws, "classification: how many times they are drawn", between(1, 1000));
  visit("c", o.c, "classification: inverse strength of the logistic regression's L2 penalty", above(0));
  visit("resamples", o.resamples, "draws of the rows for the 95% interval; 0: no interval",
        between(0, 100'000));
  visit("seed", o.seed, "start of all randomness");
}

struct NamedMetric {
  std::string name;  ///< "spearman_cosine", "cosine_ndcg@10", "v_measure"
  double value = 0;
};

/// The metrics of a task that may be the main one; the first is, unless the options say other.
std::vector<std::string> main_metrics(TaskKind task, const EvaluateOptions& options);

/// What a model is worth on a task. More is better of every metric but thresholds.
struct Evaluation {
  std::vector<NamedMetric> metrics;  ///< in their order
  std::string main;                  ///< the name of the main one
  Measured value;                    ///< of it, with its 95% interval
  Resampled resampled;               ///< the same, draw by draw: the same draws for every model
  Index dims = 0;                    ///< of the vectors; 0: pairs were scored
};

/// Metrics as sentence-transformers' evaluators name and compute them:
///   sts             pearson_ and spearman_ of cosine, dot, manhattan, euclidean, max; main: spearman_cosine
///   triplet         SIMILARITY_accuracy; main: cosine_accuracy
///   pairs           SIMILARITY_accuracy, _accuracy_threshold, _f1, _f1_threshold, _precision, _recall, _ap,
///                   _mcc; main: cosine_ap
///   retrieval       cosine_accuracy@, _precision@, _recall@ 1, 3, 5, 10 and k, _ndcg@k, _mrr@k, _map@100;
///                   main: cosine_ndcg@k
///   rerank          map, mrr@k, ndcg@k, by cosine; main: ndcg@k
///   clustering      v_measure, v_measure_std, homogeneity_score, completeness_score, adjusted_rand_score:
///                   means of five starts of spherical k-means; main: v_measure
///   classification  accuracy, f1 (macro), of two labels ap: means of the draws; main: accuracy
/// Each text is embedded once (once for each role that has an embedder of its own). The interval is
/// `measured` of rows (queries, groups of rows) drawn anew. Error(argument) for a metric that there is not;
/// Error(data) if a vector is not finite or their number is wrong. Memory: the vectors. Step "measure".
Evaluation evaluate(const EvaluationTask& task, const Embedders& embed, const Run& run,
                    const EvaluateOptions& options = {});
inline Evaluation evaluate(const EvaluationTask& task, const EmbedTexts& embed, const Run& run,
                           const EvaluateOptions& options = {}) {
  return evaluate(task, Embedders{embed, {}, {}}, run, options);
}

/// The same of a model that scores pairs, as a cross-encoder does. Metrics as sentence-transformers'
/// evaluators of cross-encoders name and compute them:
///   sts      pearson, spearman; main: spearman
///   triplet  accuracy
///   pairs    accuracy, accuracy_threshold, f1, f1_threshold, precision, recall, average_precision, mcc;
///            main: average_precision
///   rerank   map, mrr@k, ndcg@k; main: ndcg@k
/// Error(argument) for another task, which needs vectors of single texts; Error(data) if a score is not
/// finite or their number is wrong.
Evaluation evaluate_pairs(const EvaluationTask& task, const ScorePairs& score, const Run& run,
                          const EvaluateOptions& options = {});
/// Whether evaluate_pairs takes it.
bool scores_pairs(TaskKind task);

}  // namespace shoal
