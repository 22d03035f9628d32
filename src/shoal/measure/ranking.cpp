#include "shoal/measure/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/measure/scored_pairs.h"

namespace shoal {
namespace {

double discount(Index rank) { return 1 / std::log2(static_cast<double>(rank) + 2); }

/// Of `relevant` hits one after another from the first.
double ideal_gain(Index relevant, Index k) {
  double out = 0;
  for (Index i = 0; i < std::min(relevant, k); ++i) out += discount(i);
  return out;
}

}  // namespace

FoundScores found_scores(std::span<const std::uint8_t> hits, Index relevant, std::span<const Index> at,
                         Index k, Index map_k) {
  FoundScores out;
  const auto all = static_cast<double>(relevant);
  for (const Index most : at) {
    double found = 0;
    for (Index i = 0; i < std::min(most, hits.size()); ++i) found += hits[i];
    out.accuracy.push_back(found > 0 ? 1 : 0);
    out.precision.push_back(found / static_cast<double>(most));
    out.recall.push_back(found / all);
  }
  double gain = 0;
  for (Index i = 0; i < std::min(k, hits.size()); ++i) {
    if (!hits[i]) continue;
    gain += discount(i);
    if (out.mrr == 0) out.mrr = 1 / static_cast<double>(i + 1);
  }
  out.ndcg = gain / ideal_gain(relevant, k);
  double found = 0;
  for (Index i = 0; i < std::min(map_k, hits.size()); ++i)
    if (hits[i]) found += 1, out.map += found / static_cast<double>(i + 1);
  out.map /= static_cast<double>(std::min(map_k, relevant));
  return out;
}

OrderScores order_scores(std::span<const double> scores, std::span<const std::uint8_t> relevant, Index k) {
  OrderScores out;
  out.ap = average_precision(scores, relevant);
  std::vector<Index> order(scores.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, std::greater{}, [&](Index i) { return scores[i]; });
  Index all = 0;
  double gain = 0;
  for (Index first = 0, last; first < order.size(); first = last) {
    double found = 0, weight = 0;
    for (last = first; last < order.size() && scores[order[last]] == scores[order[first]]; ++last) {
      found += relevant[order[last]];
      if (last < k) weight += discount(last);
    }
    gain += found * weight / static_cast<double>(last - first);
    all += static_cast<Index>(found);
    const Index rank = last - static_cast<Index>(found);  // others of the same score stand before it
    if (found > 0 && static_cast<double>(all) == found && rank < k)
      out.mrr = 1 / static_cast<double>(rank + 1);
  }
  if (all > 0) out.ndcg = gain / ideal_gain(all, k);
  return out;
}

}  // namespace shoal
