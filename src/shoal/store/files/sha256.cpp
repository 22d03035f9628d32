// SHA-256 as in FIPS 180-4.
#include <array>
#include <cstring>

#include "shoal/kernels/sha256.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr std::size_t kBlock = 64;

using State = std::array<std::uint32_t, 8>;

std::string hex(const State& state) {
  std::string out;
  for (const std::uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[(word >> shift) & 15];
  }
  return out;
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  State state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const Sha256Step& step = sha256_step();
  const std::size_t whole = bytes.size() / kBlock * kBlock;
  step.absorb(state.data(), bytes.data(), whole / kBlock);

  // The rest, a single 1 bit, zeros, and the length in bits: one block, or two where it does not fit.
  std::array<std::byte, 2 * kBlock> tail{};
  const std::size_t rest = bytes.size() - whole;
  if (rest > 0) std::memcpy(tail.data(), bytes.data() + whole, rest);
  tail[rest] = std::byte{0x80};
  const std::size_t end = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = __builtin_bswap64(static_cast<std::uint64_t>(bytes.size()) * 8);
  std::memcpy(tail.data() + end - sizeof bits, &bits, sizeof bits);
  step.absorb(state.data(), tail.data(), end / kBlock);
  return hex(state);
}

std::string sha256_file(const std::filesystem::path& path) { return sha256(Mapping(path).bytes()); }

}  // namespace shoal
