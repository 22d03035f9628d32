#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/watch/anomalies.h"

namespace shoal {

struct AnomalyReportOptions {
  std::filesystem::path input;
  std::filesystem::path foreign;          ///< rows to plant; empty: sentences of shoal's own
  std::filesystem::path foreign_vectors;  ///< as read.vectors, of the foreign rows
  AnomalyScore score = AnomalyScore::knn_lof;
  double share = 0.01;  ///< of the rows that are called strange; also as many foreign ones are planted
  bool trust = true;    ///< plant foreign texts and say how surely they are found
  bool keep = false;    ///< keep the percentiles in the collection, and show them in its page
  std::optional<Index> n_clusters;
  AnomalyOptions how;
  Seed seed{42};
  TextsAndVectorsOptions read;
};
template <class V>
void fields(AnomalyReportOptions& o, V&& visit) {
  visit("score", o.score, "what decides how strange a row is");
  visit("share", o.share, "share of the rows that are called strange, and of foreign rows that are planted",
        above(0).at_most(0.5));
  visit("trust", o.trust, "plant foreign texts and say how surely each score finds them");
  visit("n_clusters", o.n_clusters,
        "clusters for the score by clusters. Default: one for 100 rows, 2 to 100; a collection has its own",
        between(2, 1000));
  visit("seed", o.seed, "start of all randomness");
}

/// A row that is strange, and why.
struct StrangeRow {
  Index row = 0;
  double score = 0, percentile = 0;
  std::string reason;          ///< in words
  std::vector<Index> nearest;  ///< at most 3 of its neighbours that are not strange themselves, nearest first
  std::vector<double> cosine;  ///< of each
};

/// How surely planted foreign rows are found by a score.
struct ScoreTrust {
  AnomalyScore score = AnomalyScore::knn_lof;
  double average_precision = 0;  ///< mean over draws; by chance the share of foreign rows
  double auroc = 0;
  double found = 0;  ///< share of the foreign rows among as many of the strangest
};

struct AnomalyReport {
  TextsAndVectors rows;
  std::vector<std::vector<double>> scores;  ///< of each AnomalyScore, of each row
  std::vector<double> percentile;           ///< by options.score, 0..1
  std::vector<StrangeRow> strange;          ///< strangest first
  std::vector<ScoreTrust> trust;            ///< empty: not asked, or not possible
  Index planted = 0, draws = 0;             ///< foreign rows at once, how often
  std::string foreign;                      ///< what was planted, for people
  std::vector<std::string> notes;
  bool assumed_space = false;
};

/// Rows that are unlike the others, with reasons, and how far the score can be trusted here: foreign rows are
/// planted among them at random, a share of `share`, and looked for. Without `foreign` that takes the model
/// which made the vectors; if it is not there a note says so. Error(argument) to keep results of what is no
/// collection; Error(data) as Anomalies::fit, and for foreign rows of another model or dimension.
AnomalyReport anomaly_report(const AnomalyReportOptions& options, const Run& run, const Notice& notice = {});

/// A line a row in the rows' order: row, percentile, strange (0 or 1), each score, and of texts the text.
void write_anomalies_csv(const AnomalyReport& report, const std::filesystem::path& path);
/// The histogram of the score that decides; of knn for knn_lof, whose ranks are even.
std::string anomalies_svg(const AnomalyReport& report, AnomalyScore score);

}  // namespace shoal
