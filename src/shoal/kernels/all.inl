// All kernels, on top of one vector_*.inl. The order matters: each file uses those above it.
// clang-format off
#include "shoal/kernels/lanes.inl"
#include "shoal/kernels/sums.inl"
#include "shoal/kernels/double.inl"
#include "shoal/kernels/exp.inl"
#include "shoal/kernels/activate.inl"
#include "shoal/kernels/rows.inl"
#include "shoal/kernels/training.inl"
#include "shoal/kernels/half.inl"
#include "shoal/kernels/gemm.inl"
#include "shoal/kernels/table.inl"
