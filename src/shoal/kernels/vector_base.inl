// Four floats in GCC vector types, for any CPU. The other levels offer the same names, wider.
// A vector function that both sides of the contract depend on is an exact IEEE operation, so it gives the
// same bits at any width: + - * / sqrt fma, comparisons, and operations on the bits.

using F = float __attribute__((vector_size(16)));
using I = std::int32_t __attribute__((vector_size(16)));
constexpr const char* kLevel = "base";
constexpr std::size_t kWidth = 4;
constexpr std::size_t kTileVectors = 2, kTileRows[] = {8, 4};  // rows of a tile of one vector and of two

inline F load(const float* p) {
  F v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, F v) { __builtin_memcpy(p, &v, sizeof v); }
/// The first n of a vector (1 <= n <= kWidth); the rest are zeros and their memory is not touched.
inline F load_first(const float* p, std::size_t n) {
  F v{};
  for (std::size_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store_first(float* p, F v, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) p[i] = v[i];
}
inline F keep_first(F v, std::size_t n) {
  for (std::size_t i = n; i < kWidth; ++i) v[i] = 0;
  return v;
}
inline F set(float x) { return F{x, x, x, x}; }
inline F fma(F a, F b, F c) {
  F v;
  for (std::size_t i = 0; i < kWidth; ++i) v[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return v;
}
inline F square_root(F a) {
  for (std::size_t i = 0; i < kWidth; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
/// table[index mod 8] in each lane.
inline F pick(const float (&table)[8], I index) {
  F v;
  for (std::size_t i = 0; i < kWidth; ++i) v[i] = table[index[i] & 7];
  return v;
}
/// Lanes added by halves: (0 + 2) + (1 + 3).
inline float add_lanes(F v) { return (v[0] + v[2]) + (v[1] + v[3]); }
inline float greatest_lane(F v) {
  float m = v[0];
  for (std::size_t i = 1; i < kWidth; ++i) m = v[i] > m ? v[i] : m;
  return m;
}

/// Half precision, bit by bit: what the conversion instructions of the other levels do.
inline float widen_one(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000) << 16;
  const std::uint32_t size = h & 0x7fff;
  std::uint32_t bits;
  if (size >= 0x7c00) {  // inf; a NaN becomes a quiet one
    bits = 0x7f800000 | (size << 13) | (size > 0x7c00 ? 0x400000 : 0);
  } else if (size >= 0x0400) {
    bits = (size << 13) + (112u << 23);
  } else {  // subnormal: size * 2^-24, exact in float
    const float value = static_cast<float>(size) * 0x1p-24f;
    __builtin_memcpy(&bits, &value, sizeof bits);
  }
  bits |= sign;
  float out;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}
inline std::uint16_t narrow_one(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00 | static_cast<std::uint16_t>((size >> 13) & 0x3ff);
  if (size >= 0x47800000) return sign | 0x7c00;  // 65536 and above
  std::uint32_t half;
  if (size >= 0x38800000) {  // 2^-14 and above: drop 13 bits, ties to even; may carry into inf, rightly
    half = (size - (112u << 23) + 0xfff + ((size >> 13) & 1)) >> 13;
  } else {  // adding 1/2 moves the last bit of a subnormal half to the last bit of the float, and rounds
    float value;
    __builtin_memcpy(&value, &size, sizeof value);
    value += 0.5f;
    __builtin_memcpy(&half, &value, sizeof half);
    half -= 0x3f000000;
  }
  return static_cast<std::uint16_t>(sign | half);
}
inline F widen(const std::uint16_t* p) {
  return F{widen_one(p[0]), widen_one(p[1]), widen_one(p[2]), widen_one(p[3])};
}
inline void narrow(std::uint16_t* p, F v) {
  for (std::size_t i = 0; i < kWidth; ++i) p[i] = narrow_one(v[i]);
}
