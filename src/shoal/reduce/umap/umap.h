#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

struct UmapOptions {
  /// 2 or more. The point itself counts as one of them, as in umap-learn. Few show fine detail, many the
  /// broad arrangement. Where there are fewer rows, all other rows are neighbours.
  Index n_neighbors = 15;
  Metric metric = Metric::cosine;
  float min_dist = 0.1f;  ///< 0..spread: how closely points may be packed
  float spread = 1.0f;    ///< 0.01..100: how far apart the islands lie
  /// 1..1,000,000; absent: 500 up to 10,000 rows, 200 above, and 200 more for densities; as umap-learn.
  std::optional<Index> n_epochs;
  float learning_rate = 1.0f;      ///< (0, 100]: the first epoch's; it falls to 0
  Index negative_sample_rate = 5;  ///< 0..1,000: points pushed away for each one pulled
  /// 0..100: how much the map is to keep of the densities (densMAP); 0: nothing, 2 as umap-learn's densmap.
  float dens_lambda = 0;
  float dens_frac = 0.3f;  ///< [0, 1]: share of the epochs, the last ones, in which it minds them
  float dens_var_shift =
      0.1f;  ///< [0, 100]: added to the variance of the map's radii, against shrinking ones
  Seed seed{42};
};
template <class V>
void fields(UmapOptions& o, V&& visit) {
  visit("n_neighbors", o.n_neighbors, "neighbours that a point is drawn to, itself included", at_least(2));
  visit("metric", o.metric, "distance of rows");
  visit("min_dist", o.min_dist, "how closely points may be packed", between(0, 100));
  visit("spread", o.spread, "how far apart the islands lie", between(0.01, 100));
  visit("n_epochs", o.n_epochs, "rounds of the layout", between(1, 1e6));
  visit("learning_rate", o.learning_rate, "the first round's step", above(0).at_most(100));
  visit("negative_sample_rate", o.negative_sample_rate, "points pushed away for each one pulled",
        between(0, 1000));
  visit("dens_lambda", o.dens_lambda, "how much the map keeps of the densities", between(0, 100));
  visit("dens_frac", o.dens_frac, "share of the rounds, the last ones, in which it minds them",
        between(0, 1));
  visit("dens_var_shift", o.dens_var_shift, "added to the variance of the map's radii", between(0, 100));
  visit("seed", o.seed, "start of all randomness");
}
/// min_dist is at most spread.
void check_together(const UmapOptions& o);

/// Pairs (row of a table, row of the next table) of which each row is in one at most.
using RelatedRows = std::vector<std::pair<Index, Index>>;

/// How several maps are laid out together.
struct AlignedUmapOptions {
  UmapOptions umap;
  float alignment_regularisation = 0.03f;  ///< 0..1,000: how stiff the springs between related points are
  Index alignment_window_size = 3;         ///< 1..100: over how many tables a spring reaches at most
};
template <class V>
void fields(AlignedUmapOptions& o, V&& visit) {
  fields(o.umap, visit);
  visit("alignment_regularisation", o.alignment_regularisation, "how strongly related points are tied",
        between(0, 1000));
  visit("alignment_window_size", o.alignment_window_size, "over how many tables a tie reaches at most",
        between(1, 100));
}
/// One map keeps densities, several do not.
void check_together(const AlignedUmapOptions& o);

/// Uniform manifold approximation and projection (McInnes, Healy, Melville, arXiv:1802.03426), to 2-D.
/// A value: what `fit` found is kept.
///
///   Umap map = Umap::fit(rows, {.n_neighbors = 30});
///   map.embedding();  // rows x 2
///
/// Where it departs from umap-learn:
/// - Neighbours are exact, and the same bits come out for any number of threads: points move themselves, in
///   turns, instead of each edge moving both its ends at any time. An edge thus pulls a point once where
///   umap-learn pulls it twice (once from either end), against as many pushes; the maps look alike and keep
///   neighbourhoods better (docs/performance.md).
/// - The start is the first two principal components, not eigenvectors of the graph: these need one connected
///   graph, which texts with many near-duplicates do not give (umap-learn then falls back to noise or to
///   pieces).
/// - Forces come from tables, within 0.1%.
///
/// With dens_lambda above 0 it is densMAP (Narayan, Berger, Cho, Nature Biotechnology 39, 2021): what is
/// dense among the rows becomes dense on the map, and `local_radii` tells how far it is so.
///
/// `transform` places new rows on the map. The training rows are not kept: at 1,000,000 x 100 they would be
/// 400 MB beside 16 MB of map and scales, and whoever has fitted has them in a file already, from where they
/// are mapped, not read. So they are given again; a fingerprint tells if they are others.
///
/// 0 rows give 0 x 2, one row gives (0, 0); equal rows lie close together, but not on one spot.
/// O(n^2 d) for the neighbours, O(n_epochs n n_neighbors) for the layout.
class Umap {
 public:
  using Options = UmapOptions;
  static constexpr std::string_view kind = "umap";
  /// Progress as steps "neighbours" and "layout". Error(argument) for options out of range; Error(data) for
  /// NaN and infinities.
  static Umap fit(const Rows& x, const Options& options = {}, const Run& run = {});
  /// Places of rows `x` on this map, x.rows() x 2: among their neighbours in `training`, the rows given to
  /// `fit`. The old points stand still; a third of fit's epochs, from a quarter of its first step (as
  /// umap-learn does). Where a row comes to lie depends on it alone, never on the other rows of `x`, and a
  /// row that equals one of `training` lies on its point (of several, the first one's). Every row gets a
  /// place, also one that is like none. O(x.rows() training.rows() d). Steps "neighbours" and "place".
  /// Error(data) for rows of another dimension or model, NaN and infinities, and if `training` are other rows
  /// than fit's or none.
  Matrix transform(const Rows& x, const Rows& training, const Run& run = {}) const;
  /// Maps of several tables of rows, such as years, on which related points lie near each other. `related`:
  /// one entry for each two consecutive tables. All maps are laid out at once and begin on the principal
  /// plane of all rows together; a point is drawn to those of its relatives up to alignment_window_size
  /// tables away, less with each table and the less their neighbours are related (as AlignedUMAP of
  /// umap-learn). Each is then a Umap like any other. n_epochs: 500 up to 10,000 rows in all, 200 above. A
  /// table may have any number of rows, also 0 or 1, and none related. Error(argument) if a pair names a row
  /// that is not there, or one twice, or dens_lambda is not 0; Error(data) for tables of different dimensions
  /// or models.
  static std::vector<Umap> fit_aligned(std::span<const Rows> tables, std::span<const RelatedRows> related,
                                       const AlignedUmapOptions& options = {}, const Run& run = {});
  /// Logarithms of the local radii of each row, rows x 2: among the rows, and on the map. A local radius is
  /// the mean squared distance to the neighbours, by strength. 0 x 2 unless dens_lambda is above 0.
  const Matrix& local_radii() const&;
  Matrix local_radii() && { return std::move(radii_); }
  const Matrix& embedding() const&;  ///< rows x 2
  Matrix embedding() && { return std::move(embedding_); }
  const Space& space() const&;  ///< of the rows given to `fit`
  Space space() &&;
  void save(ArchiveWriter& out) const;
  static Umap load(const ArchiveReader& in);  ///< Error(format)

 private:
  void lay_out(const Rows& x, const Run& run);

  Options options_;
  Space space_;
  Matrix embedding_;
  Matrix scales_;  // rows x 2: local_scales
  Matrix radii_{0, 2};
  std::uint64_t rows_ = 0;  // rows_fingerprint
};

}  // namespace shoal
