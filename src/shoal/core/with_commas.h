#pragma once

#include <concepts>
#include <string>

namespace shoal {

/// 1234567 as "1,234,567".
std::string with_commas(std::integral auto n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace shoal
