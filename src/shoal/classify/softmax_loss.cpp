#include <algorithm>

#include "shoal/classify/softmax_loss_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;  // rows whose products are summed in float

/// Rows a chunk: at most 32 partial sums, fewer where they are large. Depends on the shapes alone.
Index grain_of(Index rows, Index classes, Index cols) {
  constexpr Index kMemory = Index{1} << 28;
  const Index parts = std::clamp<Index>(kMemory / (8 * classes * (cols + 1)), 4, 32);
  return std::max<Index>(1, (rows / parts + kBlock) / kBlock) * kBlock;
}

/// Room for the work on one block; one a chunk.
struct Workplace {
  Workplace(Index classes, Index cols)
      : errors(kBlock, classes),
        transposed(classes, kBlock),
        packed(1, kernels().pack_size(cols, kBlock)),
        product(classes, cols),
        totals(kBlock),
        logs(kBlock) {}
  Matrix scratch, errors, transposed, packed, product;
  std::vector<float> totals, logs;
};

class Block {
 public:
  Block(const SoftmaxTask& task, const Packed& coefficients, std::span<const float> intercepts, Index first,
        MatrixView x, Workplace& w)
      : task_(task), labels_(task.labels.subspan(first, x.rows)), x_(x), w_(w) {
    multiply(x, coefficients, intercepts, Activation::none, w.errors.span().slice(0, x.rows));
  }

  void add_to(SoftmaxSums& sums) {
    add_loss(sums);
    add_products(sums);
  }

 private:
  bool counts(Index r) const { return labels_[r] != kNoise; }
  double weight(Index r) const { return task_.weight[static_cast<Index>(labels_[r])]; }

  /// Logits become exp(logit - largest), and -log p(label) is log(their sum) - (logit of label - largest).
  void add_loss(SoftmaxSums& sums) {
    const Kernels& k = kernels();
    for (Index r = 0; r < x_.rows; ++r) {
      const std::span<float> z = w_.errors[r];
      w_.totals[r] = 1;
      if (!counts(r)) continue;
      const float most = *std::ranges::max_element(z);
      for (float& v : z) v -= most;
      sums.loss -= weight(r) * static_cast<double>(z[static_cast<Index>(labels_[r])]);
      k.exp(z.data(), z.data(), z.size());
      w_.totals[r] = k.sum(z.data(), z.size());
    }
    k.log(w_.totals.data(), w_.logs.data(), x_.rows);
    for (Index r = 0; r < x_.rows; ++r)
      if (counts(r)) sums.loss += weight(r) * static_cast<double>(w_.logs[r]);
  }

  void add_products(SoftmaxSums& sums) {
    const Kernels& k = kernels();
    const Index classes = w_.errors.cols();
    for (Index r = 0; r < x_.rows; ++r) {
      const std::span<float> p = w_.errors[r];
      const float scale = counts(r) ? static_cast<float>(weight(r)) / w_.totals[r] : 0.0f;
      for (Index c = 0; c < classes; ++c) w_.transposed[c][r] = counts(r) ? p[c] * scale : 0.0f;
      if (counts(r)) w_.transposed[static_cast<Index>(labels_[r])][r] -= static_cast<float>(weight(r));
    }
    for (Index c = 0; c < classes; ++c)
      sums.errors[c] += static_cast<double>(k.sum(w_.transposed[c].data(), x_.rows));
    k.pack(x_.data, x_.cols, x_.rows, 1, x_.stride, w_.packed.data());
    k.gemm(w_.transposed.data(), kBlock, w_.packed.data(), classes, x_.cols, x_.rows, nullptr,
           Activation::none, w_.product.data(), x_.cols);
    for (Index i = 0; i < classes * x_.cols; ++i)
      sums.products[i] += static_cast<double>(w_.product.data()[i]);
  }

  const SoftmaxTask& task_;
  std::span<const Label> labels_;
  MatrixView x_;
  Workplace& w_;
};

}  // namespace

SoftmaxSums softmax_sums(const SoftmaxTask& task, const Matrix& coefficients,
                         std::span<const float> intercepts, const Run& run) {
  const Index classes = coefficients.rows(), cols = coefficients.cols(), rows = task.x.rows();
  const Packed packed = Packed::rows(coefficients.view());
  const auto none = [&] {
    return SoftmaxSums{0, std::vector<double>(classes * cols), std::vector<double>(classes)};
  };
  SoftmaxSums sums = fold_chunks(
      run, rows, grain_of(rows, classes, cols), SoftmaxSums(),
      [&](Index first, Index last) {
        SoftmaxSums part = none();
        Workplace w(classes, cols);
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView x = task.x.block(at, std::min(kBlock, last - at), w.scratch);
          Block(task, packed, intercepts, at, x, w).add_to(part);
        }
        return part;
      },
      [](SoftmaxSums& total, SoftmaxSums&& part) {
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

}  // namespace shoal
