#include "shoal/cluster/selection/stability.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/measure/agreement.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

using Ids = std::vector<std::uint32_t>;

void check(const StabilityOptions& o, Index rows, const std::vector<Labels>& labellings) {
  check_options(o);
  for (const Labels& labels : labellings) check_labels(labels, rows);
}

/// The rows of one resample, ascending.
Ids draw(Index rows, const StabilityOptions& o, Seed seed) {
  const Random random(seed);
  Ids ids;
  if (o.resample == Resample::bootstrap) {
    for (Index i = 0; i < rows; ++i) ids.push_back(static_cast<std::uint32_t>(random.below(i, rows)));
    std::ranges::sort(ids);
    return ids;
  }
  // Each row with the chance that as many as are still missing are drawn from as many as still come.
  const auto wanted = static_cast<Index>(std::ceil(o.share * static_cast<double>(rows)));
  for (Index i = 0; i < rows; ++i)
    if (random.below(i, rows - i) < wanted - ids.size()) ids.push_back(static_cast<std::uint32_t>(i));
  return ids;
}

/// For each label its place among those that occur: `values` are ascending.
Index place(const std::vector<Label>& values, Label label) {
  return static_cast<Index>(std::ranges::lower_bound(values, label) - values.begin());
}

/// One labelling against what the resamples made of it.
class Comparison {
 public:
  explicit Comparison(const Labels& labels)
      : labels_(labels), kept_(labels.of.size()), jaccard_(labels.count), met_(labels.count) {}

  /// `found` labels the rows `ids`; of a row that occurs more than once the first label counts.
  void add(const Ids& ids, const Labels& found) {
    if (found.of.size() != ids.size())
      throw Error(Fault::argument, "the method gave " + std::to_string(found.of.size()) + " labels for " +
                                       std::to_string(ids.size()) + " rows");
    rows_.clear(), before_.clear(), after_.clear();
    for (Index i = 0; i < ids.size(); ++i) {
      if (i > 0 && ids[i] == ids[i - 1]) continue;
      rows_.push_back(ids[i]);
      before_.push_back(labels_.of[ids[i]]);
      after_.push_back(found.of[i]);
    }
    const Contingency table(before_, after_);
    ari_.push_back(adjusted_rand(table));
    keep(table, counterparts(table));
  }

  Stability result(const std::vector<std::uint32_t>& held) const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    Stability s;
    s.n_clusters = labels_.count;
    s.adjusted_rand = ari_;
    const auto n = static_cast<double>(ari_.size());
    s.mean = std::accumulate(ari_.begin(), ari_.end(), 0.0) / n;
    double squares = 0;
    for (const double a : ari_) squares += (a - s.mean) * (a - s.mean);
    s.spread = std::sqrt(squares / (n - 1));
    for (Index c = 0; c < labels_.count; ++c)
      s.jaccard.push_back(met_[c] == 0 ? kNone : jaccard_[c] / static_cast<double>(met_[c]));
    for (Index i = 0; i < kept_.size(); ++i)
      s.confidence.push_back(
          static_cast<float>(held[i] == 0 ? kNone : static_cast<double>(kept_[i]) / held[i]));
    return s;
  }

 private:
  /// Of each class of the table the cluster that is most like it, the first of equals; noise is like noise.
  std::vector<Label> counterparts(const Contingency& table) {
    std::vector<Label> counterpart(table.classes.size(), kNoise);
    std::vector<double> best(table.classes.size());
    for (const auto& cell : table.cells) {
      if (table.classes[cell.row] == kNoise || table.clusters[cell.column] == kNoise) continue;
      const Index either = table.class_sizes[cell.row] + table.cluster_sizes[cell.column] - cell.count;
      const double jaccard = static_cast<double>(cell.count) / static_cast<double>(either);
      if (jaccard <= best[cell.row]) continue;
      best[cell.row] = jaccard;
      counterpart[cell.row] = table.clusters[cell.column];
    }
    for (Index c = 0; c < best.size(); ++c)
      if (const Label label = table.classes[c]; label != kNoise) {
        jaccard_[label] += best[c];
        ++met_[label];
      }
    return counterpart;
  }

  void keep(const Contingency& table, const std::vector<Label>& counterpart) {
    for (Index i = 0; i < rows_.size(); ++i) {
      const Label wanted = counterpart[place(table.classes, before_[i])];
      const bool all_noise = wanted == kNoise && before_[i] != kNoise;  // its cluster has no counterpart
      kept_[rows_[i]] += !all_noise && after_[i] == wanted;
    }
  }

  const Labels& labels_;
  std::vector<std::uint32_t> kept_;
  std::vector<double> ari_, jaccard_;
  std::vector<Index> met_;  // resamples that held a row of the cluster
  Ids rows_;                // of the resample at hand, each once
  std::vector<Label> before_, after_;
};

/// Labels of some rows, one for each of the labellings that are tried.
using Relabel = std::function<std::vector<Labels>(const Rows& x, Seed seed)>;

std::vector<Stability> resample(const Rows& x, const std::vector<Labels>& labellings, const Relabel& relabel,
                                const StabilityOptions& options, const Run& run) {
  check(options, x.rows(), labellings);
  std::vector<Comparison> comparisons(labellings.begin(), labellings.end());
  std::vector<std::uint32_t> held(x.rows());
  for (Index r = 0; r < options.resamples; ++r) {
    check_stop(run);
    const Ids ids = draw(x.rows(), options, options.seed.child(2 * r));
    const std::vector<Labels> found =
        relabel(select_rows(x, {ids.begin(), ids.end()}), options.seed.child(2 * r + 1));
    for (Index i = 0; i < found.size(); ++i) comparisons[i].add(ids, found[i]);
    for (Index i = 0; i < ids.size(); ++i) held[ids[i]] += i == 0 || ids[i] != ids[i - 1];
    if (run.progress)
      run.progress("stability", static_cast<double>(r + 1), static_cast<double>(options.resamples));
  }
  std::vector<Stability> all;
  for (const Comparison& c : comparisons) all.push_back(c.result(held));
  return all;
}

}  // namespace

std::span<const StabilityLevel> stability_levels() {
  static constexpr StabilityLevel kLevels[] = {
      {0.85, "very stable"}, {0.75, "stable"}, {0.6, "doubtful"}, {0, "not to be trusted"}};
  return kLevels;
}

const StabilityLevel* stability_level(double jaccard) {
  const auto levels = stability_levels();
  const auto found = std::ranges::find_if(levels, [&](const auto& level) { return jaccard >= level.from; });
  return found == levels.end() ? nullptr : &*found;
}

Stability measure_stability(const Rows& x, const Labels& labels, const ClusterMethod& method,
                            const StabilityOptions& options, const Run& run) {
  const Relabel relabel = [&](const Rows& rows, Seed seed) {
    return std::vector<Labels>{method(rows, labels.count, seed)};
  };
  return std::move(resample(x, {labels}, relabel, options, run)[0]);
}

std::vector<Stability> measure_stability(const Rows& x, const std::vector<Labels>& cuts,
                                         const JoinMethod& method, const StabilityOptions& options,
                                         const Run& run) {
  const Relabel relabel = [&](const Rows& rows, Seed) {
    const Dendrogram tree = method(rows);
    std::vector<Labels> found;
    for (const Labels& cut : cuts) found.push_back(tree.cut(std::min(cut.count, rows.rows())));
    return found;
  };
  return resample(x, cuts, relabel, options, run);
}

}  // namespace shoal
