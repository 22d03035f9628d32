#pragma once

#include <cstdint>

namespace shoal {

/// What is done to each output of a product of matrices after its sum is complete.
enum class Activation : std::uint8_t { none, gelu, gelu_tanh, relu, silu, tanh };

}  // namespace shoal
