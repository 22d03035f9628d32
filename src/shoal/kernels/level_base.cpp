// The kernels at level "base". All is local to this file but the table, because code compiled for one
// instruction set must never be the copy that the linker keeps for the whole program.
#include <cstddef>
#include <cstdint>

#include "shoal/kernels/kernels.h"
#include "shoal/kernels/levels_impl.h"

namespace shoal {
namespace {
// clang-format off
#include "shoal/kernels/vector_base.inl"
#include "shoal/kernels/all.inl"
// clang-format on
}  // namespace

const Kernels& base_level() { return kTable; }
}  // namespace shoal
