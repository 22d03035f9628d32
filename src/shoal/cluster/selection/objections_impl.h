#pragma once

#include <string>

#include "shoal/cluster/selection/choose.h"

namespace shoal {

inline constexpr double kLowSilhouette = 0.25;  // Kaufman, Rousseeuw 1990: below it there is no structure
inline constexpr double kUnstable = 0.6;        // mean adjusted Rand index over resamples

/// A number in three significant digits; from 1,000 on whole.
std::string three_digits(double value);
/// "1 cluster", "7 clusters".
std::string counted_clusters(Index k);

/// Every objection that there is; objections.cpp is the only place where their English is written.
namespace objections {

// Of the choice of a number.
Objection only_one_tried();
/// The chosen number lies at an end of the range: `most`, or else the fewest.
Objection at_the_edge(Index n_clusters, bool most);
Objection close_second(Index second, double its_value, double value);
Objection no_bend(double bend);
Objection flat_curve(double value, double median);
/// picks: those of other criteria that differ from the choice, at least one.
Objection criteria_disagree(const std::vector<Pick>& picks);
/// No more than `most` clusters were tried; `why`: a clause without a full stop.
Objection range_ended(Index most, const std::string& why);
/// For these numbers, ascending and at least one, the method found a single cluster.
Objection passed_over(const std::vector<Index>& numbers);

// Of the clusters themselves.
Objection fewer_found(Index asked, Index found);
Objection one_large_cluster(Index largest, Index rows);
Objection low_silhouette(double silhouette);
Objection unstable(const Stability& stability);
Objection mostly_noise(Index noise, Index rows);

}  // namespace objections
}  // namespace shoal
