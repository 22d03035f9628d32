#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

/// How the units of a map lie. rectangular: unit (r, c) at (r, c), next to it the 8 around it; hexagonal:
/// odd rows half a step to the right and rows sqrt(3)/2 apart, next to a unit the 6 at distance 1.
enum class SomTopology : std::uint8_t { rectangular, hexagonal };
constexpr auto names_of(SomTopology) { return std::array{"rectangular", "hexagonal"}; }

/// Where the units start: on the plane of the first two principal components, or on rows drawn by seed.
enum class SomInit : std::uint8_t { pca, sample };
constexpr auto names_of(SomInit) { return std::array{"pca", "sample"}; }

/// What `Som::fit` may be told.
struct SomOptions {
  Index grid_rows = 10;  ///< >= 1; grid_rows * grid_cols at most 65,536
  Index grid_cols = 10;  ///< >= 1
  SomTopology topology = SomTopology::rectangular;
  Metric metric = Metric::euclidean;  ///< cosine: Euclidean on rows of length 1
  Index n_epochs = 30;                ///< 1..100,000: times that all rows are shown
  std::optional<double>
      radius;               ///< > 0: of the first epoch, in steps of the grid; absent: half its longer side
  double radius_end = 0.5;  ///< > 0, at most the first: of the last epoch
  SomInit init = SomInit::pca;
  Seed seed{42};
};
template <class V>
void fields(SomOptions& o, V&& visit) {
  visit("grid_rows", o.grid_rows, "rows of the grid", between(1, 65536));
  visit("grid_cols", o.grid_cols, "columns of the grid", between(1, 65536));
  visit("topology", o.topology, "how its units lie");
  visit("metric", o.metric, "distance of rows; cosine: euclidean on rows of length 1");
  visit("n_epochs", o.n_epochs, "times that all rows are shown", between(1, 100000));
  visit("radius", o.radius, "reach of a unit in the first epoch, in steps of the grid", above(0));
  visit("radius_end", o.radius_end, "reach of a unit in the last epoch", above(0));
  visit("init", o.init, "where the units start: on the plane of the first two components, or on rows");
  visit("seed", o.seed, "start of all randomness");
}
/// At most 65,536 units; the reach must not grow.
void check_together(const SomOptions& o);

class SomRows;

/// Self-organising map (Kohonen 1982), trained in batches (Kohonen 1995): in an epoch every row finds its
/// best matching unit, then every unit becomes the mean of all rows, weighted by exp(-g^2 / (2 radius^2)), g
/// being the distance on the grid to the row's unit. The radius shrinks by a constant factor an epoch.
///
///   const Som map = Som::fit(rows, {.grid_rows = 12, .grid_cols = 16});
///   map.labels();    // unit of each row: grid row * grid_cols + grid column
///   map.u_matrix();  // grid_rows x grid_cols: high where neighbouring units differ
///
/// A row of zeros has, under cosine, no direction: its label is kNoise and it counts nowhere.
/// O(n_epochs units (n + units) d) by blocked products. Rows are read block by block. Memory: at most 33
/// times 8 units d bytes.
class Som {
 public:
  using Options = SomOptions;
  static constexpr std::string_view kind = "som";
  static constexpr std::string_view title = "self-organising map";  ///< for people

  /// Progress as step "map". Error(argument) on an option out of range; Error(data) if a row holds a NaN or
  /// an infinity (named), if there are no rows or no columns, or if all are zero under cosine.
  static Som fit(const Rows& x, const Options& options = {}, const Run& run = {});

  const Labels& labels() const& { return labels_; }  ///< best matching unit; count = units
  Labels labels() && { return std::move(labels_); }
  const Matrix& codebook() const& { return codebook_; }  ///< units x d
  Matrix codebook() && { return std::move(codebook_); }
  /// Equals labels() on the training rows. Error(data) as fit, or if the rows have another dimension or
  /// space.
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// Euclidean distance to each unit: rows x units. Under cosine from the row of length 1. Errors as predict.
  Matrix transform(const Rows& x, const Run& run = {}) const;

  Matrix u_matrix() const;          ///< grid_rows x grid_cols: mean distance to the units next to it
  std::vector<Index> hits() const;  ///< rows of each unit
  double quantisation_error() const { return quantisation_error_; }  ///< mean distance of a row to its unit
  /// Share of rows whose two best units do not lie next to each other; 0 for a single unit.
  double topographic_error() const { return topographic_error_; }
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static Som load(const ArchiveReader& in);  ///< Error(format)

 private:
  Som() = default;
  void measure(const SomRows& rows, Index counted, const Run& run);  // labels and errors of the training rows

  Options options_;
  Space space_;
  std::vector<float> mean_;  // of the training rows, taken away before products: keeps them from cancelling
  Matrix codebook_;
  Labels labels_;
  double quantisation_error_ = 0, topographic_error_ = 0;
};
static_assert(Clusterer<Som> && Predictor<Som> && Transformer<Som>);

}  // namespace shoal
