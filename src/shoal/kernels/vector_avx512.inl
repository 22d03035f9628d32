// Sixteen floats: AVX-512 F, BW, DQ, VL. The names are explained in vector_base.inl.

using F = float __attribute__((vector_size(64)));
using I = std::int32_t __attribute__((vector_size(64)));
constexpr const char* kLevel = "avx512";
constexpr std::size_t kWidth = 16;
// Rows of a tile of one, two and three vectors. Measured: 8 x 3 runs up to 1.1 times as fast as 14 x 2, whose
// broadcasts and addresses nearly fill the decoder.
constexpr std::size_t kTileVectors = 3, kTileRows[] = {16, 12, 8};

inline __mmask16 mask_first(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }

inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F v) { _mm512_storeu_ps(p, v); }
inline F load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(mask_first(n), p); }
inline void store_first(float* p, F v, std::size_t n) { _mm512_mask_storeu_ps(p, mask_first(n), v); }
inline F keep_first(F v, std::size_t n) { return _mm512_maskz_mov_ps(mask_first(n), v); }
inline F set(float x) { return _mm512_set1_ps(x); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F square_root(F a) { return _mm512_sqrt_ps(a); }
inline F pick(const float (&table)[8], I index) {  // the table twice: bit 3 of the index does not matter
  return _mm512_permutexvar_ps(reinterpret_cast<__m512i>(index),
                               _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
}

inline float add_lanes(F v) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}
inline float greatest_lane(F v) {
  const __m256 half = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(quarter, _mm_movehdup_ps(quarter)));
}

inline F widen(const std::uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p)));
}
inline void narrow(std::uint16_t* p, F v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
