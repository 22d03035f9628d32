#pragma once

namespace shoal {

struct Kernels;

// One function a level_*.cpp. Only choose.cpp calls them, and only those that this CPU can run.
const Kernels& base_level();
const Kernels& avx2_level();
const Kernels& avx512_level();

}  // namespace shoal
