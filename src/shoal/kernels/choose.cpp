// The single place that looks at the CPU and at SHOAL_LEVEL.

#include <cpuid.h>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <span>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/kernels/levels_impl.h"
#include "shoal/kernels/sha256_impl.h"

namespace shoal {
namespace {

struct Level {
  const char* name;
  bool (*runs_here)();
  const Kernels& (*table)();
};

// __builtin_cpu_supports asks the operating system too (XGETBV): registers that it does not save are no use.
bool always() { return true; }
bool has_f16c() {  // clang 14 has no name for it in __builtin_cpu_supports
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

constexpr Level kLevels[] = {
    {"base", always, base_level}, {"avx2", has_avx2, avx2_level}, {"avx512", has_avx512, avx512_level}};
constexpr std::size_t kCount = std::size(kLevels);

/// The levels this CPU can run, slowest first.
struct Runnable {
  const Kernels* tables[kCount];
  std::size_t count = 0;
  Runnable() {
    __builtin_cpu_init();
    for (const Level& level : kLevels)
      if (level.runs_here()) tables[count++] = &level.table();
  }
};
const Runnable& runnable() {
  static const Runnable found;
  return found;
}

const Kernels& choose() {
  const std::span<const Kernels* const> here = levels();
  const char* wanted = std::getenv("SHOAL_LEVEL");
  if (wanted == nullptr || *wanted == '\0') return *here.back();
  for (const Kernels* k : here)
    if (std::strcmp(k->level, wanted) == 0) return *k;
  for (const Level& level : kLevels)
    if (std::strcmp(level.name, wanted) == 0)
      throw Error(Fault::unsupported, "SHOAL_LEVEL names a level that this CPU cannot run",
                  "unset it to use the best one");
  throw Error(Fault::unsupported, "SHOAL_LEVEL is none of base, avx2, avx512",
              "unset it to use the best one");
}

bool has_sha() {  // no name for it in __builtin_cpu_supports either; its registers are those of SSE
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3") &&
         __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/// SHA-256's steps that this CPU can run, slowest first.
struct RunnableSha {
  const Sha256Step* steps[2] = {&portable_sha_level(), nullptr};
  std::size_t count = 1;
  RunnableSha() {
    __builtin_cpu_init();
    if (has_sha()) steps[count++] = &sha_level();
  }
};
const RunnableSha& runnable_sha() {
  static const RunnableSha found;
  return found;
}

}  // namespace

const Sha256Step& sha256_step() {
  static const Sha256Step& chosen =
      std::strcmp(kernels().level, "base") == 0 ? portable_sha_level() : *sha256_steps().back();
  return chosen;
}
std::span<const Sha256Step* const> sha256_steps() { return {runnable_sha().steps, runnable_sha().count}; }

const Kernels& kernels() {
  static const Kernels& chosen = choose();  // what throws is tried again by the next call
  return chosen;
}
std::span<const Kernels* const> levels() { return {runnable().tables, runnable().count}; }

}  // namespace shoal
