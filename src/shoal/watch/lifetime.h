#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/watch/lifetime_fit.h"

namespace shoal {

/// By what a model is judged on rows that came after it.
enum class LifetimeMeasure : std::uint8_t {
  accuracy,  ///< of logistic regression on the rows' labels
  unlike,    ///< 1 - the share of rows further from all centroids than 95% of held-out rows were
  margin,    ///< mean of cosine to the nearest centroid less that to the next
  agreement  ///< share of rows that are in the cluster of their nearest neighbour
};
constexpr auto names_of(LifetimeMeasure) { return std::array{"accuracy", "unlike", "margin", "agreement"}; }

struct LifetimeOptions {
  double loss = 0.05;               ///< of quality, 0.05: 5 points
  double confidence = 0.9;          ///< of intervals
  std::optional<Index> n_clusters;  ///< absent: one for 30 rows that a model is fitted on, 2 to 50
  Index max_rows = 2000;            ///< that a model is fitted on, and judged by: of each window as many
  Seed seed{42};
};
template <class V>
void fields(LifetimeOptions& o, V&& visit) {
  visit("loss", o.loss, "loss of quality that is asked about, 0.05 for 5 points", above(0).below(1));
  visit("confidence", o.confidence, "chance that intervals hold the truth", between(0.5, 0.999));
  visit("n_clusters", o.n_clusters, "clusters of a model without labels. Default: one for 30 rows, 2 to 50",
        between(2, 1000));
  visit("max_rows", o.max_rows, "most rows of each window that a model is fitted on and judged by",
        at_least(20));
  visit("seed", o.seed, "start of all randomness");
}

/// The loss of old models by age, by one measure.
struct LossCurve {
  LifetimeMeasure measure = LifetimeMeasure::unlike;
  std::vector<LossAtAge> losses;  ///< ascending in age
  std::vector<Index> pairs;       ///< of models and later windows, at each age
  Lifetime lifetime;
  std::optional<Lifetime>
      earlier;            ///< by the first two thirds of the windows alone: to be judged by the rest
  double later_loss = 0;  ///< what the loss at the largest age then was
  bool held = false;      ///< it lay within the interval that the earlier windows gave
  double earlier_low = 0, earlier_high = 0;  ///< that interval
};

struct LifetimeResult {
  Index windows = 0, rows_a_model = 0, clusters = 0;
  Index without_model = 0;  ///< windows of rows enough that hold too few different ones for the clusters
  std::vector<LossCurve> curves;  ///< with labels: accuracy; then unlike, margin, agreement
};

/// How fast models of texts grow old. A model is fitted on each window of time (k-means, and with labels
/// logistic regression), on as many rows of each, and judged on all later windows. Its regret there is the
/// quality of the model that was fitted just before that window, less its own, on the same rows. A model's
/// quality is the mean of several fits (1,000 / rows, 1 to 8), as one of few rows is good or bad by chance. A
/// model's age is the time from the end of its window to the beginning of the other. So ages begin after 0,
/// where the regret is 0 by definition.
/// window: of each row its window, 0..count-1 in order of time, or kNoise. starts: when each begins, in any
/// unit, ascending. labels: of each row, or empty. Error(data) for fewer than 3 windows with at least 20 rows
/// (others are passed over, and so are windows whose rows are too alike to be parted into the clusters),
/// Error(argument) on an option out of range.
/// O(windows rows d clusters + windows^2 rows clusters). Step "windows".
LifetimeResult lifetime(const Rows& x, const Labels& window, const std::vector<double>& starts,
                        const Labels& labels, const LifetimeOptions& options, const Run& run);

}  // namespace shoal
