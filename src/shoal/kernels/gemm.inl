// c = act(a b^T + bias). b is packed in panels of kPanel outputs: term t of a panel's outputs lies together,
// so a tile of c (up to kTileRows x kPanel, all in registers) reads b straight through. Every output is one
// fma chain over t, so tiles of any shape give the same bits.

constexpr std::size_t kPanel = kTileVectors * kWidth;

std::size_t pack_size(std::size_t n, std::size_t k) { return (n + kPanel - 1) / kPanel * kPanel * k; }

void pack(const float* b, std::size_t n, std::size_t k, std::size_t output_stride, std::size_t term_stride,
          float* packed) {
  for (std::size_t j = 0; j < n; j += kPanel, packed += kPanel * k) {
    const std::size_t outputs = n - j < kPanel ? n - j : kPanel;
    for (std::size_t t = 0; t < k; ++t) {
      const float* from = b + j * output_stride + t * term_stride;
      for (std::size_t i = 0; i < kPanel; ++i)
        packed[t * kPanel + i] = i < outputs ? from[i * output_stride] : 0;
    }
  }
}

/// R rows by V vectors of c; the last vector of a row holds `last` outputs.
template <std::size_t R, std::size_t V>
void tile(const float* a, std::size_t lda, const float* b, std::size_t k, float* c, std::size_t ldc,
          std::size_t last) {
  F s[R][V] = {};
  for (std::size_t t = 0; t < k; ++t) {
    F column[V];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) column[v] = load(b + t * kPanel + v * kWidth);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r) {
      const F factor = set(a[r * lda + t]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) s[r][v] = fma(factor, column[v], s[r][v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v + 1 < V; ++v) store(c + r * ldc + v * kWidth, s[r][v]);
    store_first(c + r * ldc + (V - 1) * kWidth, s[r][V - 1], last);
  }
}

using Tile = void (*)(const float*, std::size_t, const float*, std::size_t, float*, std::size_t, std::size_t);

/// The tile function for `rows` rows (1..R) and `vectors` vectors (1..V).
template <std::size_t R, std::size_t V>
Tile tile_of(std::size_t rows, std::size_t vectors) {
  if constexpr (V > 1)
    if (vectors < V) return tile_of<R, V - 1>(rows, vectors);
  if constexpr (R > 1)
    if (rows < R) return tile_of<R - 1, V>(rows, vectors);
  return tile<R, V>;
}

/// Adds the bias to a finished tile and applies the activation, while it is in the nearest cache.
template <class Op>
void finish(float* c, std::size_t ldc, std::size_t rows, std::size_t outputs, const float* bias, Op op) {
  for (std::size_t r = 0; r < rows; ++r, c += ldc)
    each_vector(outputs, [=](std::size_t i, auto at) {
      const F y = at.get(c + i);
      at.put(c + i, op(bias ? y + at.get(bias + i) : y));
    });
}

void gemm(const float* a, std::size_t lda, const float* packed, std::size_t m, std::size_t n, std::size_t k,
          const float* bias, Activation act, float* c, std::size_t ldc) {
  constexpr std::size_t kBlockRows = kTileRows * 16;
  for (std::size_t block = 0; block < m; block += kBlockRows) {
    const std::size_t end = m - block < kBlockRows ? m : block + kBlockRows;
    for (std::size_t j = 0; j < n; j += kPanel) {
      const std::size_t outputs = n - j < kPanel ? n - j : kPanel;
      const std::size_t vectors = (outputs + kWidth - 1) / kWidth;
      for (std::size_t i = block; i < end; i += kTileRows) {
        const std::size_t rows = end - i < kTileRows ? end - i : kTileRows;
        float* corner = c + i * ldc + j;
        tile_of<kTileRows, kTileVectors>(rows, vectors)(a + i * lda, lda, packed + j * k, k, corner, ldc,
                                                        outputs - (vectors - 1) * kWidth);
        if (bias || act != Activation::none)
          with_activation(act,
                          [=](auto op) { finish(corner, ldc, rows, outputs, bias ? bias + j : bias, op); });
      }
    }
  }
}
