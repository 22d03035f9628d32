#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "shoal/cluster/selection/objections_impl.h"

namespace shoal {
namespace {

Field count(const char* name, Index value) { return {name, static_cast<std::int64_t>(value)}; }
Field real(const char* name, double value) { return {name, value}; }

}  // namespace

std::string three_digits(double value) {
  if (std::abs(value) >= 1000 && std::isfinite(value)) return std::to_string(std::llround(value));
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string counted_clusters(Index k) { return std::to_string(k) + (k == 1 ? " cluster" : " clusters"); }

namespace objections {

Objection only_one_tried() { return {"only_one_tried", {}, "No other number was tried."}; }

Objection at_the_edge(Index n_clusters, bool most) {
  const std::string clusters = counted_clusters(n_clusters);
  return {"at_the_edge",
          {count("n_clusters", n_clusters), {"edge", std::string(most ? "most" : "fewest")}},
          most              ? clusters + " are the most that were tried: more may be better."
          : n_clusters == 2 ? clusters +
                                  " are the fewest that were tried: the rows may not fall into clusters at "
                                  "all."
                            : clusters + " are the fewest that were tried: fewer may be better."};
}

Objection close_second(Index second, double its_value, double value) {
  return {"close_second",
          {count("n_clusters", second), real("value", its_value), real("best", value)},
          counted_clusters(second) + " are nearly as good: " + three_digits(its_value) + " against " +
              three_digits(value) + "."};
}

Objection no_bend(double bend) {
  return {"no_bend", {real("bend", bend)}, "The inertia falls evenly, without a marked bend: weak evidence."};
}

Objection flat_curve(double value, double median) {
  return {"flat_curve",
          {real("best", value), real("median", median)},
          "The curve is flat (the median is " + three_digits(median) + "): weak evidence for any number."};
}

Objection criteria_disagree(const std::vector<Pick>& picks) {
  Objection out{"criteria_disagree", {}, ""};
  for (const Pick& p : picks) {
    out.values.push_back(count(name_of(p.criterion), p.n_clusters));
    out.text += (out.text.empty() ? "" : ", ") + std::string("the ") + text_of(p.criterion).phrase + " " +
                std::to_string(p.n_clusters);
  }
  out.text = "Other criteria choose otherwise: " + out.text + ".";
  return out;
}

Objection range_ended(Index most, const std::string& why) {
  return {"range_ended",
          {count("n_clusters", most)},
          "More than " + counted_clusters(most) + " were not tried: " + why + "."};
}

Objection passed_over(const std::vector<Index>& numbers) {
  constexpr Index kMostNamed = 5;
  std::string named;
  for (Index i = 0; i < std::min<Index>(numbers.size(), kMostNamed); ++i)
    named += (i == 0 ? "" : i + 1 == numbers.size() ? " and " : ", ") + std::to_string(numbers[i]);
  if (numbers.size() > kMostNamed)
    named += " and " + std::to_string(numbers.size() - kMostNamed) + " other numbers";
  return {
      "passed_over",
      {count("numbers", numbers.size()), count("fewest", numbers.front()), count("most", numbers.back())},
      "Asked for " + named + " clusters, the method found only one, which cannot be judged: passed over."};
}

Objection fewer_found(Index asked, Index found) {
  return {"fewer_found",
          {count("asked", asked), count("found", found)},
          "The method found only " + counted_clusters(found) + "."};
}

Objection one_large_cluster(Index largest, Index rows) {
  return {"one_large_cluster",
          {count("largest", largest), count("rows", rows)},
          "One cluster holds " + std::to_string(largest) + " of " + std::to_string(rows) +
              " rows, more than half."};
}

Objection low_silhouette(double silhouette) {
  return {"low_silhouette",
          {real("silhouette", silhouette)},
          "The silhouette is " + three_digits(silhouette) + ": below " + three_digits(kLowSilhouette) +
              " clusters hardly stand apart."};
}

Objection unstable(const Stability& stability) {
  return {"unstable_clusters",
          {real("adjusted_rand_mean", stability.mean), real("adjusted_rand_spread", stability.spread)},
          "On resamples the clusters come back with an adjusted Rand index of only " +
              three_digits(stability.mean) + " (spread " + three_digits(stability.spread) + "): below " +
              three_digits(kUnstable) + " they are not stable."};
}

Objection mostly_noise(Index noise, Index rows) {
  return {"mostly_noise",
          {count("noise", noise), count("rows", rows)},
          "More than half of the rows, " + std::to_string(noise) + " of " + std::to_string(rows) +
              ", are in no cluster."};
}

}  // namespace objections
}  // namespace shoal
