#pragma once

#include <cstring>

namespace shoal {

/// Four floats that are worked on at once, on any CPU: only exact operations, so the same bits everywhere.
using Four = float __attribute__((vector_size(16)));

inline Four load_four(const float* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store_four(float* p, Four v) { std::memcpy(p, &v, sizeof v); }
inline float add_four(Four v) { return (v[0] + v[2]) + (v[1] + v[3]); }

}  // namespace shoal
