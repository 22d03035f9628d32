#include "shoal/encode/pool.h"

#include <algorithm>
#include <cmath>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

void copy(MatrixView tokens, Index row, std::span<float> out) {
  std::copy_n(tokens[row].data(), out.size(), out.data());
}

void greatest(MatrixView tokens, std::span<float> out) {
  copy(tokens, 0, out);
  for (Index i = 1; i < tokens.rows; ++i)
    for (Index j = 0; j < out.size(); ++j) out[j] = std::max(out[j], tokens[i][j]);
}

/// Sum of the rows in order, divided by `by`.
void total(MatrixView tokens, float by, std::span<float> out) {
  for (Index i = 0; i < tokens.rows; ++i) kernels().axpy(1.0f, tokens[i].data(), out.data(), out.size());
  for (float& x : out) x /= by;
}

/// Each token weighs as much as its position in the text, counted from 1.
void weighted_mean(MatrixView tokens, Index first_position, std::span<float> out) {
  double weights = 0;
  for (Index i = 0; i < tokens.rows; ++i) {
    const auto weight = static_cast<float>(first_position + i);
    kernels().axpy(weight, tokens[i].data(), out.data(), out.size());
    weights += weight;
  }
  for (float& x : out) x /= static_cast<float>(weights);
}

}  // namespace

void pool(std::span<const PoolingMode> modes, MatrixView tokens, Index left_out, std::span<float> vector) {
  std::fill(vector.begin(), vector.end(), 0.0f);
  if (tokens.rows == 0) return;
  left_out = std::min(left_out, tokens.rows);
  const MatrixView counted = tokens.slice(left_out, tokens.rows - left_out);
  const auto count = static_cast<float>(counted.rows);
  for (Index i = 0; i < modes.size(); ++i) {
    const auto out = vector.subspan(i * tokens.cols, tokens.cols);
    if (modes[i] == PoolingMode::lasttoken) copy(tokens, tokens.rows - 1, out);
    if (counted.rows == 0) continue;
    switch (modes[i]) {
      case PoolingMode::cls:
        copy(counted, 0, out);
        break;
      case PoolingMode::mean:
        total(counted, count, out);
        break;
      case PoolingMode::max:
        greatest(counted, out);
        break;
      case PoolingMode::mean_sqrt_len_tokens:
        total(counted, std::sqrt(count), out);
        break;
      case PoolingMode::weightedmean:
        weighted_mean(counted, left_out + 1, out);
        break;
      case PoolingMode::lasttoken:
        break;
    }
  }
}

}  // namespace shoal
