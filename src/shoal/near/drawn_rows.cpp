#include "shoal/near/drawn_rows.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace shoal {

std::vector<Index> drawn_rows(Index rows, Index wanted, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < rows; ++i) drawn.emplace_back(random.bits(i), i);
  std::ranges::sort(drawn);
  drawn.resize(std::min(rows, wanted));
  std::vector<Index> out;
  for (const auto& [draw, row] : drawn) out.push_back(row);
  std::ranges::sort(out);
  return out;
}

}  // namespace shoal
