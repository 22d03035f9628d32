#pragma once

#include <algorithm>
#include <span>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/linear/product.h"

namespace shoal {

/// The cosine of the label that a row gets: the largest of the row's products with all centroids, as `gemm`
/// computes them; ties by the smaller label. This alone defines a label: bounds only save work.
struct Nearest {
  Label label = kNoise;
  float cosine = 0;
};
Nearest nearest(std::span<const float> cosines);

/// Products of unit rows with all centroids, in blocks whose result stays in cache.
template <class Each>
void for_cosines(MatrixView rows, const Packed& centers, Matrix& scratch, Each&& each) {
  const Index block = std::max<Index>(16, (Index{1} << 17) / std::max<Index>(1, centers.outputs()));
  const Index most = std::min(block, rows.rows);
  if (scratch.rows() < most || scratch.cols() != centers.outputs()) scratch = Matrix(most, centers.outputs());
  for (Index first = 0; first < rows.rows; first += block) {
    const Index count = std::min(block, rows.rows - first);
    multiply(rows.slice(first, count), centers, {}, Activation::none, scratch.span().slice(0, count));
    for (Index r = 0; r < count; ++r) each(first + r, std::span<const float>(scratch[r]));
  }
}

}  // namespace shoal
