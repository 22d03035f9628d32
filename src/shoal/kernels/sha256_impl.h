#pragma once

#include "shoal/kernels/sha256.h"

namespace shoal {

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
extern const std::uint32_t kSha256Rounds[64];

const Sha256Step& portable_sha_level();
const Sha256Step& sha_level();  ///< needs SHA, SSE4.1 and SSSE3

}  // namespace shoal
