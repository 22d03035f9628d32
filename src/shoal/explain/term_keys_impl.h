#pragma once

#include <cstdint>
#include <string_view>

#include "shoal/core/matrix.h"

namespace shoal {

// A term is known by 64 bits, its key. A word and its plural have the same home: what is known of both lies
// in one shard.

/// The finaliser of SplitMix64: every bit of the result depends on every bit of x.
inline std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(a + 0x9E3779B97F4A7C15u * (b + 1)); }

inline std::uint64_t key_of(std::string_view word) {  // FNV-1a
  std::uint64_t key = 0xCBF29CE484222325u;
  for (char c : word) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix(key);
}

inline Index shard_of(std::uint64_t key) { return key >> 60; }

/// Of what may be the plural of a word, and of the texts that hold both.
inline std::uint64_t plural_key(std::uint64_t singular) { return mix(singular, 1); }
inline std::uint64_t both_key(std::uint64_t singular) { return mix(singular, 2); }

}  // namespace shoal
