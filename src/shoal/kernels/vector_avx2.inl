// Eight floats: AVX2, FMA and F16C. The names are explained in vector_base.inl.

using F = float __attribute__((vector_size(32)));
using I = std::int32_t __attribute__((vector_size(32)));
constexpr const char* kLevel = "avx2";
constexpr std::size_t kWidth = 8;
constexpr std::size_t kTileVectors = 2, kTileRows[] = {12, 6};

// The n words before the middle are ones: a window that starts n before it masks the first n lanes.
alignas(64) constexpr std::int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
inline __m256i mask_first(std::size_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(kMask + kWidth - n));
}

inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, F v) { _mm256_storeu_ps(p, v); }
inline F load_first(const float* p, std::size_t n) { return _mm256_maskload_ps(p, mask_first(n)); }
inline void store_first(float* p, F v, std::size_t n) { _mm256_maskstore_ps(p, mask_first(n), v); }
inline F keep_first(F v, std::size_t n) { return _mm256_and_ps(v, _mm256_castsi256_ps(mask_first(n))); }
inline F set(float x) { return _mm256_set1_ps(x); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F square_root(F a) { return _mm256_sqrt_ps(a); }
inline F pick(const float (&table)[8], I index) {
  return _mm256_permutevar8x32_ps(load(table), reinterpret_cast<__m256i>(index));
}

inline float add_lanes(__m128 v) {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)));
}
inline float add_lanes(F v) {
  return add_lanes(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
inline float greatest_lane(F v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

inline F widen(const std::uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p)));
}
inline void narrow(std::uint16_t* p, F v) {
  _mm_storeu_si128(reinterpret_cast<__m128i_u*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
