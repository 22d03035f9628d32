#pragma once

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

}  // namespace shoal
