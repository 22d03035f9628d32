#include "shoal/train/pool_back.h"

#include <algorithm>
#include <cmath>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

void add(float share, std::span<const float> slope, MatrixSpan to, Index row) {
  kernels().axpy(share, slope.data(), to[row].data(), slope.size());
}

/// To the first of the tokens that have the greatest number, as pool() takes it.
void add_to_greatest(MatrixView states, std::span<const float> slope, MatrixSpan to) {
  for (Index j = 0; j < slope.size(); ++j) {
    Index greatest = 0;
    for (Index i = 1; i < states.rows; ++i)
      if (states[i][j] > states[greatest][j]) greatest = i;
    to[greatest][j] += slope[j];
  }
}

}  // namespace

void pool_back(std::span<const PoolingMode> modes, MatrixView states, Index left_out,
               std::span<const float> slope, MatrixSpan to) {
  if (states.rows == 0) return;
  left_out = std::min(left_out, states.rows);
  const Index count = states.rows - left_out;
  for (Index m = 0; m < modes.size(); ++m) {
    const auto own = slope.subspan(m * states.cols, states.cols);
    if (modes[m] == PoolingMode::lasttoken) add(1, own, to, states.rows - 1);
    if (count == 0) continue;
    const auto n = static_cast<float>(count);
    switch (modes[m]) {
      case PoolingMode::cls:
        add(1, own, to, left_out);
        break;
      case PoolingMode::mean:
        for (Index i = left_out; i < states.rows; ++i) add(1 / n, own, to, i);
        break;
      case PoolingMode::max:
        add_to_greatest(states.slice(left_out, count), own, to.slice(left_out, count));
        break;
      case PoolingMode::mean_sqrt_len_tokens:
        for (Index i = left_out; i < states.rows; ++i) add(1 / std::sqrt(n), own, to, i);
        break;
      case PoolingMode::weightedmean: {
        double weights = 0;
        for (Index i = left_out; i < states.rows; ++i) weights += static_cast<double>(i + 1);
        for (Index i = left_out; i < states.rows; ++i)
          add(static_cast<float>(static_cast<double>(i + 1) / weights), own, to, i);
        break;
      }
      case PoolingMode::lasttoken:
        break;
    }
  }
}

}  // namespace shoal
