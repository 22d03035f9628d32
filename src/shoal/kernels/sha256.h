#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shoal {

/// SHA-256's step (FIPS 180-4, 6.2.2) over whole blocks of 64 bytes: `state` is eight words.
struct Sha256Step {
  const char* name;  ///< "portable" or "sha"
  void (*absorb)(std::uint32_t* state, const std::byte* blocks, std::size_t count);
};

/// The step with the processor's own SHA instructions where it has them, and SHOAL_LEVEL does not force the
/// base level; else in plain C++. The words are the same.
const Sha256Step& sha256_step();

/// All steps that this CPU can run: for tests.
std::span<const Sha256Step* const> sha256_steps();

}  // namespace shoal
