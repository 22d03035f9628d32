// The kernels at level "avx512". All is local to this file but the table, because code compiled for one
// instruction set must never be the copy that the linker keeps for the whole program.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "shoal/kernels/kernels.h"
#include "shoal/kernels/levels_impl.h"

namespace shoal {
namespace {
// clang-format off
#include "shoal/kernels/vector_avx512.inl"
#include "shoal/kernels/all.inl"
// clang-format on
}  // namespace

const Kernels& avx512_level() { return kTable; }
}  // namespace shoal
