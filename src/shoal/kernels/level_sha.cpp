// SHA-256 by the instructions that x86 has for it. Like the other levels it includes no standard header with
// inline code.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "shoal/kernels/sha256_impl.h"

namespace shoal {
namespace {

void absorb(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
  // The instructions want the eight words a..h as (a, b, e, f) and (c, d, g, h), the first in the highest
  // lane.
  const __m128i* words = reinterpret_cast<const __m128i*>(state);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, efgh, 8), cdgh = _mm_blend_epi16(efgh, badc, 0xF0);
  const __m128i turn = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);  // big endian, word by word

  for (; count > 0; --count, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];  // sixteen words of the schedule, four at a time
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m128i& now = w[i & 3];
      if (i < 4) now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i), turn);
      const __m128i* rounds = reinterpret_cast<const __m128i*>(kSha256Rounds) + i;
      __m128i message = _mm_add_epi32(now, _mm_loadu_si128(rounds));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, message);
      if (i >= 3 && i < 15) {
        __m128i& next = w[(i + 1) & 3];
        next = _mm_add_epi32(next, _mm_alignr_epi8(now, w[(i - 1) & 3], 4));
        next = _mm_sha256msg2_epu32(next, now);
      }
      message = _mm_shuffle_epi32(message, 0x0E);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, message);
      if (i >= 1 && i < 13) w[(i - 1) & 3] = _mm_sha256msg1_epu32(w[(i - 1) & 3], now);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  __m128i* out = reinterpret_cast<__m128i*>(state);
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}

constexpr Sha256Step kStep = {"sha", absorb};

}  // namespace

const Sha256Step& sha_level() { return kStep; }

}  // namespace shoal
