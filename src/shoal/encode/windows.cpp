#include "shoal/encode/windows.h"

#include <algorithm>
#include <numeric>

namespace shoal {

void cut_windows(Index text, Index tokens, Index room, Index overlap, std::vector<Window>& out) {
  Index done = 0;
  for (Index first = 0; first + room < tokens; first += room - overlap) {
    out.push_back({text, first, first + room, first + room - done});
    done = first + room;
  }
  out.push_back({text, tokens - std::min(tokens, room), tokens, tokens - done});
}

Pieces cut_pieces(const std::vector<Index>& lengths, Index most) {
  Pieces out;
  out.order.resize(lengths.size());
  std::iota(out.order.begin(), out.order.end(), Index{0});
  std::stable_sort(out.order.begin(), out.order.end(),
                   [&](Index a, Index b) { return lengths[a] > lengths[b]; });
  out.starts.push_back(0);
  Index tokens = 0;
  for (Index i = 0; i < out.order.size(); ++i) {
    const Index length = lengths[out.order[i]];
    if (i > out.starts.back() && tokens + length > most) {
      out.starts.push_back(i);
      tokens = 0;
    }
    tokens += length;
  }
  if (!out.order.empty()) out.starts.push_back(out.order.size());
  return out;
}

}  // namespace shoal
