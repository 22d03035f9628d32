#pragma once

#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A stretch of a text's tokens that goes through the model by itself.
struct Window {
  Index text = 0;             ///< which text
  Index first = 0, last = 0;  ///< its own tokens [first, last)
  Index added = 0;            ///< tokens in no earlier window of the text: its weight in the text's vector
};

/// Appends the windows of a text of `tokens` tokens to `out`: one if they fit into `room`; else each begins
/// room - overlap tokens after the one before, except that the last is moved back to end with the text, so
/// that every window is full. overlap < room. Their `added` sum up to `tokens`.
void cut_windows(Index text, Index tokens, Index room, Index overlap, std::vector<Window>& out);

/// The order in which windows go through the model, and the cut of that order into pieces: the longest first,
/// equal ones by their number; piece p is order[starts[p]..starts[p + 1]), of at most `most` tokens or one
/// window.
struct Pieces {
  std::vector<Index> order;
  std::vector<Index> starts;

  Index size() const { return starts.size() - 1; }
};
Pieces cut_pieces(const std::vector<Index>& lengths, Index most);

}  // namespace shoal
