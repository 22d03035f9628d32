#pragma once

#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shoal {

/// The first byte in [p, end) that equals one of the three, or `end`. 16 bytes at a time with SSE2, which
/// every x86-64 has; never reads outside the range.
class ByteFinder {
 public:
  ByteFinder(char a, char b, char c) : a_(a), b_(b), c_(c) {}

  const char* find(const char* p, const char* end) const {
#if defined(__SSE2__)
    const __m128i a = _mm_set1_epi8(a_), b = _mm_set1_epi8(b_), c = _mm_set1_epi8(c_);
    for (; end - p >= 16; p += 16) {
      const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i hit =
          _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, a), _mm_cmpeq_epi8(x, b)), _mm_cmpeq_epi8(x, c));
      const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
      if (mask != 0) return p + __builtin_ctz(mask);
    }
#endif
    while (p != end && *p != a_ && *p != b_ && *p != c_) ++p;
    return p;
  }

 private:
  char a_, b_, c_;
};

/// The first byte in [p, end) that matters in a JSON string (a quote, a backslash or a control character), or
/// `end`.
inline const char* find_string_stop(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
  for (; end - p >= 16; p += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#endif
  while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1F) ++p;
  return p;
}

/// The first byte in [p, end) from 0x80 on, or `end`.
inline const char* find_non_ascii(const char* p, const char* end) {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const int mask = _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (p != end && static_cast<unsigned char>(*p) < 0x80) ++p;
  return p;
}

/// Line ends in [p, end): each LF, and each CR with no LF behind it. end[0] must be readable.
inline std::size_t count_line_ends(const char* p, const char* end) {
  std::size_t count = 0;
#if defined(__SSE2__)
  const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
  while (end - p >= 16) {
    __m128i seen = zero;  // 16 counts of a byte each, which hold 255
    for (int i = 0; i < 255 && end - p >= 16; ++i, p += 16) {
      const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i behind = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 1));
      const __m128i alone = _mm_andnot_si128(_mm_cmpeq_epi8(behind, lf), _mm_cmpeq_epi8(x, cr));
      seen = _mm_sub_epi8(seen, _mm_or_si128(_mm_cmpeq_epi8(x, lf), alone));
    }
    const __m128i sums = _mm_sad_epu8(seen, zero);
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  for (; p != end; ++p) count += *p == '\n' || (*p == '\r' && p[1] != '\n');
  return count;
}

}  // namespace shoal
