#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/near/exact.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/reduce/umap/umap_graph_impl.h"
#include "shoal/reduce/umap/umap_place_impl.h"
#include "shoal/reduce/umap/umap_setup_impl.h"

namespace shoal {
namespace {

constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

/// Who in one table is whom in another, kNobody where none is.
using Partner = std::vector<std::uint32_t>;

[[noreturn]] void refuse(const std::string& what) { throw Error(Fault::argument, "aligned umap: " + what); }

Partner partners(const RelatedRows& related, Index rows, Index next_rows, Index table) {
  const std::string where = "tables " + std::to_string(table) + " and " + std::to_string(table + 1);
  Partner out(rows, kNobody), back(next_rows, kNobody);
  for (const auto& [a, b] : related) {
    const std::string pair = "rows " + std::to_string(a) + " and " + std::to_string(b) + " of " + where;
    if (a >= rows || b >= next_rows)
      refuse(pair + " are related; there are " + std::to_string(rows) + " and " + std::to_string(next_rows));
    if (out[a] != kNobody || back[b] != kNobody) refuse(pair + ": one of them is in another pair already");
    out[a] = static_cast<std::uint32_t>(b);
    back[b] = static_cast<std::uint32_t>(a);
  }
  return out;
}

/// Partners two steps on.
Partner joined(const Partner& first, const Partner& second) {
  Partner out(first.size(), kNobody);
  for (Index i = 0; i < first.size(); ++i)
    if (first[i] != kNobody) out[i] = second[first[i]];
  return out;
}

std::span<const std::uint32_t> neighbours(const NeighbourGraph& graph, Index i) {
  return std::span(graph.id).subspan(graph.first[i], graph.first[i + 1] - graph.first[i]);
}

/// Of the neighbours of i and of its partner that have partners: what share of them they have in common.
float likeness(const NeighbourGraph& here, const NeighbourGraph& there, const Partner& partner,
               const std::vector<bool>& is_partner, Index i) {
  std::vector<std::uint32_t> mine, theirs, both;
  for (const std::uint32_t j : neighbours(here, i))
    if (partner[j] != kNobody) mine.push_back(partner[j]);
  for (const std::uint32_t j : neighbours(there, partner[i]))
    if (is_partner[j]) theirs.push_back(j);
  std::ranges::sort(mine);
  std::ranges::set_intersection(mine, theirs, std::back_inserter(both));
  const Index either = mine.size() + theirs.size() - both.size();
  return either == 0 ? 1 : static_cast<float>(both.size()) / static_cast<float>(either);
}

struct Tie {
  std::uint32_t from, to;
  float weight;
};

/// Ties of all points, numbered through from table to table.
std::vector<Tie> ties_between(const std::vector<NeighbourGraph>& graphs, const std::vector<Partner>& next,
                              const std::vector<Index>& first, const AlignedUmapOptions& options) {
  std::vector<Tie> ties;
  for (Index t = 0; t + 1 < graphs.size(); ++t) {
    Partner partner = next[t];
    for (Index u = t + 1; u < graphs.size() && u - t <= options.alignment_window_size; ++u) {
      if (u > t + 1) partner = joined(partner, next[u - 1]);
      std::vector<bool> is_partner(graphs[u].points());
      for (const std::uint32_t j : partner)
        if (j != kNobody) is_partner[j] = true;
      float fade = -static_cast<float>(u - t - 1);
      kernels().exp(&fade, &fade, 1);
      for (Index i = 0; i < partner.size(); ++i) {
        if (partner[i] == kNobody) continue;
        const float weight =
            options.alignment_regularisation * fade * likeness(graphs[t], graphs[u], partner, is_partner, i);
        const auto a = static_cast<std::uint32_t>(first[t] + i),
                   b = static_cast<std::uint32_t>(first[u] + partner[i]);
        ties.push_back({a, b, weight});
        ties.push_back({b, a, weight});
      }
    }
  }
  std::ranges::sort(
      ties, [](const Tie& a, const Tie& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  return ties;
}

NeighbourGraph graph_of(const std::vector<Tie>& ties, Index points) {
  NeighbourGraph out;
  out.first.assign(points + 1, 0);
  for (const Tie& tie : ties) {
    ++out.first[tie.from + 1];
    out.id.push_back(tie.to);
    out.weight.push_back(tie.weight);
  }
  for (Index i = 0; i < points; ++i) out.first[i + 1] += out.first[i];
  return out;
}

/// Graphs of tables as one.
NeighbourGraph together(const std::vector<NeighbourGraph>& graphs, const std::vector<Index>& first) {
  NeighbourGraph out;
  out.first.assign(1, 0);
  for (Index t = 0; t < graphs.size(); ++t) {
    const Index edges = out.id.size();
    for (Index i = 1; i < graphs[t].first.size(); ++i) out.first.push_back(edges + graphs[t].first[i]);
    for (const std::uint32_t j : graphs[t].id) out.id.push_back(static_cast<std::uint32_t>(first[t] + j));
    out.weight.insert(out.weight.end(), graphs[t].weight.begin(), graphs[t].weight.end());
  }
  return out;
}

void check(std::span<const Rows> tables, std::span<const RelatedRows> related,
           const AlignedUmapOptions& options) {
  check_options(options);
  if (related.size() + 1 != std::max<Index>(tables.size(), 1))
    refuse(std::to_string(tables.size()) + " tables and " + std::to_string(related.size()) +
           " lists of related rows: one is needed between each two tables");
  for (const Rows& x : tables) {
    if (x.cols() != tables[0].cols())
      throw Error(Fault::data, "aligned umap: tables have rows of " + std::to_string(tables[0].cols()) +
                                   " and of " + std::to_string(x.cols()) + " numbers");
    check_space(tables[0].space(), x.space(), "aligned umap");
  }
}

}  // namespace

void check_together(const AlignedUmapOptions& o) {
  check_together(o.umap);
  require(o.umap.dens_lambda == 0, Fault::argument,
          option_name("dens_lambda") + " is for one map; of several it must be 0");
}

std::vector<Umap> Umap::fit_aligned(std::span<const Rows> tables, std::span<const RelatedRows> related,
                                    const AlignedUmapOptions& options, const Run& run) {
  check(tables, related, options);
  const Run quiet = run.quiet();
  std::vector<Index> first{0};
  for (const Rows& x : tables) {
    check_finite(x, run);
    first.push_back(first.back() + x.rows());
  }
  const Index rows = first.back(), cols = tables.empty() ? 0 : tables[0].cols();
  std::vector<Partner> next;
  for (Index t = 0; t < related.size(); ++t)
    next.push_back(partners(related[t], tables[t].rows(), tables[t + 1].rows(), t));
  Matrix all(rows, cols);
  std::vector<NeighbourGraph> graphs;
  std::vector<Umap> out(tables.size());
  for (Index t = 0; t < tables.size(); ++t) {
    const Rows& x = tables[t];
    const MatrixSpan own = all.span().slice(first[t], x.rows());
    const Matrix copy = x.to_matrix();
    std::copy_n(copy.data(), x.rows() * cols, own.data);
    if (options.umap.metric == Metric::cosine) unit_rows(own);
    out[t].options_ = options.umap;
    out[t].space_ = x.space();
    out[t].rows_ = rows_fingerprint(x, quiet);
    out[t].scales_ = out[t].embedding_ = Matrix(x.rows(), 2);
    graphs.push_back({std::vector<Index>(x.rows() + 1), {}, {}});
    if (x.rows() < 2 || cols == 0) continue;
    const Neighbours near = nearest_neighbours(
        MatrixView(own), std::min(options.umap.n_neighbors, x.rows()) - 1, options.umap.metric, run);
    out[t].scales_ = local_scales(near, run);
    graphs[t] = fuzzy_graph(near, out[t].scales_, run);
  }
  if (rows < 2 || cols == 0) return out;
  UmapDescentOptions layout = umap_descent_options(options.umap, rows);
  layout.maps.assign(first.begin(), first.end() - 1);
  layout.ties = graph_of(ties_between(graphs, next, first, options), rows);
  Matrix positions = umap_start(all, options.umap.seed.child(0), quiet);
  all = Matrix();
  optimise_layout(without_idle_edges(together(graphs, first), layout.n_epochs), layout, positions.span(),
                  run);
  for (Index t = 0; t < tables.size(); ++t)
    std::copy_n(positions[first[t]].data(), tables[t].rows() * 2, out[t].embedding_.data());
  return out;
}

}  // namespace shoal
