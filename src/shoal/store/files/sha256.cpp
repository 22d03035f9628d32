// SHA-256 as in FIPS 180-4.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "shoal/kernels/sha256.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/descriptor_impl.h"

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

/// The hash of bytes that come piece by piece.
class Digest {
 public:
  /// Whole blocks.
  void absorb(std::span<const std::byte> blocks) {
    step_.absorb(state_.data(), blocks.data(), blocks.size() / kBlock);
    size_ += blocks.size();
  }
  /// The last piece, of any size.
  std::string finish(std::span<const std::byte> bytes) {
    const std::size_t whole = bytes.size() / kBlock * kBlock, rest = bytes.size() - whole;
    absorb(bytes.first(whole));
    // The rest, a single 1 bit, zeros, and the length in bits: one block, or two where it does not fit.
    std::array<std::byte, 2 * kBlock> tail{};
    if (rest > 0) std::memcpy(tail.data(), bytes.data() + whole, rest);
    tail[rest] = std::byte{0x80};
    const std::size_t end = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
    const std::uint64_t bits = __builtin_bswap64((size_ + rest) * 8);
    std::memcpy(tail.data() + end - sizeof bits, &bits, sizeof bits);
    step_.absorb(state_.data(), tail.data(), end / kBlock);
    return hex(state_);
  }

 private:
  const Sha256Step& step_ = sha256_step();
  State state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint64_t size_ = 0;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) { return Digest().finish(bytes); }

std::string sha256_file(const std::filesystem::path& path) {
  const Descriptor file = open_regular(path, O_RDONLY);
  // Read, not mapped: a mapped file of gigabytes counts as memory of this process.
  std::vector<std::byte> piece(std::size_t{1} << 20);
  Digest digest;
  for (std::size_t have = 0;;) {
    const ssize_t got = ::read(file.number(), piece.data() + have, piece.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error("read", path, errno);
    have += static_cast<std::size_t>(got);
    if (got == 0) return digest.finish(std::span(piece).first(have));
    if (have < piece.size()) continue;
    digest.absorb(piece);
    have = 0;
  }
}

}  // namespace shoal
