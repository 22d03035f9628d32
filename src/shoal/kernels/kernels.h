#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shoal/core/activation.h"

namespace shoal {

/// One step of AdamW, as PyTorch has it; what is the same for all elements.
struct AdamStep {
  float beta1 = 0, beta2 = 0, rest1 = 0, rest2 = 0;  ///< rest: 1 - beta
  float epsilon = 0;
  float far = 0;   ///< learning rate / (1 - beta1^t)
  float root = 0;  ///< root of 1 - beta2^t
  float kept = 1;  ///< 1 - learning rate times weight decay
};

/// Loops over floats, one set for each instruction-set level. Every function gives the same bits at every
/// level: sums run in 64 lanes (element i to lane i mod 64, fused multiply-add, lanes added by halves), an
/// output of `gemm` is one fma chain over k in order starting from +0, and elementwise functions do the same
/// operations. Pointers need no alignment. Nothing here throws or allocates. n may be 0.
struct Kernels {
  const char* level;  ///< "base", "avx2" or "avx512"

  float (*dot)(const float* a, const float* b, std::size_t n);
  float (*squared_distance)(const float* a, const float* b, std::size_t n);
  float (*sum)(const float* a, std::size_t n);
  void (*axpy)(float alpha, const float* x, float* y, std::size_t n);  ///< y += alpha x, by fma
  void (*scale)(float alpha, float* x, std::size_t n);                 ///< x *= alpha
  /// out = alpha x, multiplied in double and rounded once: a length beyond the range of float is no harm.
  void (*scaled)(double alpha, const float* x, float* out, std::size_t n);

  /// Right-hand sides of `gemm` are packed once. `pack_size` floats hold n outputs of k terms; element
  /// (output j, term t) is read at b[j * output_stride + t * term_stride]. The layout differs from level to
  /// level: never keep a packed block on disk. A packed block is best 64-byte aligned.
  std::size_t (*pack_size)(std::size_t n, std::size_t k);
  void (*pack)(const float* b, std::size_t n, std::size_t k, std::size_t output_stride,
               std::size_t term_stride, float* packed);
  /// c[i][j] = act(sum over t of a[i][t] b[j][t] + bias[j]), m x n. bias may be null. Row i of c depends on
  /// row i of a alone. a: m x k with row stride lda; c with row stride ldc. Only c[i][0..n) is written.
  void (*gemm)(const float* a, std::size_t lda, const float* packed, std::size_t m, std::size_t n,
               std::size_t k, const float* bias, Activation act, float* c, std::size_t ldc);

  void (*activate)(Activation act, float* x, std::size_t n);
  void (*exp)(const float* x, float* out, std::size_t n);  ///< within 2 ulp; overflow to inf, underflow to 0
  void (*log)(const float* x, float* out, std::size_t n);  ///< within 2 ulp for x > 0; -inf at 0, NaN below
  void (*pow)(const float* x, float p, float* out, std::size_t n);  ///< exp(p log x) for x >= 0
  /// x = softmax(scale * x), in place; the largest element is subtracted first. n >= 1.
  void (*softmax)(float scale, float* x, std::size_t n);
  /// out = (x - mean) / sqrt(variance + eps) * gamma + beta; variance divides by n. gamma, beta may be null.
  void (*layer_norm)(const float* x, const float* gamma, const float* beta, float eps, std::size_t n,
                     float* out);

  void (*f16_to_f32)(const std::uint16_t* x, float* out, std::size_t n);
  void (*f32_to_f16)(const float* x, std::uint16_t* out, std::size_t n);  ///< nearest, ties to even
  void (*bf16_to_f32)(const std::uint16_t* x, float* out, std::size_t n);

  /// out[i][j] = sum over t of (a[i][t] - b[j][t])^2 in double, t in order: m x n. a: m x k. b: panels of 16
  /// points, each k x 16. m is a multiple of 4, n of 16.
  void (*squared_distances)(const double* a, const double* b, std::size_t m, std::size_t n, std::size_t k,
                            double* out);

  /// slope *= the derivative of `act` at x.
  void (*activate_back)(Activation act, const float* x, float* slope, std::size_t n);
  /// slope: of a loss by layer_norm(x), becomes that by x; those by gamma and beta are added. All but x are
  /// read or written n long, none is null.
  void (*layer_norm_back)(const float* x, const float* gamma, float eps, std::size_t n, float* slope,
                          float* gamma_slope, float* beta_slope);
  /// mean = beta1 mean + rest1 g, square = beta2 square + rest2 g^2, value = kept value - far mean /
  /// (sqrt(square) / root + epsilon).
  void (*adam)(const AdamStep& step, const float* gradient, float* mean, float* square, float* value,
               std::size_t n);
};

/// The chosen level: the best this CPU can run, or the one that SHOAL_LEVEL=base|avx2|avx512 forces. Chosen
/// once. Error(unsupported) if SHOAL_LEVEL names an unknown level or one that the CPU lacks.
const Kernels& kernels();

/// All levels this CPU can run, slowest first: for tests.
std::span<const Kernels* const> levels();

}  // namespace shoal
