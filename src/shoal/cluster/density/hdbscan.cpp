#include "shoal/cluster/density/hdbscan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/cluster/density/reachability_tree_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/near/prepared_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;
constexpr Index kFewestNeighbours = 16;  // longer lists decide more of the spanning tree
constexpr Index kMostRows = 0x7FFFFFFF;
constexpr std::uint32_t kNobody = 0xFFFFFFFF;

Index samples(const HdbscanOptions& o, Index rows) {
  return std::min(o.min_samples.value_or(o.min_cluster_size), rows - 1);
}

/// Where a row goes that is placed by its nearest rows.
class Placing {
 public:
  Placing(const CondensedTree& tree, const ChosenClusters& clusters, const std::vector<float>& core)
      : tree_(tree), clusters_(clusters), core_(core), leaving_(tree.by_child()) {}

  struct Place {
    Label label = kNoise;
    double probability = 0;
  };
  /// near: nearest first; `core`: the row's own core distance.
  Place operator()(std::span<const std::uint32_t> near, std::span<const float> distances, float core) const {
    float least = std::numeric_limits<float>::infinity();
    std::uint32_t best = near.front();
    for (Index j = 0; j < near.size(); ++j) {
      const float reach = std::max({core, core_[near[j]], distances[j]});
      if (reach < least) least = reach, best = near[j];
    }
    const double lambda = 1 / static_cast<double>(least);  // 1 / 0 is infinity
    std::uint32_t cluster = leaving_[best].parent;
    while (cluster != tree_.rows && leaving_[cluster].lambda > lambda) cluster = leaving_[cluster].parent;
    const Label label = clusters_.label(tree_, cluster, lambda);
    return {label, clusters_.probability(label, lambda)};
  }

 private:
  const CondensedTree& tree_;
  const ChosenClusters& clusters_;
  const std::vector<float>& core_;
  std::vector<CondensedEdge> leaving_;
};

/// The share of rows that are placed where `labels` says.
double agreement(const Placing& place, const Neighbours& near, Index wanted, const std::vector<float>& core,
                 const std::vector<Label>& labels) {
  const Index used = std::min(near.k, wanted);
  Index same = 0;
  for (Index row = 0; row < labels.size(); ++row) {
    const auto ids = std::span(near.id).subspan(row * near.k, used);
    const auto distances = std::span(near.distance).subspan(row * near.k, used);
    same += place(ids, distances, core[row]).label == labels[row];
  }
  return static_cast<double>(same) / static_cast<double>(labels.size());
}

}  // namespace

Hdbscan Hdbscan::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  if (x.cols() == 0) throw Error(Fault::data, "the rows have no columns");
  if (x.rows() > kMostRows)
    throw Error(Fault::data,
                "there are " + std::to_string(x.rows()) + " rows; at most 2^31 - 1 can be joined");
  check_finite(x, run);
  Hdbscan out;
  out.options_ = options;
  out.space_ = x.space();
  out.rows_ = x.to_matrix();
  const Index n = x.rows();
  out.core_distances_.resize(n);
  out.single_linkage_ = Dendrogram{n, {}};
  Neighbours near;
  if (n > 1) {
    const Index core = samples(options, n);
    near = nearest_neighbours(out.rows_, std::min(n - 1, std::max(kFewestNeighbours, 2 * core)),
                              options.metric, run);
    for (Index row = 0; row < n; ++row) out.core_distances_[row] = near.distance[row * near.k + core - 1];
    out.single_linkage_ = joinings(
        n, reachability_tree(prepare(out.rows_, options.metric, run), near, out.core_distances_, run));
  }
  out.choose();
  if (n > 1) {
    const Placing place(out.condensed_, out.clusters_, out.core_distances_);
    out.placement_agreement_ =
        agreement(place, near, 2 * samples(options, n), out.core_distances_, out.labels().of);
  }
  return out;
}

void Hdbscan::choose() {
  condensed_ = condense(single_linkage_, options_.min_cluster_size);
  clusters_ = choose_clusters(condensed_, {.method = options_.cluster_selection_method,
                                           .epsilon = options_.cluster_selection_epsilon,
                                           .allow_single_cluster = options_.allow_single_cluster,
                                           .max_cluster_size = options_.max_cluster_size});
  outlier_scores_ = glosh(condensed_);
}

Placement Hdbscan::place(const Rows& x, const Run& run) const {
  check_input(x, rows_.cols(), space_, "the clusters");
  check_finite(x, run);
  Placement out{{std::vector<Label>(x.rows(), kNoise), labels().count}, std::vector<double>(x.rows(), 0.0)};
  if (condensed_.edges.empty() || x.rows() == 0) return out;
  const Index core = samples(options_, rows_.rows());
  const Neighbours near =
      nearest(Rows(rows_, space_), x, std::min(2 * core, rows_.rows()), options_.metric, run);
  const Placing place(condensed_, clusters_, core_distances_);
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    for (Index row = first; row < last; ++row) {
      const auto ids = std::span(near.id).subspan(row * near.k, near.k);
      const auto distances = std::span(near.distance).subspan(row * near.k, near.k);
      const auto twin = std::ranges::find_if(
          ids, [&](std::uint32_t id) { return std::ranges::equal(rows_[id], block[row - first]); });
      const auto found = twin == ids.end() ? place(ids, distances, distances[core - 1])
                                           : Placing::Place{labels().of[*twin], probabilities()[*twin]};
      out.labels.of[row] = found.label;
      out.probabilities[row] = found.probability;
    }
  });
  return out;
}

void Hdbscan::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("rows", rows_.view());
  out.add("core_distances", std::span<const float>(core_distances_));
  std::vector<std::int64_t> joined;
  std::vector<double> heights{placement_agreement_};
  for (const Merge& m : single_linkage_.merges) {
    joined.insert(joined.end(), {m.first, m.second, m.size});
    heights.push_back(m.height);
  }
  out.add("joined", std::span<const std::int64_t>(joined));
  out.add("agreement_and_heights", std::span<const double>(heights));
}

Hdbscan Hdbscan::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Hdbscan s;
  s.options_ = read_options<Options>(in);
  s.space_ = read_space(in);
  s.rows_ = in.matrix("rows");
  const Index n = s.rows_.rows();
  s.core_distances_ = in.floats("core_distances", n);
  const std::vector<std::int64_t> joined = in.integers("joined");
  const Index merges = n == 0 ? 0 : n - 1;
  const std::vector<double> numbers = in.doubles("agreement_and_heights", merges + 1);
  if (joined.size() != 3 * merges)
    throw bad("there are not " + std::to_string(merges) + " joinings of " + std::to_string(n) + " rows");
  s.placement_agreement_ = numbers[0];
  s.single_linkage_.rows = n;
  for (Index i = 0; i < merges; ++i) {
    const auto id = [&](Index k) {
      const std::int64_t value = joined[3 * i + k];
      return value < 0 || value > static_cast<std::int64_t>(2 * n) ? kNobody
                                                                   : static_cast<std::uint32_t>(value);
    };
    s.single_linkage_.merges.push_back({id(0), id(1), numbers[i + 1], id(2)});
  }
  try {
    s.single_linkage_.check();
  } catch (const Error& e) {
    throw bad(e.what());
  }
  s.choose();
  return s;
}

}  // namespace shoal
