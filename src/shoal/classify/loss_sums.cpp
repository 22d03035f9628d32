#include <algorithm>

#include "shoal/classify/loss_sums_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;  // rows whose products are summed in float

/// Rows a chunk: at most 32 partial sums, fewer where they are large. Depends on the shapes alone.
Index grain_of(Index rows, Index outputs, Index cols) {
  constexpr Index kMemory = Index{1} << 28;
  const Index parts = std::clamp<Index>(kMemory / (8 * outputs * (cols + 1)), 4, 32);
  return std::max<Index>(1, (rows / parts + kBlock) / kBlock) * kBlock;
}

/// Room for the work on one block; one a chunk.
struct Workplace {
  Workplace(Index outputs, Index cols)
      : errors(kBlock, outputs),
        transposed(outputs, kBlock),
        packed(1, kernels().pack_size(cols, kBlock)),
        product(outputs, cols) {}
  Matrix scratch, errors, transposed, packed, product;
};

void add_products(MatrixView x, Workplace& w, LossSums& sums) {
  const Kernels& k = kernels();
  const Index outputs = w.errors.cols();
  for (Index r = 0; r < x.rows; ++r)
    for (Index c = 0; c < outputs; ++c) w.transposed[c][r] = w.errors[r][c];
  for (Index c = 0; c < outputs; ++c)
    sums.errors[c] += static_cast<double>(k.sum(w.transposed[c].data(), x.rows));
  k.pack(x.data, x.cols, x.rows, 1, x.stride, w.packed.data());
  k.gemm(w.transposed.data(), kBlock, w.packed.data(), outputs, x.cols, x.rows, nullptr, Activation::none,
         w.product.data(), x.cols);
  for (Index i = 0; i < outputs * x.cols; ++i) sums.products[i] += static_cast<double>(w.product.data()[i]);
}

}  // namespace

LossSums loss_sums(const Rows& x, const Matrix& coefficients, std::span<const float> intercepts,
                   const BlockLoss& loss, const Run& run) {
  const Index outputs = coefficients.rows(), cols = coefficients.cols(), rows = x.rows();
  const Packed packed = Packed::rows(coefficients.view());
  const auto none = [&] {
    return LossSums{0, std::vector<double>(outputs * cols), std::vector<double>(outputs)};
  };
  LossSums sums = fold_chunks(
      run, rows, grain_of(rows, outputs, cols), LossSums(),
      [&](Index first, Index last) {
        LossSums part = none();
        Workplace w(outputs, cols);
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView block = x.block(at, std::min(kBlock, last - at), w.scratch);
          const MatrixSpan logits = w.errors.span().slice(0, block.rows);
          multiply(block, packed, intercepts, Activation::none, logits);
          part.loss += loss(at, logits);
          add_products(block, w, part);
        }
        return part;
      },
      [](LossSums& total, LossSums&& part) {
        if (total.errors.empty()) {
          total = std::move(part);
          return;
        }
        total.loss += part.loss;
        for (Index i = 0; i < total.products.size(); ++i) total.products[i] += part.products[i];
        for (Index i = 0; i < total.errors.size(); ++i) total.errors[i] += part.errors[i];
      });
  if (sums.errors.empty()) return none();
  return sums;
}

/// Logits become exp(logit - largest), and -log p(label) is log(their sum) - (logit of label - largest).
BlockLoss softmax_loss(std::span<const Label> labels, std::span<const double> weight) {
  return [labels, weight](Index first, MatrixSpan logits) {
    const Kernels& k = kernels();
    float totals[kBlock], logs[kBlock];
    double loss = 0;
    for (Index r = 0; r < logits.rows; ++r) {
      const std::span<float> z = logits[r];
      const Label label = labels[first + r];
      totals[r] = 1;
      if (label == kNoise) continue;
      const float most = *std::ranges::max_element(z);
      for (float& v : z) v -= most;
      loss -= weight[static_cast<Index>(label)] * static_cast<double>(z[static_cast<Index>(label)]);
      k.exp(z.data(), z.data(), z.size());
      totals[r] = k.sum(z.data(), z.size());
    }
    k.log(totals, logs, logits.rows);
    for (Index r = 0; r < logits.rows; ++r) {
      const std::span<float> z = logits[r];
      const Label label = labels[first + r];
      if (label == kNoise) {
        std::ranges::fill(z, 0.0f);
        continue;
      }
      const double heavy = weight[static_cast<Index>(label)];
      loss += heavy * static_cast<double>(logs[r]);
      const float scale = static_cast<float>(heavy) / totals[r];
      for (float& v : z) v *= scale;
      z[static_cast<Index>(label)] -= static_cast<float>(heavy);
    }
    return loss;
  };
}

BlockLoss sigmoid_loss(const std::vector<std::vector<Index>>& sets, const std::vector<SidesWeight>& weight) {
  return [&sets, &weight](Index first, MatrixSpan logits) {
    const Kernels& k = kernels();
    std::vector<float> small(logits.cols), logs(logits.cols);
    std::vector<std::uint8_t> has(logits.cols);
    double loss = 0;
    for (Index r = 0; r < logits.rows; ++r) {
      const std::span<float> z = logits[r];
      std::ranges::fill(has, std::uint8_t{0});
      for (const Index label : sets[first + r]) has[label] = 1;
      for (Index c = 0; c < z.size(); ++c) small[c] = -std::abs(z[c]);
      k.exp(small.data(), small.data(), z.size());
      for (Index c = 0; c < z.size(); ++c) logs[c] = 1 + small[c];
      k.log(logs.data(), logs.data(), z.size());
      for (Index c = 0; c < z.size(); ++c) {
        const double heavy = has[c] ? weight[c].with : weight[c].without;
        const float above = std::max(z[c], 0.0f) - (has[c] ? z[c] : 0.0f);
        loss += heavy * (static_cast<double>(above) + static_cast<double>(logs[c]));
        const float p = (z[c] >= 0 ? 1.0f : small[c]) / (1 + small[c]);
        z[c] = static_cast<float>(heavy) * (p - (has[c] ? 1.0f : 0.0f));
      }
    }
    return loss;
  };
}

}  // namespace shoal
