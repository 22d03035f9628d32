#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Disjoint sets of 0..n-1 that many threads may unite at once, without locks (after Anderson, Woll 1991).
/// The smallest member stands for its set, so the result does not depend on the order of the unions.
class MergeSets {
 public:
  explicit MergeSets(Index n) : parent_(n) {
    for (Index i = 0; i < n; ++i) parent_[i].store(static_cast<std::uint32_t>(i), std::memory_order_relaxed);
  }

  /// The smallest member of x's set, once no thread unites any more.
  std::uint32_t find(std::uint32_t x) {
    for (;;) {
      std::uint32_t up = parent_[x].load(std::memory_order_relaxed);
      if (up == x) return x;
      const std::uint32_t above = parent_[up].load(std::memory_order_relaxed);
      if (above != up) parent_[x].compare_exchange_weak(up, above, std::memory_order_relaxed);
      x = above;
    }
  }

  /// False if they were in one set already.
  bool unite(std::uint32_t a, std::uint32_t b) {
    for (;;) {
      a = find(a), b = find(b);
      if (a == b) return false;
      if (a < b) std::swap(a, b);
      std::uint32_t root = a;
      if (parent_[a].compare_exchange_strong(root, b, std::memory_order_relaxed)) return true;
    }
  }

 private:
  std::vector<std::atomic<std::uint32_t>> parent_;
};

}  // namespace shoal
