#pragma once

#include <algorithm>
#include <initializer_list>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"

namespace shoal {

/// For tests: a matrix written row by row.
inline Matrix from(std::initializer_list<std::initializer_list<float>> rows) {
  Matrix m(rows.size(), rows.begin()->size());
  Index i = 0;
  for (const auto& row : rows) std::ranges::copy(row, m[i++].begin());
  return m;
}

/// One column.
inline Matrix column(std::initializer_list<float> values) {
  Matrix m(values.size(), 1);
  std::ranges::copy(values, m.data());
  return m;
}

/// Rows scattered around `groups` points: with noise 1.5 like embeddings, near 60 degrees from their
/// centroid.
inline Matrix scattered(Index rows, Index cols, Index groups, std::uint64_t seed, float noise = 0.5f) {
  const Random random({seed});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      m[i][j] = static_cast<float>(random.normal((i % groups) * cols + j + 1000000) +
                                   noise * random.normal(i * cols + j + 2000000));
  return m;
}

}  // namespace shoal
