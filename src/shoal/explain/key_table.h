#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// From 64-bit keys that are well mixed already to the numbers 0, 1, 2, ... in order of arrival: open
/// addressing, 12 bytes a slot, at most two thirds full.
class KeyTable {
 public:
  /// The key's number; the next free one, `size() - 1` afterwards, if it is new.
  std::uint32_t add(std::uint64_t key) {
    if (3 * (size_ + 1) > 2 * keys_.size()) grow();
    const Index slot = slot_of(key);
    if (numbers_[slot] == kNone) {
      keys_[slot] = key;
      numbers_[slot] = static_cast<std::uint32_t>(size_++);
    }
    return numbers_[slot];
  }
  /// The key's number, or kNone.
  std::uint32_t find(std::uint64_t key) const { return keys_.empty() ? kNone : numbers_[slot_of(key)]; }
  Index size() const { return size_; }
  void clear() {
    if (keys_.size() > 1024) *this = KeyTable();  // filling a big one again and again would cost
    std::fill(numbers_.begin(), numbers_.end(), kNone);
    size_ = 0;
  }

  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

 private:
  Index slot_of(std::uint64_t key) const {
    const Index mask = keys_.size() - 1;
    Index slot = key & mask;
    while (numbers_[slot] != kNone && keys_[slot] != key) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    const std::vector<std::uint64_t> keys = std::move(keys_);
    const std::vector<std::uint32_t> numbers = std::move(numbers_);
    const Index size = keys.empty() ? 64 : 2 * keys.size();
    keys_.assign(size, 0);
    numbers_.assign(size, kNone);
    for (Index i = 0; i < keys.size(); ++i) {
      if (numbers[i] == kNone) continue;
      const Index slot = slot_of(keys[i]);
      keys_[slot] = keys[i];
      numbers_[slot] = numbers[i];
    }
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> numbers_;
  Index size_ = 0;
};

}  // namespace shoal
