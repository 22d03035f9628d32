// Loops in double. In distances product and sum are rounded apart at every level, since few CPUs of the base
// level can fuse them.

using D = double __attribute__((vector_size(sizeof(F))));

inline D load_doubles(const double* p) {
  D v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

void squared_distances(const double* a, const double* b, std::size_t m, std::size_t n, std::size_t k,
                       double* out) {
  constexpr std::size_t kRows = 4, kVectors = 2, kDoubles = sizeof(D) / sizeof(double);
  constexpr std::size_t kPanel = 16;
  for (std::size_t j = 0; j < n; j += kVectors * kDoubles) {
    const double* const panel = b + j / kPanel * kPanel * k + j % kPanel;
    for (std::size_t i = 0; i < m; i += kRows) {
      D sum[kRows][kVectors] = {};
      for (std::size_t t = 0; t < k; ++t)
#pragma GCC unroll 4
        for (std::size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 2
          for (std::size_t v = 0; v < kVectors; ++v) {
            const D apart = a[(i + r) * k + t] - load_doubles(panel + t * kPanel + v * kDoubles);
            sum[r][v] += apart * apart;
          }
      for (std::size_t r = 0; r < kRows; ++r)
        for (std::size_t v = 0; v < kVectors; ++v)
          __builtin_memcpy(out + (i + r) * n + j + v * kDoubles, &sum[r][v], sizeof(D));
    }
  }
}

void scaled(double alpha, const float* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(alpha * x[i]);
}
