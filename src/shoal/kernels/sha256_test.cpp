#include "shoal/kernels/sha256.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

using State = std::array<std::uint32_t, 8>;

constexpr State kStart = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-2, B.1: "abc", padded to one block.
TEST(Sha256Step, AnswerOfTheStandard) {
  std::array<std::byte, 64> block{};
  block[0] = std::byte{'a'}, block[1] = std::byte{'b'}, block[2] = std::byte{'c'}, block[3] = std::byte{0x80};
  block[63] = std::byte{24};
  for (const Sha256Step* step : sha256_steps()) {
    State state = kStart;
    step->absorb(state.data(), block.data(), 1);
    EXPECT_EQ(state, (State{0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c,
                            0xb410ff61, 0xf20015ad}))
        << step->name;
  }
}

TEST(Sha256Step, EveryStepGivesTheSameWords) {
  std::vector<std::byte> bytes(64 * 200 + 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i * 31 + i / 7);
  for (const std::size_t blocks : {0u, 1u, 2u, 3u, 199u})
    for (const std::size_t at : {0u, 1u, 3u}) {  // of any alignment
      State want = kStart;
      sha256_steps().front()->absorb(want.data(), bytes.data() + at, blocks);
      for (const Sha256Step* step : sha256_steps()) {
        State state = kStart;
        step->absorb(state.data(), bytes.data() + at, blocks);
        EXPECT_EQ(state, want) << step->name << ", " << blocks << " blocks";
        State piecewise = kStart;
        for (std::size_t i = 0; i < blocks; ++i)
          step->absorb(piecewise.data(), bytes.data() + at + 64 * i, 1);
        EXPECT_EQ(piecewise, want) << step->name;
      }
    }
}

TEST(Sha256Step, TheBaseLevelUsesNoInstructionsOfItsOwn) {
  const bool base = std::string(kernels().level) == "base";
  EXPECT_STREQ(sha256_step().name, base ? "portable" : sha256_steps().back()->name);
}

}  // namespace
}  // namespace shoal
