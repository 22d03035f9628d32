#pragma once

#include <optional>
#include <string_view>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

/// Where the points of a t-SNE map lie before the first iteration.
enum class TsneInit : std::uint8_t { pca, random };
constexpr auto names_of(TsneInit) { return std::array{"pca", "random"}; }

struct TsneOptions {
  /// 1..10,000: about how many neighbours a point has; 3 x perplexity are looked at. Where there are fewer
  /// rows, all other rows are neighbours and the perplexity is a third of their number (Tsne::perplexity).
  double perplexity = 30;
  Metric metric = Metric::cosine;
  Index n_iter = 750;                   ///< 0..1,000,000, of which early_exaggeration_iter come first
  Index early_exaggeration_iter = 250;  ///< 0..n_iter
  double early_exaggeration =
      12;                   ///< [1, 1,000]: the early iterations' attraction is so many times as strong
  double exaggeration = 1;  ///< [1, 1,000]: and so many times afterwards. Above 1: tighter groups
  /// (0, 1e9]; absent: rows / exaggeration (the early one first), as openTSNE. The gradient is without its
  /// factor 4, as openTSNE's: scikit-learn's learning rate is a quarter of this one.
  std::optional<double> learning_rate;
  double early_momentum = 0.8;  ///< [0, 1)
  double momentum = 0.8;        ///< [0, 1)
  TsneInit init = TsneInit::pca;
  Seed seed{42};
};
template <class V>
void fields(TsneOptions& o, V&& visit) {
  visit("perplexity", o.perplexity, "about how many neighbours a point has", between(1, 10000));
  visit("metric", o.metric, "distance of rows");
  visit("n_iter", o.n_iter, "iterations in all", between(0, 1e6));
  visit("early_exaggeration_iter", o.early_exaggeration_iter, "how many of them are exaggerated",
        between(0, 1e6));
  visit("early_exaggeration", o.early_exaggeration, "how much stronger attraction is in these",
        between(1, 1000));
  visit("exaggeration", o.exaggeration, "how much stronger it is afterwards", between(1, 1000));
  visit("learning_rate", o.learning_rate, "step along the gradient", above(0).at_most(1e9));
  visit("early_momentum", o.early_momentum,
        "share of the last step that goes on, in the exaggerated iterations", at_least(0).below(1));
  visit("momentum", o.momentum, "and afterwards", at_least(0).below(1));
  visit("init", o.init, "where points start");
  visit("seed", o.seed, "start of all randomness");
}
/// early_exaggeration_iter are some of n_iter.
void check_together(const TsneOptions& o);

/// t-distributed stochastic neighbour embedding (van der Maaten and Hinton, JMLR 9, 2008), to 2-D. A value:
/// what `fit` found is kept.
///
///   Tsne map = Tsne::fit(rows, {.perplexity = 50});
///   map.embedding();      // rows x 2
///   map.kl_divergence();  // what was minimised
///
/// The optimiser is openTSNE's: gradient descent with momentum and gains, early exaggeration, no step longer
/// than 5. Neighbours are exact; Gaussians are over the euclidean distance, under cosine that of the rows
/// scaled to length 1 (a zero row has cosine 0 with all). Repulsion: pair by pair up to 1,500 rows; above, on
/// a grid, by the fast Fourier transform, the idea of Linderman et al. (Nature Methods 16, 2019), here with
/// quintic B-splines (tsne_grid_impl.h): O(rows + area of the map) an iteration. The same bits come out for
/// any number of threads.
///
/// 0 rows give 0 x 2, one row gives (0, 0); equal rows lie close together, often on one spot.
/// O(rows^2 cols) for the neighbours, 8 bytes for each of about 4 x perplexity x rows affinities.
class Tsne {
 public:
  using Options = TsneOptions;
  static constexpr std::string_view kind = "tsne";
  /// Progress as steps "neighbours" and "layout". Error(argument) for options out of range; Error(data) for
  /// NaN and infinities.
  static Tsne fit(const Rows& x, const Options& options = {}, const Run& run = {});
  const Matrix& embedding() const&;  ///< rows x 2, its mean at (0, 0)
  Matrix embedding() && { return std::move(embedding_); }
  /// Of the affinities without exaggeration to those of the embedding, in nats; 0 for fewer than 2 rows.
  /// Repulsion's approximation moves it by less than 0.001.
  float kl_divergence() const;
  double perplexity() const;    ///< the one that was used: options' or (rows - 1) / 3, and at least 1
  const Space& space() const&;  ///< of the rows given to `fit`
  Space space() &&;
  void save(ArchiveWriter& out) const;
  static Tsne load(const ArchiveReader& in);  ///< Error(format)

 private:
  Options options_;
  Space space_;
  Matrix embedding_;
  float kl_divergence_ = 0;
};

}  // namespace shoal
