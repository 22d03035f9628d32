// The kernels at level "base". All is local to this file but the table, because code compiled for one
// instruction set must never be the copy that the linker keeps for the whole program.
#include <cstddef>
#include <cstdint>

#include "shoal/kernels/kernels.h"
#include "shoal/kernels/levels_impl.h"

namespace shoal {
namespace {
#include "shoal/kernels/vector_base.inl"
// The order matters: each file uses those above it.
#include "shoal/kernels/lanes.inl"
#include "shoal/kernels/sums.inl"
#include "shoal/kernels/exp.inl"
#include "shoal/kernels/activate.inl"
#include "shoal/kernels/rows.inl"
#include "shoal/kernels/half.inl"
#include "shoal/kernels/gemm.inl"
#include "shoal/kernels/table.inl"
}  // namespace

const Kernels& base_level() { return kTable; }
}  // namespace shoal
