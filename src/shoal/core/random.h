#pragma once

#include <cstdint>

#include "shoal/core/matrix.h"

namespace shoal {

/// Where randomness starts. `child(tag)` gives an independent seed for each purpose.
struct Seed {
  std::uint64_t value = 0;
  Seed child(std::uint64_t tag) const;
  bool operator==(const Seed&) const = default;
};

/// Draws as functions of (seed, i): no state, so any thread may ask for any draw in any order.
/// A counter hashed twice by the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class Random {
 public:
  explicit Random(Seed seed);
  std::uint64_t bits(std::uint64_t i) const;
  double uniform(std::uint64_t i) const;        ///< [0, 1), 53 bits
  double normal(std::uint64_t i) const;         ///< mean 0, variance 1 (Box-Muller on draws 2i and 2i + 1)
  Index below(std::uint64_t i, Index n) const;  ///< 0..n-1, n >= 1; bias under n / 2^64

 private:
  std::uint64_t key_;
};

}  // namespace shoal
