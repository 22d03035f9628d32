#include "shoal/measure/separation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/measure/distance_totals_impl.h"
#include "shoal/measure/members_impl.h"
#include "shoal/measure/row_silhouette_impl.h"
#include "shoal/near/centroids_impl.h"

namespace shoal {
namespace {

constexpr double kRounding = 1e-12;  // relative: smaller distances are rounding
constexpr Index kNobody = static_cast<Index>(-1);

/// The tree of clusters: the first ones, then what each join makes.
struct Tree {
  std::vector<Index> sizes;    // rows of each node
  std::vector<Index> parent;   // kNobody: it stays
  std::vector<Join> children;  // of node first + i: nodes, not clusters
  Index first = 0;             // nodes before the first join

  Index nodes() const { return sizes.size(); }
};

Tree make_tree(const Members& members, const std::vector<Join>& joins) {
  Tree t;
  t.first = members.clusters();
  t.sizes = members.sizes;
  t.parent.assign(t.first + joins.size(), kNobody);
  if (joins.size() + 2 > t.first)
    throw Error(Fault::argument, std::to_string(joins.size()) + " joins of " + std::to_string(t.first) +
                                     " clusters leave fewer than 2");
  std::vector<Index> node(t.first);  // of each cluster, kNobody: it is gone
  std::iota(node.begin(), node.end(), Index{0});
  for (const Join& j : joins) {
    Index& into = node[j.into];
    Index& from = node[j.from];
    if (into == from || into == kNobody || from == kNobody)
      throw Error(Fault::argument, "cluster " + std::to_string(j.from) + " cannot join cluster " +
                                       std::to_string(j.into) + ": one of them is gone, or they are one");
    t.children.push_back({static_cast<Label>(into), static_cast<Label>(from)});
    t.parent[into] = t.parent[from] = t.sizes.size();
    t.sizes.push_back(t.sizes[into] + t.sizes[from]);
    into = t.sizes.size() - 1;
    from = kNobody;
  }
  return t;
}

using Vectors = std::vector<double>;  // nodes x cols

std::span<const double> row(const Vectors& v, Index node, Index cols) {
  return std::span(v).subspan(node * cols, cols);
}

/// The sums of the first nodes, then of what they are joined into.
Vectors node_sums(const Rows& x, const Members& members, const Tree& tree, bool unit, const Run& run) {
  const Index cols = x.cols();
  const Metric metric = unit ? Metric::cosine : Metric::euclidean;
  Vectors sums = label_sums(x, metric, members.compact, run);
  sums.reserve(tree.nodes() * cols);
  for (const Join& c : tree.children)
    for (Index j = 0; j < cols; ++j) sums.push_back(sums[c.into * cols + j] + sums[c.from * cols + j]);
  return sums;
}

/// The sum of f(0) .. f(count - 1), in four sums: one alone would wait for each addition.
template <class F>
double sum_of(Index count, F&& f) {
  constexpr Index kSums = 4;
  double sum[kSums] = {};
  const Index whole = count / kSums * kSums;
  for (Index j = 0; j < whole; j += kSums)
    for (Index s = 0; s < kSums; ++s) sum[s] += f(j + s);
  for (Index j = whole; j < count; ++j) sum[j - whole] += f(j);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double dot(std::span<const double> a, std::span<const double> b) {
  return sum_of(a.size(), [&](Index j) { return a[j] * b[j]; });
}

template <class Float>
double squared_distance(std::span<const Float> a, std::span<const double> b) {
  return sum_of(a.size(), [&](Index j) { return (a[j] - b[j]) * (a[j] - b[j]); });
}

/// How far the rows of each node are from its centre.
struct Spread {
  std::vector<double> distances, squares;  // summed over the rows of each node
};

Spread spread(const Rows& x, const Members& members, const Tree& tree, const Vectors& centres,
              const Run& run) {
  constexpr Index kBlock = 1024;
  const Spread zero{std::vector<double>(tree.nodes()), std::vector<double>(tree.nodes())};
  return fold_chunks(
      run, x.rows(), std::max(kBlock, chunk_count(x.rows(), 64)), zero,
      [&](Index first, Index last) {
        Spread part = zero;
        Matrix scratch;
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView block = x.block(at, std::min(kBlock, last - at), scratch);
          for (Index r = 0; r < block.rows; ++r) {
            const Label own = members.of(at + r);
            for (Index n = own == kNoise ? kNobody : static_cast<Index>(own); n != kNobody;
                 n = tree.parent[n]) {
              const double squared = squared_distance(block[r], row(centres, n, x.cols()));
              part.squares[n] += squared;
              part.distances[n] += std::sqrt(squared);
            }
          }
        }
        return part;
      },
      [](Spread& total, const Spread& part) {
        for (Index n = 0; n < total.squares.size(); ++n) {
          total.squares[n] += part.squares[n];
          total.distances[n] += part.distances[n];
        }
      });
}

/// The clusters that are there at some time: (cluster, its node).
using Alive = std::vector<std::pair<Index, Index>>;
/// Distance of the centres of two nodes; 0: they are one.
using Apart = std::function<double(Index, Index)>;

/// The Davies-Bouldin index while clusters join. Keeps the distances of all pairs of centres if any do; else
/// there may be many clusters, and each distance is needed once.
class DaviesBouldin {
 public:
  DaviesBouldin(const Tree& tree, std::vector<double> spread, Apart apart)
      : clusters_(tree.first),
        spread_(std::move(spread)),
        apart_(std::move(apart)),
        pairs_(tree.children.empty() ? 0 : clusters_ * clusters_) {
    if (pairs_.empty()) return;
    for (Index a = 0; a < clusters_; ++a)
      for (Index b = 0; b < a; ++b) set(a, b, apart_(a, b));
  }

  /// `cluster` has become `node`.
  void move(Index cluster, Index node, const Alive& alive) {
    for (const auto& [other, its_node] : alive)
      if (other != cluster) set(cluster, other, apart_(node, its_node));
  }

  double value(const Alive& alive, const Run& run) const {
    std::vector<double> worst(alive.size());
    for_chunks(run, alive.size(), 16, [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (const auto& [b, node_b] : alive) {
          const auto [a, node_a] = alive[i];
          if (a == b) continue;
          const double apart = pairs_.empty() ? apart_(node_a, node_b) : pairs_[a * clusters_ + b];
          const double wide = spread_[node_a] + spread_[node_b];
          worst[i] = std::max(worst[i], apart > 0 ? wide / apart : std::numeric_limits<double>::infinity());
        }
    });
    return std::accumulate(worst.begin(), worst.end(), 0.0) / static_cast<double>(alive.size());
  }

 private:
  void set(Index a, Index b, double apart) { pairs_[a * clusters_ + b] = pairs_[b * clusters_ + a] = apart; }

  Index clusters_;
  std::vector<double> spread_;
  Apart apart_;
  std::vector<double> pairs_;
};

/// What Euclidean measures need of each node.
struct EuclideanNodes {
  EuclideanNodes(const Rows& x, const Members& members, const Tree& tree, const Run& run)
      : cols(x.cols()), centres(node_sums(x, members, tree, false, run)), mean(cols) {
    for (Index n = 0; n < tree.first; ++n)
      for (Index j = 0; j < cols; ++j) mean[j] += centres[n * cols + j] / static_cast<double>(members.rows);
    for (Index n = 0; n < tree.nodes(); ++n)
      for (Index j = 0; j < cols; ++j) centres[n * cols + j] /= static_cast<double>(tree.sizes[n]);
    Spread found = spread(x, members, tree, centres, run);
    squares = std::move(found.squares);
    distances = std::move(found.distances);
    for (Index n = 0; n < tree.nodes(); ++n) {
      distances[n] /= static_cast<double>(tree.sizes[n]);
      between.push_back(static_cast<double>(tree.sizes[n]) *
                        squared_distance(row(centres, n, cols), std::span<const double>(mean)));
      lengths.push_back(dot(row(centres, n, cols), row(centres, n, cols)));
    }
  }

  double apart(Index a, Index b) const {
    const double distance = std::sqrt(squared_distance(row(centres, a, cols), row(centres, b, cols)));
    return distance > kRounding * std::sqrt(lengths[a] + lengths[b]) ? distance : 0;
  }

  Index cols;
  Vectors centres;
  std::vector<double> mean;     // of all rows
  std::vector<double> lengths;  // of the centres, squared
  std::vector<double> squares, distances,
      between;  // of rows to the centre: summed, mean; size |centre - mean|^2
};

/// What cosine measures need of each node: the direction of its sum, and the mean distance of its rows to it.
struct CosineNodes {
  CosineNodes(const Rows& x, const Members& members, const Tree& tree, const Run& run)
      : cols(x.cols()), directions(node_sums(x, members, tree, true, run)) {
    for (Index n = 0; n < tree.nodes(); ++n) {
      const auto sum = std::span(directions).subspan(n * cols, cols);
      const auto size = static_cast<double>(tree.sizes[n]);
      double length = std::sqrt(dot(sum, sum));
      if (length < kRounding * size) length = 0;  // no direction: all are at distance 1
      for (double& v : sum) v = length == 0 ? 0 : v / length;
      distances.push_back(small_is_zero(1 - length / size));
    }
  }

  double apart(Index a, Index b) const {
    return small_is_zero(1 - dot(row(directions, a, cols), row(directions, b, cols)));
  }
  static double small_is_zero(double distance) { return distance < kRounding ? 0 : distance; }

  Index cols;
  Vectors directions;
  std::vector<double> distances;
};

void measure_sizes(const Tree& tree, const Alive& alive, Separation& s) {
  s.n_clusters = alive.size();
  s.smallest = s.rows;
  for (const auto& [cluster, node] : alive) {
    const Index size = tree.sizes[node];
    s.smallest = std::min(s.smallest, size);
    s.largest = std::max(s.largest, size);
    const double share = static_cast<double>(size) / static_cast<double>(s.rows);
    s.balance -= share * std::log(share);
  }
  s.balance /= std::log(static_cast<double>(s.n_clusters));
}

void measure_variance(const EuclideanNodes& nodes, const Alive& alive, Separation& s) {
  double between = 0;
  for (const auto& [cluster, node] : alive) {
    between += nodes.between[node];
    s.inertia += nodes.squares[node];
  }
  if (s.inertia <= kRounding * kRounding * between) s.inertia = 0;
  s.calinski_harabasz = s.inertia == 0 ? 1
                                       : between / static_cast<double>(s.n_clusters - 1) /
                                             (s.inertia / static_cast<double>(s.rows - s.n_clusters));
}

/// All but the silhouettes.
std::vector<Separation> measure_centres(const Rows& x, const Members& members, const std::vector<Join>& joins,
                                        const Tree& tree, const Run& run) {
  const EuclideanNodes euclidean(x, members, tree, run);
  const CosineNodes cosine(x, members, tree, run);
  DaviesBouldin db(tree, euclidean.distances, [&](Index a, Index b) { return euclidean.apart(a, b); });
  DaviesBouldin db_cosine(tree, cosine.distances, [&](Index a, Index b) { return cosine.apart(a, b); });
  Alive alive;
  for (Index c = 0; c < tree.first; ++c) alive.emplace_back(c, c);
  const Run quiet = run.quiet();
  std::vector<Separation> all;
  for (Index i = 0;; ++i) {
    check_stop(run);
    Separation& s = all.emplace_back();
    s.rows = members.rows;
    measure_sizes(tree, alive, s);
    measure_variance(euclidean, alive, s);
    s.davies_bouldin = db.value(alive, quiet);
    s.davies_bouldin_cosine = db_cosine.value(alive, quiet);
    if (i == joins.size()) return all;
    const auto into = static_cast<Index>(joins[i].into), from = static_cast<Index>(joins[i].from);
    std::erase_if(alive, [&](const auto& a) { return a.first == from; });
    std::ranges::find(alive, into, &Alive::value_type::first)->second = tree.first + i;
    db.move(into, tree.first + i, alive);
    db_cosine.move(into, tree.first + i, alive);
  }
}

/// The mean silhouette before the first join and after each.
std::vector<double> silhouettes(const Rows& x, const Members& members, const std::vector<Join>& joins,
                                const Tree& tree, Metric metric, const Run& run) {
  std::vector<std::vector<double>> parts(total_chunks(members), std::vector<double>(joins.size() + 1));
  for_distance_totals(x, members, metric, run, "silhouette",
                      [&](Index chunk, Index row, std::span<double> totals) {
                        RowSilhouette silhouette(totals, members.sizes, members.of(row));
                        parts[chunk][0] += silhouette.value();
                        for (Index i = 0; i < joins.size(); ++i) {
                          silhouette.join(joins[i], tree.sizes[tree.first + i]);
                          parts[chunk][i + 1] += silhouette.value();
                        }
                      });
  std::vector<double> mean(joins.size() + 1);
  for (Index i = 0; i < mean.size(); ++i) {
    for (const auto& part : parts) mean[i] += part[i];
    mean[i] /= static_cast<double>(members.rows);
  }
  return mean;
}

/// The joins by the numbers that the clusters with rows have.
std::vector<Join> numbered(const std::vector<Join>& joins, const Members& members) {
  std::vector<Join> out;
  const auto number = [&](Label cluster) {
    if (cluster < 0 || static_cast<Index>(cluster) >= members.number.size() ||
        members.number[cluster] == kNoise)
      throw Error(Fault::argument, "a join names cluster " + std::to_string(cluster) + ", which has no rows");
    return members.number[cluster];
  };
  for (const Join& j : joins) out.push_back({number(j.into), number(j.from)});
  return out;
}

}  // namespace

std::vector<Separation> judge_joins(const Rows& x, const Labels& labels, const std::vector<Join>& joins,
                                    const JudgeOptions& options, const Run& run) {
  const Members members(labels, x.rows());
  const std::vector<Join> joined = numbered(joins, members);
  const Tree tree = make_tree(members, joined);
  std::vector<Separation> all = measure_centres(x, members, joined, tree, run);
  if (options.silhouette) {
    const std::vector<double> values = silhouettes(x, members, joined, tree, options.metric, run);
    for (Index i = 0; i < all.size(); ++i) all[i].silhouette = values[i];
  }
  return all;
}

Separation judge_labels(const Rows& x, const Labels& labels, const JudgeOptions& options, const Run& run) {
  return judge_joins(x, labels, {}, options, run)[0];
}

}  // namespace shoal
