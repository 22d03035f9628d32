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

void add_weight_gradient(MatrixView slope, MatrixView x, MatrixSpan to, const Run& run) {
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

void add_row_sum(MatrixView rows, std::span<float> to, const Run& run) {
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
  kernels().axpy(1, sum.data(), to.data(), to.size());
}

void layer_norm_rows(MatrixView x, std::span<const float> gamma, std::span<const float> beta, float epsilon,
                     MatrixSpan out, const Run& run) {
  for_chunks(run.quiet(), x.rows, kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      kernels().layer_norm(x[i].data(), gamma.data(), beta.data(), epsilon, x.cols, out[i].data());
  });
}

void layer_norm_back(MatrixView x, std::span<const float> gamma, float epsilon, MatrixSpan slope,
                     std::span<float> gamma_gradient, std::span<float> beta_gradient, const Run& run) {
  const Index d = x.cols;
  struct Sums {
    std::vector<float> gamma, beta;
  };
  const Kernels& k = kernels();
  const Sums sums = fold_chunks(
      run.quiet(), x.rows, kRows, Sums{std::vector<float>(d), std::vector<float>(d)},
      [&](Index first, Index last) {
        Sums part{std::vector<float>(d), std::vector<float>(d)};
        std::vector<float> normal(d), by_normal(d);
        const auto n = static_cast<float>(d);
        for (Index i = first; i < last; ++i) {
          float* s = slope[i].data();
          k.layer_norm(x[i].data(), nullptr, nullptr, epsilon, d, normal.data());
          for (Index j = 0; j < d; ++j) {
            part.gamma[j] += s[j] * normal[j];
            part.beta[j] += s[j];
            by_normal[j] = s[j] * gamma[j];
          }
          const float mean = k.sum(x[i].data(), d) / n;
          float variance = 0;
          for (Index j = 0; j < d; ++j) s[j] = x[i][j] - mean;
          variance = k.dot(s, s, d) / n;
          const float scale = 1 / std::sqrt(variance + epsilon);
          const float of_slope = k.sum(by_normal.data(), d) / n,
                      of_both = k.dot(by_normal.data(), normal.data(), d) / n;
          for (Index j = 0; j < d; ++j) s[j] = scale * (by_normal[j] - of_slope - normal[j] * of_both);
        }
        return part;
      },
      [&](Sums& total, Sums&& part) {
        k.axpy(1, part.gamma.data(), total.gamma.data(), d);
        k.axpy(1, part.beta.data(), total.beta.data(), d);
      });
  k.axpy(1, sums.gamma.data(), gamma_gradient.data(), d);
  k.axpy(1, sums.beta.data(), beta_gradient.data(), d);
}

void activation_back(Activation activation, MatrixView x, MatrixSpan slope, const Run& run) {
  if (activation == Activation::none) return;
  const Kernels& k = kernels();
  // The activation's own value gives its other factor: gelu(x) / x is the share of the normal distribution
  // below x. Near 0, where that is 0 / 0, its series does.
  constexpr float kNear = 1e-3f, kPeak = 0.3989422804f;      // of the normal density
  constexpr float kRoot = 0.7978845608f, kCube = 0.044715f;  // of the tanh form (Hendrycks, Gimpel 2016)
  for_chunks(run.quiet(), x.rows, 16, [&](Index, Index first, Index last) {
    std::vector<float> value(x.cols), density(x.cols);
    for (Index i = first; i < last; ++i) {
      const float* at = x[i].data();
      float* s = slope[i].data();
      std::copy_n(at, x.cols, value.data());
      k.activate(activation, value.data(), x.cols);
      if (activation == Activation::gelu) {
        for (Index j = 0; j < x.cols; ++j) density[j] = -0.5f * at[j] * at[j];
        k.exp(density.data(), density.data(), x.cols);
      }
      for (Index j = 0; j < x.cols; ++j) {
        const float v = at[j];
        const bool near = std::abs(v) < kNear;
        switch (activation) {
          case Activation::gelu: {
            const float below = near ? 0.5f + kPeak * v : value[j] / v;
            s[j] *= below + kPeak * v * density[j];
            break;
          }
          case Activation::gelu_tanh: {
            const float t = near ? kRoot * v : 2 * value[j] / v - 1;
            s[j] *= 0.5f * (1 + t) + 0.5f * v * (1 - t * t) * kRoot * (1 + 3 * kCube * v * v);
            break;
          }
          case Activation::silu: {
            const float share = near ? 0.5f + 0.25f * v : value[j] / v;
            s[j] *= share * (1 + v * (1 - share));
            break;
          }
          case Activation::relu:
            if (!(v > 0)) s[j] = 0;
            break;
          case Activation::tanh:
            s[j] *= 1 - value[j] * value[j];
            break;
          case Activation::none:
            break;
        }
      }
    }
  });
}

void drop(MatrixSpan x, double share, Seed seed, const Run& run) {
  if (share <= 0) return;
  const Random random(seed);
  const auto kept = static_cast<float>(1 / (1 - share));
  for_chunks(run.quiet(), x.rows, kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      for (Index j = 0; j < x.cols; ++j) x[i][j] *= random.uniform(i * x.cols + j) < share ? 0 : kept;
  });
}

}  // namespace shoal
