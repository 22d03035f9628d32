#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Many strings in one buffer: 8 bytes a string above the bytes themselves. Any bytes are allowed.
class Texts {
 public:
  Index size() const { return ends_.size(); }
  Index bytes() const { return buffer_.size(); }
  /// Valid until the next `add` or `clear`; nothing borrows from a temporary.
  std::string_view operator[](Index i) const& {
    const std::uint64_t begin = i == 0 ? 0 : ends_[i - 1];
    return {buffer_.data() + begin, ends_[i] - begin};
  }
  std::string_view operator[](Index i) const&& = delete;
  void add(std::string_view text);
  void clear();

 private:
  std::string buffer_;
  std::vector<std::uint64_t> ends_;
};

}  // namespace shoal
