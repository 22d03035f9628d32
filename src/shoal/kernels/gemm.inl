// c = act(a b^T + bias). b is packed in panels of one to kTileVectors vectors of outputs: term t of a panel's
// outputs lies together, so a tile of c (some rows by one panel, all in registers) reads b straight through.
// Every output is one fma chain over t, so tiles of any shape give the same bits, and so does a chain that is
// cut: its next part goes on from what lies in c.

constexpr std::size_t kPanel = kTileVectors * kWidth;

/// Outputs of a panel. Few outputs get narrow panels, whose tiles have more rows; four vectors are better cut
/// into two and two than into three and one.
constexpr std::size_t panel_of(std::size_t n) {
  const std::size_t vectors = (n + kWidth - 1) / kWidth;
  if (vectors <= 1) return kWidth;
  return vectors == 2 || vectors == 4 ? 2 * kWidth : kPanel;
}

std::size_t pack_size(std::size_t n, std::size_t k) {
  const std::size_t panel = panel_of(n);
  return (n + panel - 1) / panel * panel * k;
}

/// One panel of `outputs` outputs. The tile reads whole vectors: what is missing of the last one is zero.
/// Rows of b that lie far apart are fetched some turns ahead.
void pack_panel(const float* b, std::size_t outputs, std::size_t panel, std::size_t k,
                std::size_t output_stride, std::size_t term_stride, float* packed) {
  constexpr std::size_t kSoon = 8;
  if (output_stride == 1) {
    for (std::size_t t = 0; t < k; ++t, b += term_stride, packed += panel) {
      __builtin_prefetch(b + kSoon * term_stride);
      __builtin_prefetch(b + kSoon * term_stride + outputs - 1);
      each_vector(outputs, [=](std::size_t i, auto at) { store(packed + i, at.get(b + i)); });
    }
    return;
  }
  for (std::size_t i = 0; i < outputs; ++i, b += output_stride) {
    __builtin_prefetch(b + kSoon * output_stride);
    __builtin_prefetch(b + kSoon * output_stride + (k < 32 ? k : 32) - 1);
    if (term_stride == 1)
      for (std::size_t t = 0; t < k; ++t) packed[t * panel + i] = b[t];
    else
      for (std::size_t t = 0; t < k; ++t) packed[t * panel + i] = b[t * term_stride];
  }
  for (std::size_t i = outputs; i % kWidth != 0; ++i)
    for (std::size_t t = 0; t < k; ++t) packed[t * panel + i] = 0;
}

void pack(const float* b, std::size_t n, std::size_t k, std::size_t output_stride, std::size_t term_stride,
          float* packed) {
  if (k == 0) return;  // then b may be null
  const std::size_t panel = panel_of(n);
  for (std::size_t j = 0; j < n; j += panel, packed += panel * k)
    pack_panel(b + j * output_stride, n - j < panel ? n - j : panel, panel, k, output_stride, term_stride,
               packed);
}

/// One tile of c and what it is made of.
struct Place {
  const float* a;      // the tile's first row
  const float* ahead;  // two rows of a that will be needed next, to be fetched meanwhile
  std::size_t lda;
  const float* b;  // the panel
  std::size_t terms;
  float* c;
  std::size_t ldc;
  std::size_t last;  // outputs in the last vector of a row
  bool first;        // the chains begin here; otherwise they go on from c
};

/// R rows by V vectors of c; the panel is P vectors wide.
template <std::size_t P, std::size_t R, std::size_t V>
void tile(const Place& at) {
  constexpr std::size_t kSoon = 8;   // terms of b that are fetched ahead
  constexpr std::size_t kTurn = 16;  // terms a turn: one line of a row of a
  const float *a = at.a, *b = at.b;
  const std::size_t lda = at.lda, terms = at.terms;
  F s[R][V] = {};
  if (!at.first) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v + 1 < V; ++v) s[r][v] = load(at.c + r * at.ldc + v * kWidth);
      s[r][V - 1] = load_first(at.c + r * at.ldc + (V - 1) * kWidth, at.last);
    }
  }
  const auto add_term = [&](std::size_t t) __attribute__((always_inline)) {
    F column[V];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) {
      column[v] = load(b + (t * P + v) * kWidth);
      if (v * kWidth % 16 == 0) __builtin_prefetch(b + ((t + kSoon) * P + v) * kWidth);  // a line: 16 floats
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r) {
      const F factor = set(a[r * lda + t]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) s[r][v] = fma(factor, column[v], s[r][v]);
    }
  };
  // A turn asks for a line of two rows of a, and for one row of c, which is written long after: few at a
  // time, because what waits for memory holds up what comes from the second cache.
  const float* row = at.c;
  std::size_t t = 0;
  for (std::size_t turn = kTurn; turn <= terms; turn += kTurn, row += at.ldc) {
    __builtin_prefetch(at.ahead + t, 0, 2);
    __builtin_prefetch(at.ahead + lda + t, 0, 2);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) __builtin_prefetch(row + v * kWidth);
    __builtin_prefetch(row + V * kWidth - 1);
#pragma GCC unroll 4
    for (; t < turn; ++t) add_term(t);
  }
  for (; t < terms; ++t) add_term(t);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v + 1 < V; ++v) store(at.c + r * at.ldc + v * kWidth, s[r][v]);
    store_first(at.c + r * at.ldc + (V - 1) * kWidth, s[r][V - 1], at.last);
  }
}

using Tile = void (*)(const Place&);

/// The tile function for `rows` rows (1..R) and `vectors` vectors (1..V) of a panel of P.
template <std::size_t P, std::size_t R, std::size_t V>
Tile tile_of(std::size_t rows, std::size_t vectors) {
  if constexpr (V > 1)
    if (vectors < V) return tile_of<P, R, V - 1>(rows, vectors);
  if constexpr (R > 1)
    if (rows < R) return tile_of<P, R - 1, V>(rows, vectors);
  return tile<P, R, V>;
}

/// The same for any width of panel.
template <std::size_t P = kTileVectors>
Tile tile_of(std::size_t panel, std::size_t rows, std::size_t vectors) {
  if constexpr (P > 1)
    if (panel < P * kWidth) return tile_of<P - 1>(panel, rows, vectors);
  return tile_of<P, kTileRows[P - 1], P>(rows, vectors);
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

/// One strip of rows of c: tile by tile over `n` outputs. `strip.b` and `strip.c` are those of the first
/// tile.
void multiply_strip(Place strip, std::size_t rows, std::size_t n, std::size_t panel, std::size_t k,
                    const float* bias, Activation act, bool done) {
  for (std::size_t j = 0; j < n; j += panel) {
    const std::size_t outputs = n - j < panel ? n - j : panel;
    const std::size_t vectors = (outputs + kWidth - 1) / kWidth;
    strip.last = outputs - (vectors - 1) * kWidth;
    tile_of(panel, rows, vectors)(strip);
    if (done && (bias || act != Activation::none))
      with_activation(
          act, [=](auto op) { finish(strip.c, strip.ldc, rows, outputs, bias ? bias + j : bias, op); });
    strip.b += panel * k, strip.c += panel, strip.ahead += 2 * strip.lda;
  }
}

// A block of b of kOutputs x kTerms (590 kB) stays in the second cache while all rows of the block of a pass
// by, a strip of a (8 x kTerms, 12 kB) in the first. The rows are cut into strips as even as can be.
void multiply_block(const float* a, std::size_t lda, const float* packed, std::size_t m, std::size_t n,
                    std::size_t k, const float* bias, Activation act, float* c, std::size_t ldc) {
  constexpr std::size_t kOutputs = 384, kTerms = 384;
  static_assert(kOutputs % kPanel == 0);
  const std::size_t panel = panel_of(n), most = kTileRows[panel / kWidth - 1], strips = (m + most - 1) / most;
  for (std::size_t j = 0; j < n; j += kOutputs) {
    const std::size_t outputs = n - j < kOutputs ? n - j : kOutputs;
    for (std::size_t t = 0; t == 0 || t < k; t += kTerms) {
      const std::size_t terms = k - t < kTerms ? k - t : kTerms;
      for (std::size_t s = 0; s < strips; ++s) {
        const std::size_t row = m * s / strips, end = m * (s + 1) / strips;
        const Place strip{a + row * lda + t,
                          a + end * lda + t,
                          lda,
                          packed + j * k + t * panel,
                          terms,
                          c + row * ldc + j,
                          ldc,
                          0,
                          t == 0};
        multiply_strip(strip, end - row, outputs, panel, k, bias ? bias + j : bias, act, t + terms == k);
      }
    }
  }
}

// The rows are cut into blocks that stay in the second cache (kRows x kTerms, 390 kB) while all of b passes
// by, so that a is fetched from afar once.
void gemm(const float* a, std::size_t lda, const float* packed, std::size_t m, std::size_t n, std::size_t k,
          const float* bias, Activation act, float* c, std::size_t ldc) {
  constexpr std::size_t kRows = 256;
  const std::size_t blocks = (m + kRows - 1) / kRows;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t row = m * i / blocks, end = m * (i + 1) / blocks;
    multiply_block(a + row * lda, lda, packed, end - row, n, k, bias, act, c + row * ldc, ldc);
  }
}
