#include <algorithm>
#include <queue>
#include <tuple>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/chunks.h"

namespace shoal {
namespace {

/// The order in which joins happen, each after those that made its parts. Among those that can happen now:
/// the lowest, then the one of the lowest rows.
std::vector<std::uint32_t> order_by_height(const std::vector<PointJoin>& joins, Index rows) {
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::vector<std::uint32_t> latest(rows, kNone);  // the last join into the cluster of that lowest row
  std::vector<std::uint32_t> parent(joins.size(), kNone), waits_for(joins.size());
  for (std::uint32_t i = 0; i < joins.size(); ++i) {
    for (const std::uint32_t part : {latest[joins[i].into], latest[joins[i].other]}) {
      if (part == kNone) continue;
      parent[part] = i;
      ++waits_for[i];
    }
    latest[joins[i].into] = i;
  }
  const auto later = [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(joins[a].height, joins[a].into, joins[a].other) >
           std::tie(joins[b].height, joins[b].into, joins[b].other);
  };
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, decltype(later)> ready(later);
  for (std::uint32_t i = 0; i < joins.size(); ++i)
    if (waits_for[i] == 0) ready.push(i);
  std::vector<std::uint32_t> order;
  order.reserve(joins.size());
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    const std::uint32_t next = parent[order.back()];
    if (next != kNone && --waits_for[next] == 0) ready.push(next);
  }
  return order;
}

}  // namespace

JoinProgress::JoinProgress(const Run& run, Index rows, Index equal)
    : run_(run), total_(rows - 1), done_(equal) {}

void JoinProgress::joined(Index more) {
  check_stop(run_);
  done_ += more;
  if (run_.progress) run_.progress("agglomerative", static_cast<double>(done_), static_cast<double>(total_));
}

Dendrogram make_dendrogram(const Points& points, const std::vector<PointJoin>& joins, bool by_height) {
  const Index n = points.of_rows().size();
  std::vector<PointJoin> all;
  all.reserve(n);
  for (std::uint32_t row = 0; row < n; ++row) {
    const auto lowest = static_cast<std::uint32_t>(points.lowest_row(points.of_rows()[row]));
    if (lowest != row) all.push_back({lowest, row, 0});
  }
  const auto row_of = [&](std::uint32_t point) {
    return static_cast<std::uint32_t>(points.lowest_row(point));
  };
  for (const PointJoin& j : joins) all.push_back({row_of(j.into), row_of(j.other), j.height * points.unit()});

  std::vector<std::uint32_t> order(all.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  if (by_height) order = order_by_height(all, n);
  std::vector<std::uint32_t> id(n), size(n, 1);  // of the cluster with that lowest row
  for (std::uint32_t i = 0; i < n; ++i) id[i] = i;
  Dendrogram tree{n, {}};
  tree.merges.reserve(all.size());
  for (const std::uint32_t i : order) {
    const auto [into, other, height] = all[i];
    size[into] += size[other];
    tree.merges.push_back({std::min(id[into], id[other]), std::max(id[into], id[other]), height, size[into]});
    id[into] = static_cast<std::uint32_t>(n + tree.merges.size() - 1);
  }
  return tree;
}

}  // namespace shoal
