#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/learn/mlp.h"
#include "shoal/learn/parameters.h"

namespace shoal {

/// How vectors of a new encoder are brought into the space of an old one.
enum class SpaceMapKind : std::uint8_t {
  procrustes,  ///< a rotation (and a shift): the best of all by least squares (Schoenemann 1966)
  ridge,       ///< any linear map, penalised
  residual     ///< ridge, and a small perceptron for what it leaves
};
constexpr auto names_of(SpaceMapKind) { return std::array{"procrustes", "ridge", "residual"}; }

struct SpaceMapOptions {
  std::optional<SpaceMapKind> map;  ///< absent: the one with the best recall on rows held out to choose
  double lambda = 1;                ///< of ridge
  Index hidden = 256;               ///< width of the perceptron
  Index n_epochs = 40;              ///< of the perceptron
  Index k = 10;                     ///< neighbours whose recall counts
  Seed seed{42};
};
template <class V>
void fields(SpaceMapOptions& o, V&& visit) {
  visit("map", o.map, "how vectors are mapped. Default: as rows held out like best");
  visit("lambda", o.lambda, "penalty of ridge", above(0));
  visit("hidden", o.hidden, "width of the perceptron", at_least(1));
  visit("n_epochs", o.n_epochs, "most passes of the perceptron over the sample", at_least(1));
  visit("k", o.k, "neighbours whose recall counts", at_least(1));
  visit("seed", o.seed, "start of all randomness");
}

/// Recall of a map: of the k nearest rows that the old encoder finds for a text, the share that the mapped
/// vector of the new one finds.
struct MapRecall {
  SpaceMapKind map = SpaceMapKind::procrustes;
  double recall = 0, error = 0;  ///< mean and its standard error over texts
  double low() const { return recall - 1.96 * error; }
  double high() const { return recall + 1.96 * error; }
};

struct SpaceMapReport {
  Index learnt_from = 0, chosen_on = 0, stated_on = 0;  ///< rows of the sample
  std::vector<MapRecall> choices;                       ///< on the rows held out to choose
  MapRecall stated;    ///< of the map that was chosen, on rows that no choice has seen
  double without = 0;  ///< the same recall between the two encoders, if all were embedded anew: how far they
                       ///< agree at all
};

/// Maps vectors of a new encoder into the space of an old one, so that old vectors can be searched by it
/// until all is embedded anew (Vejendla, Drift-Adapter, EMNLP 2025, compares such maps).
class SpaceMap {
 public:
  using Options = SpaceMapOptions;
  static constexpr std::string_view kind = "space_map";

  /// From a sample embedded by both, row by row, at least 50. 70% of the rows are learnt from, 15% choose the
  /// map, 15% state its recall, among all rows of `old`. Error(data) unless both have as many rows, all
  /// finite.
  static SpaceMap fit(const Rows& fresh, const Rows& old, const Options& options, SpaceMapReport& report,
                      const Run& run = {});
  /// Rows in the old space, of length 1. Error(data) for rows of another space or dimension than `from`.
  Rows applied(const Rows& x, const Run& run = {}) const;

  SpaceMapKind map() const { return map_; }
  const Space& from() const& { return from_; }
  const Space& to() const& { return to_; }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static SpaceMap load(const ArchiveReader& in);

 private:
  SpaceMap() = default;
  static SpaceMap learn_one(SpaceMapKind map, MatrixView x, MatrixView y, const Options& options,
                            const Run& run);
  Matrix mapped(MatrixView x, const Run& run) const;

  Options options_;
  SpaceMapKind map_ = SpaceMapKind::ridge;
  Space from_, to_;
  Matrix mean_from_, mean_to_;  // 1 x d
  Matrix linear_;               // old d x new d
  Parameters perceptron_;       // of residual
};
static_assert(Stage<SpaceMap>);

}  // namespace shoal
