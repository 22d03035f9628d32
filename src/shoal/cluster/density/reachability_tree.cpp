#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/cluster/density/merge_sets_impl.h"
#include "shoal/cluster/density/pair_filter_impl.h"
#include "shoal/cluster/density/reachability_tree_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kStrip = 120;       // rows that a block meets at once
constexpr Index kBlock = 240;       // rows that look for their nearest together
constexpr Index kPiece = 48;        // products that are compared at once
constexpr double kDecided = 0.125;  // below this share of components the lists have done their work
constexpr Index kGrain = 4096;      // rows a chunk where each row is looked at
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::uint32_t kNobody = 0xFFFFFFFF;
constexpr TreeEdge kNoEdge{kInfinity, kNobody, kNobody};

/// No row outside a row's list is nearer than this: what the list's last could have been but for the rounding
/// of the products by which lists are made.
float least_outside(const Prepared& x, Index row, float last) {
  const double unit = x.unit, length = std::sqrt(2.0 * x.half_square[row]);
  const double square = x.source.metric() == Metric::cosine ? 2.0 * last : (last / unit) * (last / unit);
  const double reach = x.source.metric() == Metric::cosine ? 1.0 : length + std::sqrt(square);
  const double rounding =
      16 * static_cast<double>(x.rows.cols + 8) / (1 << 24) * (length * length + reach * reach) +
      (x.source.metric() == Metric::cosine ? 8e-6 : 0);  // rows that pass as unit may be off by 2e-6
  const double least = std::max(0.0, square * (1 - 1e-5) - rounding);
  return static_cast<float>(x.source.metric() == Metric::cosine ? least / 2 : std::sqrt(least) * unit);
}

class Growing {
 public:
  Growing(const Prepared& x, const Neighbours& near, const std::vector<float>& core, const Run& run)
      : x_(x),
        near_(near),
        core_(core),
        run_(run),
        filter_(x),
        sets_(core.size()),
        component_(core.size()),
        edge_(core.size(), kNoEdge),
        bound_(core.size()),
        looked_(core.size(), 0) {
    std::iota(component_.begin(), component_.end(), 0u);
    for (Index row = 0; row < size(); ++row) {
      const float outside =
          near.k + 1 == size() ? kInfinity : least_outside(x, row, near.distance[row * near.k + near.k - 1]);
      bound_[row] = std::max(core[row], outside);
    }
  }

  std::vector<TreeEdge> grow() {
    while (tree_.size() + 1 < size()) {
      check_stop(run_);
      if (find_shortest() < kDecided) {
        look();
        find_shortest();
      }
      join();
      if (run_.progress)
        run_.progress("spanning tree", static_cast<double>(tree_.size()), static_cast<double>(size() - 1));
    }
    std::ranges::sort(tree_);
    return std::move(tree_);
  }

 private:
  Index size() const { return core_.size(); }

  TreeEdge make_edge(float distance, std::uint32_t a, std::uint32_t b) const {
    return {std::max({core_[a], core_[b], distance}), std::min(a, b), std::max(a, b)};
  }
  bool leaves(const TreeEdge& e) const {
    return e.first != kNobody && component_[e.first] != component_[e.second];
  }

  /// The shortest known edge of each row to another component, then of each component, and which components
  /// are open: have a row that may have a shorter one. The share of those that are not.
  double find_shortest() {
    for_chunks(run_, size(), kGrain, [&](Index, Index first, Index last) {
      for (Index row = first; row < last; ++row)
        if (!leaves(edge_[row])) {
          edge_[row] = shortest_in_list(static_cast<std::uint32_t>(row));
          looked_[row] = 0;
        }
    });
    shortest_.assign(size(), kNoEdge);
    for (Index row = 0; row < size(); ++row)
      shortest_[component_[row]] = std::min(shortest_[component_[row]], edge_[row]);
    open_.assign(size(), 0);
    for (Index row = 0; row < size(); ++row)
      if (is_open(row)) open_[component_[row]] = 1;
    Index components = 0, decided = 0;
    for (Index row = 0; row < size(); ++row)
      if (component_[row] == row) ++components, decided += !open_[row];
    return static_cast<double>(decided) / static_cast<double>(components);
  }

  bool is_open(Index row) const {
    return !looked_[row] && bound_[row] <= shortest_[component_[row]].weight &&
           bound_[row] <= edge_[row].weight;
  }

  TreeEdge shortest_in_list(std::uint32_t row) const {
    TreeEdge best = kNoEdge;
    for (Index j = row * near_.k; j < (row + 1) * near_.k; ++j) {
      if (near_.distance[j] > best.weight) break;  // lists are sorted, and weights are no less
      if (component_[near_.id[j]] != component_[row])
        best = std::min(best, make_edge(near_.distance[j], row, near_.id[j]));
    }
    return best;
  }

  /// Joins each component that is not open by its shortest edge.
  void join() {
    for (std::uint32_t root = 0; root < size(); ++root) {
      if (component_[root] != root || open_[root]) continue;
      const TreeEdge& e = shortest_[root];
      if (sets_.unite(e.first, e.second)) tree_.push_back(e);
    }
    for (std::uint32_t row = 0; row < size(); ++row) component_[row] = sets_.find(row);
  }

  /// The open rows of all components but the largest find their nearest row of another component.
  void look();
  void look_together(std::span<const std::uint32_t> rows);
  void gather(std::span<const std::uint32_t> rows, Matrix& out) const {
    for (Index i = 0; i < rows.size(); ++i) std::ranges::copy(x_.rows[rows[i]], out[i].begin());
  }

  const Prepared& x_;
  const Neighbours& near_;
  const std::vector<float>& core_;
  const Run& run_;
  PairFilter filter_;
  MergeSets sets_;
  std::vector<std::uint32_t> component_;  // of each row: its smallest row
  std::vector<TreeEdge> edge_;            // of each row: the shortest known to another component
  std::vector<float> bound_;              // of each row: edges that are not known are no shorter
  std::vector<std::uint8_t> looked_;      // of each row: is its edge the shortest of all?
  std::vector<TreeEdge> shortest_;        // of each component, at its smallest row
  std::vector<std::uint8_t> open_;        // likewise
  std::vector<std::uint32_t> order_;      // rows by component
  std::vector<Index> begin_, end_;        // of each component, at its smallest row: where in order_
  std::vector<TreeEdge> tree_;
};

void Growing::look() {
  order_.resize(size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::ranges::stable_sort(order_, {}, [&](std::uint32_t row) { return component_[row]; });
  begin_.assign(size(), 0), end_.assign(size(), 0);
  for (Index i = 0; i < size(); ++i) {
    const std::uint32_t c = component_[order_[i]];
    if (end_[c] == 0) begin_[c] = i;
    end_[c] = i + 1;
  }
  std::uint32_t largest = 0;
  for (std::uint32_t c = 1; c < size(); ++c)
    if (end_[c] - begin_[c] > end_[largest] - begin_[largest]) largest = c;

  // Blocks of rows; one that begins or ends in a component with many rows holds no others.
  std::vector<std::uint32_t> rows;
  std::vector<Index> cuts;
  for (const std::uint32_t row : order_) {
    const std::uint32_t c = component_[row];
    if (c == largest || !is_open(row)) continue;
    const bool other = !rows.empty() && component_[rows.back()] != c;
    const auto large = [&](std::uint32_t k) { return end_[k] - begin_[k] >= kBlock; };
    if (rows.empty() || rows.size() - cuts.back() == kBlock ||
        (other && (large(c) || large(component_[rows.back()]))))
      cuts.push_back(rows.size());
    rows.push_back(row);
  }
  cuts.push_back(rows.size());
  for_chunks(run_, cuts.size() - 1, 1, [&](Index, Index b, Index) {
    look_together(std::span(rows).subspan(cuts[b], cuts[b + 1] - cuts[b]));
  });
}

void Growing::look_together(std::span<const std::uint32_t> rows) {
  const Index n = rows.size();
  Matrix mine(n, x_.rows.cols), theirs(kStrip, x_.rows.cols), products(kStrip, n);
  gather(rows, mine);
  const Packed packed = Packed::rows(mine.view());
  std::vector<float> threshold(n);
  const auto reach = [&](Index c) {
    return filter_.least(rows[c]) - filter_.most_half_square(edge_[rows[c]].weight);
  };
  for (Index c = 0; c < n; ++c) threshold[c] = reach(c);
  // Of one component: its own rows need not be met.
  const std::uint32_t own = component_[rows.front()];
  const bool alone = component_[rows.back()] == own;
  Index at = 0;
  std::vector<std::uint32_t> strip;
  while (at < order_.size()) {
    check_stop(run_);
    for (strip.clear(); at < order_.size() && strip.size() < kStrip; ++at) {
      if (alone && at == begin_[own]) at = end_[own];
      if (at < order_.size()) strip.push_back(order_[at]);
    }
    gather(strip, theirs);
    multiply(theirs.view().slice(0, strip.size()), packed, {}, Activation::none,
             products.span().slice(0, strip.size()));
    for (Index r = 0; r < strip.size(); ++r) {
      const std::uint32_t other = strip[r];
      const float* const row = products[r].data();
      const float least = filter_.least(other);
      for (Index begin = 0; begin < n; begin += kPiece) {
        const Index end = std::min(begin + kPiece, n);
        if (!any_reaches(row + begin, least, &threshold[begin], end - begin)) continue;
        for (Index c = begin; c < end; ++c) {
          if (row[c] < threshold[c] + least || component_[rows[c]] == component_[other]) continue;
          TreeEdge& best = edge_[rows[c]];
          if (!(make_edge(0, rows[c], other) < best)) continue;
          const TreeEdge found = make_edge(distance(x_, rows[c], x_, other), rows[c], other);
          if (!(found < best)) continue;
          best = found;
          threshold[c] = reach(c);
        }
      }
    }
  }
  for (const std::uint32_t row : rows) {
    bound_[row] = std::max(bound_[row], edge_[row].weight);
    looked_[row] = 1;
  }
}

}  // namespace

std::vector<TreeEdge> reachability_tree(const Prepared& x, const Neighbours& near,
                                        const std::vector<float>& core, const Run& run) {
  if (core.size() < 2) return {};
  return Growing(x, near, core, run).grow();
}

Dendrogram joinings(Index rows, const std::vector<TreeEdge>& edges) {
  Dendrogram tree{rows, {}};
  MergeSets sets(rows);
  std::vector<std::uint32_t> id(rows), size(rows, 1);  // of the set whose smallest row it is
  std::iota(id.begin(), id.end(), 0u);
  for (const TreeEdge& e : edges) {
    const std::uint32_t a = sets.find(e.first), b = sets.find(e.second), whole = std::min(a, b);
    sets.unite(a, b);
    size[whole] = size[a] + size[b];
    tree.merges.push_back({std::min(id[a], id[b]), std::max(id[a], id[b]), e.weight, size[whole]});
    id[whole] = static_cast<std::uint32_t>(rows + tree.merges.size() - 1);
  }
  return tree;
}

}  // namespace shoal
