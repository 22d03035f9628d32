#include <algorithm>
#include <span>

#include "shoal/reduce/neighbour_graph_impl.h"

namespace shoal {
namespace {

struct Edge {
  std::uint32_t id;
  float weight;
};

// Who named point i, and how strongly: by naming point, ascending.
struct Named {
  std::vector<Index> first;
  std::vector<Edge> edges;
};

Named turn_round(const Neighbours& near, const std::vector<float>& strength) {
  const Index n = near.rows();
  Named named{std::vector<Index>(n + 1), std::vector<Edge>(near.id.size())};
  for (std::uint32_t id : near.id) ++named.first[id + 1];
  for (Index i = 0; i < n; ++i) named.first[i + 1] += named.first[i];
  std::vector<Index> at(named.first.begin(), named.first.end() - 1);
  for (Index e = 0; e < near.id.size(); ++e)
    named.edges[at[near.id[e]]++] = {static_cast<std::uint32_t>(e / near.k), strength[e]};
  return named;
}

// Both lists are sorted by id; calls edge(id, weight in a, weight in b) for each id in either.
template <class F>
void merge(std::span<const Edge> a, std::span<const Edge> b, F&& edge) {
  Index i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].id < b[j].id)) {
      edge(a[i].id, a[i].weight, 0.0f);
      ++i;
    } else if (i == a.size() || b[j].id < a[i].id) {
      edge(b[j].id, 0.0f, b[j].weight);
      ++j;
    } else {
      edge(a[i].id, a[i].weight, b[j].weight);
      ++i, ++j;
    }
  }
}

}  // namespace

NeighbourGraph join_neighbours(const Neighbours& near, const std::vector<float>& strength,
                               const std::function<float(float, float)>& join) {
  const Index n = near.rows(), k = near.k;
  const Named named = turn_round(near, strength);
  NeighbourGraph graph;
  graph.first.assign(1, 0);
  graph.id.reserve(near.id.size() * 3 / 2);
  graph.weight.reserve(near.id.size() * 3 / 2);
  std::vector<Edge> own(k);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < k; ++j) own[j] = {near.id[i * k + j], strength[i * k + j]};
    std::sort(own.begin(), own.end(), [](const Edge& a, const Edge& b) { return a.id < b.id; });
    merge(own, std::span(named.edges).subspan(named.first[i], named.first[i + 1] - named.first[i]),
          [&](std::uint32_t id, float one, float other) {
            const float weight = join(one, other);
            if (weight <= 0) return;  // a strength may underflow
            graph.id.push_back(id);
            graph.weight.push_back(weight);
          });
    graph.first.push_back(graph.id.size());
  }
  return graph;
}

}  // namespace shoal
