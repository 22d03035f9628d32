// x^T x by blocks of rows: each block is transposed once, so that it is both sides of a product of kernels().

#include <algorithm>
#include <string>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;  // rows whose products are summed in float
constexpr Index kStrip = 96;   // columns a strip: the pairs of strips below the diagonal are left out

/// Room for the work on one block; one a chunk.
struct Workplace {
  explicit Workplace(Index cols)
      : centred(kBlock, cols),
        transposed(cols, kBlock),
        product(kStrip, kStrip),
        packed(1, kernels().pack_size(kStrip, kBlock)) {}
  Matrix scratch, centred, transposed, product, packed;
};

/// centred = block minus shift, and its transpose.
void centre(MatrixView block, std::span<const float> shift, Workplace& w) {
  for (Index r = 0; r < block.rows; ++r) {
    const std::span<const float> from = block[r];
    const std::span<float> to = w.centred[r];
    for (Index c = 0; c < from.size(); ++c) to[c] = shift.empty() ? from[c] : from[c] - shift[c];
  }
  constexpr Index kSide = 16;  // columns at a time: their lines stay in the nearest cache
  for (Index first = 0; first < block.cols; first += kSide)
    for (Index r = 0; r < block.rows; ++r)
      for (Index c = first; c < std::min(first + kSide, block.cols); ++c)
        w.transposed[c][r] = w.centred[r][c];
}

/// sums += the products of this block, for the pairs of strips on and above the diagonal.
void add_products(Index rows, Index cols, Workplace& w, std::vector<double>& sums) {
  const Kernels& k = kernels();
  for (Index j = 0; j < cols; j += kStrip) {
    const Index width = std::min(kStrip, cols - j);
    k.pack(w.centred.data() + j, width, rows, 1, cols, w.packed.data());
    for (Index i = 0; i <= j; i += kStrip) {
      const Index height = std::min(kStrip, cols - i);
      k.gemm(w.transposed.data() + i * kBlock, kBlock, w.packed.data(), height, width, rows, nullptr,
             Activation::none, w.product.data(), kStrip);
      for (Index a = 0; a < height; ++a)
        for (Index b = 0; b < width; ++b)
          sums[(i + a) * cols + j + b] += static_cast<double>(w.product[a][b]);
    }
  }
}

}  // namespace

std::vector<double> gram(const Rows& x, std::span<const float> shift, const Run& run) {
  const Index cols = x.cols();
  require(shift.empty() || shift.size() == cols, Fault::argument,
          "gram: a shift of " + std::to_string(shift.size()) + " values for " + std::to_string(cols) +
              " columns");
  // At most 32 partial sums of cols x cols are held; the cut depends on the number of rows alone.
  const Index grain = std::max<Index>(16, (x.rows() / 32 + kBlock) / kBlock) * kBlock;
  std::vector<double> sums = fold_chunks(
      run, x.rows(), grain, std::vector<double>(),
      [&](Index first, Index last) {
        std::vector<double> part(cols * cols);
        Workplace w(cols);
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView block = x.block(at, std::min(kBlock, last - at), w.scratch);
          centre(block, shift, w);
          add_products(block.rows, cols, w, part);
        }
        return part;
      },
      [](std::vector<double>& total, std::vector<double>&& part) {
        if (total.empty()) return total.swap(part);
        for (Index i = 0; i < total.size(); ++i) total[i] += part[i];
      });
  sums.resize(cols * cols);  // no rows: zeros
  for (Index i = 0; i < cols; ++i)
    for (Index j = 0; j < i; ++j) sums[i * cols + j] = sums[j * cols + i];
  return sums;
}

}  // namespace shoal
