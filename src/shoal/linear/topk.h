#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Keeps the k best (largest score, ties by the smaller id) of a stream of (score, id), in any order of the
/// stream. A NaN score is dropped. O(log k) an offer that enters, O(1) for the others.
class TopK {
 public:
  explicit TopK(Index k);
  void offer(float score, std::uint32_t id);
  struct Item {
    float score;
    std::uint32_t id;
  };
  std::vector<Item> sorted() const;  ///< best first

 private:
  Index k_;
  std::vector<Item> heap_;
};

}  // namespace shoal
