#include "shoal/core/random.h"

#include <cmath>
#include <numbers>

namespace shoal {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Seed Seed::child(std::uint64_t tag) const { return {mix(mix(value + kGolden) ^ (tag * kGolden + 1))}; }

Random::Random(Seed seed) : key_(mix(seed.value + kGolden)) {}

std::uint64_t Random::bits(std::uint64_t i) const { return mix(mix(i * kGolden + key_) ^ key_); }

double Random::uniform(std::uint64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1p-53; }

double Random::normal(std::uint64_t i) const {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform(2 * i)));
  return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * i + 1));
}

Index Random::below(std::uint64_t i, Index n) const {
  return static_cast<Index>((static_cast<unsigned __int128>(bits(i)) * n) >> 64);
}

}  // namespace shoal
