#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/train/backward_impl.h"

namespace shoal {
namespace {

constexpr Index kRows = 64;  // of a chunk

}  // namespace

void product(MatrixView a, const Packed& b, std::span<const float> bias, MatrixSpan c, const Run& run) {
  for_chunks(run.quiet(), a.rows, kRows, [&](Index, Index first, Index last) {
    multiply(a.slice(first, last - first), b, bias, Activation::none, c.slice(first, last - first));
  });
}

void add_weight_gradient(MatrixView slope, MatrixView x, Parameter& weight, const Run& run) {
  if (!weight.learns) return;
  Matrix& to = weight.gradient;
  constexpr Index kOutputs = 32;
  Matrix turned(slope.cols, slope.rows);
  for_chunks(run.quiet(), slope.cols, kOutputs, [&](Index, Index first, Index last) {
    for (Index i = 0; i < slope.rows; ++i)
      for (Index j = first; j < last; ++j) turned[j][i] = slope[i][j];
  });
  const Packed packed = Packed::columns(x);
  for_chunks(run.quiet(), slope.cols, kOutputs, [&](Index, Index first, Index last) {
    Matrix part(last - first, x.cols);
    multiply(turned.view().slice(first, last - first), packed, {}, Activation::none, part.span());
    for (Index j = first; j < last; ++j) kernels().axpy(1, part[j - first].data(), to[j].data(), x.cols);
  });
}

void add_row_sum(MatrixView rows, Parameter& bias, const Run& run) {
  if (!bias.learns) return;
  const auto sum = fold_chunks(
      run.quiet(), rows.rows, kRows, std::vector<float>(rows.cols),
      [&](Index first, Index last) {
        std::vector<float> part(rows.cols);
        for (Index i = first; i < last; ++i) kernels().axpy(1, rows[i].data(), part.data(), rows.cols);
        return part;
      },
      [&](std::vector<float>& total, std::vector<float>&& part) {
        kernels().axpy(1, part.data(), total.data(), total.size());
      });
  kernels().axpy(1, sum.data(), bias.gradient.data(), sum.size());
}

void layer_norm_rows(MatrixView x, std::span<const float> gamma, std::span<const float> beta, float epsilon,
                     MatrixSpan out, const Run& run) {
  for_chunks(run.quiet(), x.rows, kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      kernels().layer_norm(x[i].data(), gamma.data(), beta.data(), epsilon, x.cols, out[i].data());
  });
}

void layer_norm_back(MatrixView x, std::span<const float> gamma, float epsilon, MatrixSpan slope,
                     Parameter& scale, Parameter& shift, const Run& run) {
  const Index d = x.cols;
  struct Sums {
    std::vector<float> gamma, beta;
  };
  const Kernels& k = kernels();
  const Sums sums = fold_chunks(
      run.quiet(), x.rows, kRows, Sums{std::vector<float>(d), std::vector<float>(d)},
      [&](Index first, Index last) {
        Sums part{std::vector<float>(d), std::vector<float>(d)};
        for (Index i = first; i < last; ++i)
          k.layer_norm_back(x[i].data(), gamma.data(), epsilon, d, slope[i].data(), part.gamma.data(),
                            part.beta.data());
        return part;
      },
      [&](Sums& total, Sums&& part) {
        k.axpy(1, part.gamma.data(), total.gamma.data(), d);
        k.axpy(1, part.beta.data(), total.beta.data(), d);
      });
  if (scale.learns) k.axpy(1, sums.gamma.data(), scale.gradient.data(), d);
  if (shift.learns) k.axpy(1, sums.beta.data(), shift.gradient.data(), d);
}

void activation_back(Activation activation, MatrixView x, MatrixSpan slope, const Run& run) {
  for_chunks(run.quiet(), x.rows, 16, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      kernels().activate_back(activation, x[i].data(), slope[i].data(), x.cols);
  });
}

Dropped::Dropped(double share, Seed seed)
    : random_(seed),
      least_(static_cast<std::uint32_t>(std::ceil(share * 65536))),
      kept_(static_cast<float>(1 / (1 - share))) {}

void Dropped::times(Index place, std::span<float> x) const {
  for (Index j = 0; j < x.size();) {
    std::uint64_t draw = random_.bits((place + j) / 4) >> (16 * ((place + j) % 4));
    const Index last = std::min<Index>(x.size(), j + 4 - (place + j) % 4);
    for (; j < last; ++j, draw >>= 16) x[j] *= (draw & 0xffff) < least_ ? 0.0f : kept_;
  }
}

void drop(MatrixSpan x, double share, Seed seed, const Run& run) {
  if (share <= 0) return;
  const Dropped dropped(share, seed);
  for_chunks(run.quiet(), x.rows, kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) dropped.times(i * x.cols, x[i]);
  });
}

}  // namespace shoal
