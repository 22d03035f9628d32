#include "shoal/flow/watch/anomaly_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/watch/foreign_texts_impl.h"
#include "shoal/linear/norms.h"
#include "shoal/map/svg.h"
#include "shoal/measure/classification.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/collection/collection.h"

namespace shoal {
namespace {

constexpr Index kDraws = 5;
constexpr Index kRowsACluster = 100, kMostClusters = 100;
constexpr Index kNearest = 3;
constexpr Index kMostPlanted = 500;
constexpr double kStrangeNeighbour = 0.95;  // percentile

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

Labels clusters_for(const AnomalyReportOptions& options, const AnomalyReport& report, const Run& run) {
  if (!options.n_clusters && Collection::exists(options.input)) {
    const Collection collection = Collection::open(options.input, true);
    if (collection.result(kMainClustering)) return collection.labels_so_far(kMainClustering);
  }
  const Index n = report.rows.vectors.rows();
  SphericalKMeansOptions k;
  k.n_clusters = options.n_clusters.value_or(std::clamp<Index>(n / kRowsACluster, 2, kMostClusters));
  k.n_init = 1;
  k.seed = options.seed.child(1);
  try {
    return SphericalKMeans::fit(report.rows.vectors, k, run.quiet()).labels();
  } catch (const Error& e) {
    if (e.fault != Fault::data || options.n_clusters) throw;
    return {};  // too few different rows
  }
}

/// Rows that do not belong, of the same model.
std::optional<Rows> foreign_rows(const AnomalyReportOptions& options, AnomalyReport& report, const Run& run,
                                 const Notice& notice) {
  const Space& space = report.rows.vectors.space();
  if (!options.foreign.empty()) {
    TextsAndVectorsOptions read = options.read;
    read.vectors = options.foreign_vectors;
    const TextsAndVectors foreign = read_texts_and_vectors(options.foreign, {}, read, run, notice);
    require(foreign.vectors.cols() == report.rows.vectors.cols(), Fault::data,
            options.foreign.string() + " has vectors of " + std::to_string(foreign.vectors.cols()) +
                " numbers, " + options.input.string() + " of " + std::to_string(report.rows.vectors.cols()));
    const Rows rows = in_space_of(space, foreign.vectors, report.assumed_space);
    check_space(space, rows.space(), options.foreign.c_str());
    report.foreign = "rows of " + options.foreign.string();
    return rows;
  }
  try {
    const Encoder encoder = load_model(options.read.model, options.read.models_folder, run);
    const bool same = space.id.empty() ? encoder.space().dims == report.rows.vectors.cols()
                                       : model_of(space.id) == model_of(encoder.space().id);
    if (same) {
      report.foreign = "sentences of shoal's own";
      report.assumed_space = report.assumed_space || space.id.empty();
      return encoder.encode(foreign_texts(), {}, run.quiet()).assume_space(space);
    }
  } catch (const Error& e) {
    if (e.fault == Fault::cancelled) throw;
  }
  report.notes.push_back("how far the scores can be trusted is not known: the vectors are not of model " +
                         options.read.model + ", or it is not there; " + option_name("foreign") +
                         " FILE plants rows of your own");
  return std::nullopt;
}

void find_trust(const AnomalyReportOptions& options, const Anomalies& found, const Rows& foreign,
                const Run& run, AnomalyReport& report) {
  const Index n = report.rows.vectors.rows();
  const auto wanted = static_cast<Index>(std::llround(options.share * static_cast<double>(n)));
  report.planted = std::min(std::clamp<Index>(wanted, 3, kMostPlanted), foreign.rows());
  report.draws = report.planted == foreign.rows() ? 1 : kDraws;
  for (Index score = 0; score < kAnomalyScores; ++score)
    report.trust.push_back({.score = static_cast<AnomalyScore>(score)});
  for (Index draw = 0; draw < report.draws; ++draw) {
    std::vector<Index> order(foreign.rows());
    std::iota(order.begin(), order.end(), Index{0});
    const Random random(options.seed.child(2).child(draw));
    for (Index i = 0; i < report.planted; ++i)
      std::swap(order[i], order[i + random.below(i, order.size() - i)]);
    order.resize(report.planted);
    const auto scores = found.all_scores_with(select_rows(foreign, order), run);
    for (ScoreTrust& trust : report.trust) {
      const auto& of = scores[static_cast<Index>(trust.score)];
      trust.average_precision += average_precision(of, report.planted);
      trust.auroc += area_under_roc(std::span(of).subspan(n), std::span(of).first(n));
      std::vector<Index> strangest(of.size());
      std::iota(strangest.begin(), strangest.end(), Index{0});
      std::ranges::sort(strangest, {}, [&](Index i) { return std::pair(-of[i], i); });
      double hits = 0;
      for (Index i = 0; i < report.planted; ++i) hits += strangest[i] >= n;
      trust.found += hits / static_cast<double>(report.planted);
    }
  }
  for (ScoreTrust& trust : report.trust)
    for (double* value : {&trust.average_precision, &trust.auroc, &trust.found})
      *value /= static_cast<double>(report.draws);
}

/// Says why a row is strange: by the scores by which it stands out most.
class Reasons {
 public:
  explicit Reasons(const Anomalies& found) : found_(found) {
    for (Index score = 0; score < kAnomalyScores; ++score) {
      percentile_.push_back(found.percentiles(static_cast<AnomalyScore>(score)));
      usual_.push_back(median(found.scores(static_cast<AnomalyScore>(score))));
    }
  }
  std::string operator()(Index row) const {
    std::vector<std::pair<double, Index>> by;
    for (Index score = 1; score < kAnomalyScores; ++score) by.emplace_back(-percentile_[score][row], score);
    std::ranges::sort(by);
    std::string out = said(static_cast<AnomalyScore>(by[0].second), row);
    // A second reason if it is as telling.
    if (-by[1].first >= 0.99) out += "; " + said(static_cast<AnomalyScore>(by[1].second), row);
    return out;
  }

 private:
  std::string said(AnomalyScore score, Index row) const {
    const double value = found_.scores(score)[row], usual = usual_[static_cast<Index>(score)];
    const std::string than = rounded(value, "%.2f") + ", usually " + rounded(usual, "%.2f");
    switch (score) {
      case AnomalyScore::knn_lof:
      case AnomalyScore::knn:
        return "far from all others: mean distance to its nearest " + than;
      case AnomalyScore::lof:
        return "alone where others lie close together: " + rounded(value, "%.2f") +
               " times as sparse as its neighbours";
      case AnomalyScore::mahalanobis:
        return "an unusual mixture of what the texts are about: " +
               rounded(usual > 0 ? value / usual : value, "%.2f") +
               " times the usual distance from the middle";
      case AnomalyScore::reconstruction:
        return "about something that hardly any other text is about: unexplained " + than;
      case AnomalyScore::cluster:
        return "at the rim of its cluster: " + rounded(value, "%.2f") +
               " times the usual distance from its middle";
    }
    return {};
  }

  const Anomalies& found_;
  std::vector<std::vector<double>> percentile_;
  std::vector<double> usual_;
};

void find_strange(const AnomalyReportOptions& options, const Anomalies& found, AnomalyReport& report) {
  const Index n = report.rows.vectors.rows();
  const auto count =
      std::clamp<Index>(static_cast<Index>(std::llround(options.share * static_cast<double>(n))), 1, n);
  std::vector<Index> order(n);
  std::iota(order.begin(), order.end(), Index{0});
  const auto& score = report.scores[static_cast<Index>(options.score)];
  std::ranges::sort(order, {}, [&](Index i) { return std::pair(-score[i], i); });
  const Reasons reasons(found);
  const Neighbours& near = found.neighbours();
  for (Index i = 0; i < count; ++i) {
    StrangeRow& strange = report.strange.emplace_back();
    strange.row = order[i];
    strange.score = score[order[i]];
    strange.percentile = report.percentile[order[i]];
    strange.reason = reasons(order[i]);
    for (Index j = 0; j < near.k && strange.nearest.size() < kNearest; ++j) {
      const Index other = near.id[order[i] * near.k + j];
      if (report.percentile[other] >= kStrangeNeighbour) continue;
      strange.nearest.push_back(other);
      strange.cosine.push_back(1 - static_cast<double>(near.distance[order[i] * near.k + j]));
    }
  }
}

}  // namespace

AnomalyReport anomaly_report(const AnomalyReportOptions& options, const Run& run, const Notice& notice) {
  check_options(options);
  require(!options.keep || Collection::exists(options.input), Fault::argument,
          option_name("keep") + " keeps the result in a collection; " + options.input.string() + " is none");
  AnomalyReport out;
  out.rows = read_texts_and_vectors(options.input, {}, options.read, run, notice);
  const Labels clusters = clusters_for(options, out, run);
  const Anomalies found = Anomalies::fit(out.rows.vectors, clusters, options.how, run);
  for (Index score = 0; score < kAnomalyScores; ++score)
    out.scores.push_back(found.scores(static_cast<AnomalyScore>(score)));
  out.percentile = found.percentiles(options.score);
  find_strange(options, found, out);
  if (options.trust)
    if (const auto foreign = foreign_rows(options, out, run, notice))
      find_trust(options, found, *foreign, run, out);
  if (options.keep) {
    Matrix percentiles(out.percentile.size(), 1);
    for (Index i = 0; i < out.percentile.size(); ++i)
      percentiles[i][0] = static_cast<float>(out.percentile[i]);
    Collection collection = Collection::open(options.input, false);
    const bool drawn = std::filesystem::exists(collection.file("map.html"));
    if (drawn) begin_change(collection);
    collection.set_values({.name = kAnomalyResult,
                           .kind = ResultKind::score,
                           .stage = "anomalies",
                           .options = std::string("{\"score\":\"") + name_of(options.score) + "\"}"},
                          percentiles.view());
    if (drawn) redraw_page(collection);
    collection.settle(words_of_index());
  }
  return out;
}

void write_anomalies_csv(const AnomalyReport& report, const std::filesystem::path& path) {
  std::string header = "row,percentile,strange";
  for (Index score = 0; score < kAnomalyScores; ++score)
    header += std::string(",") + name_of(static_cast<AnomalyScore>(score));
  if (report.rows.has_texts()) header += ",text";
  std::vector<std::uint8_t> strange(report.percentile.size());
  for (const StrangeRow& row : report.strange) strange[row.row] = 1;
  CsvFile file(path, header);
  for (Index i = 0; i < report.percentile.size(); ++i) {
    file.cell(i).cell(csv_number(report.percentile[i])).cell(static_cast<int>(strange[i]));
    for (const auto& scores : report.scores) file.cell(csv_number(scores[i]));
    if (report.rows.has_texts()) file.cell(report.rows.texts[i]);
    file.end_row();
  }
  file.keep();
}

std::string anomalies_svg(const AnomalyReport& report, AnomalyScore score) {
  // Ranks are even, whatever the rows are like: the distances that they are of say more.
  const bool ranked = score == AnomalyScore::knn_lof;
  const AnomalyScore shown = ranked ? AnomalyScore::knn : score;
  return histogram_svg(
      {"How strange the rows are",
       shown == AnomalyScore::knn ? "knn: mean cosine distance to the nearest rows" : name_of(shown), "rows"},
      report.scores[static_cast<Index>(shown)]);
}

}  // namespace shoal
