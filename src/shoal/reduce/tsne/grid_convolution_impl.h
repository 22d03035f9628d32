#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/reduce/tsne/fft_impl.h"

namespace shoal {

/// Charges on a grid of nodes to the potential that they make there, where a charge makes 1 / (1 + r^2) at
/// distance r; nothing wraps round. The charges may have been spread by quintic B-splines and the potential
/// be gathered by the same: the kernel is divided by the transforms of both, so that the whole interpolates
/// it (as smooth particle-mesh Ewald does: Essmann et al., J. Chem. Phys. 103, 1995). A transform along rows,
/// one along columns, a product, and both back: O(n log n) for n nodes. Two times 16 rows are the real and
/// the imaginary part of one transform.
class GridConvolution {
 public:
  /// 16 rows of nodes are a strip. For each column it has 24 numbers: those of its rows, and those of the
  /// first eight rows of the next strip.
  static constexpr Index kRows = LaneFft::kLanes, kWidth = kRows + 8;

  /// For columns x rows nodes that lie `spacing` apart. Contents of strips are lost if it differs from
  /// before.
  void prepare(Index columns, Index rows, float spacing, const Run& run);
  Index strips() const { return 2 * pairs_; }  ///< at least rows / kRows
  std::span<float> strip(Index s) { return {strips_.data() + s * strip_size(), strip_size()}; }
  std::span<const float> strip(Index s) const { return {strips_.data() + s * strip_size(), strip_size()}; }

  /// Replaces charges by potentials. Going in, a strip's last eight rows add to the next strip's first;
  /// coming out, they repeat them.
  void convolve(const Run& run);

 private:
  /// Two arrays as long as the longer transform, of one chunk at a time.
  class Scratch;

  void transform_rows(const Run& run);
  void convolve_columns(const Run& run);
  void restore_rows(const Run& run);
  void load_charges(Index pair, float* out) const;
  void load_columns(Index tile, float* columns) const;
  void store_columns(Index tile, const float* columns);
  void multiply_by_kernel(Index tile, float* columns) const;
  void make_kernel(const Run& run);
  void load_kernel_rows(Index pair, float* out) const;
  void make_kernel_tile(Index tile, Scratch& scratch);

  Index strip_size() const { return columns_ * kWidth; }
  float* spectrum(Index pair, Index frequency) {
    return spectrum_.data() + (pair * along_.length() + frequency) * LaneFft::kItem;
  }
  const float* spectrum(Index pair, Index frequency) const {
    return spectrum_.data() + (pair * along_.length() + frequency) * LaneFft::kItem;
  }
  Index row_frequencies() const { return along_.length() / 2 + 1; }  // the others mirror these
  Index tiles() const { return (row_frequencies() + kRows - 1) / kRows; }
  Index column_frequencies() const { return across_.length() / 2 + 1; }

  Index columns_ = 0, pairs_ = 0;
  float spacing_ = 0;
  LaneFft along_, across_;  // along rows; along columns
  std::vector<float> strips_;
  std::vector<float> spectrum_;  // pair after pair: for each frequency along rows, 16 rows and 16 rows
  std::vector<float> kernel_;  // tile after tile: for each frequency along columns, 16 frequencies along rows
  std::mutex mutex_;
  std::vector<std::vector<float>> spare_;
};

}  // namespace shoal
