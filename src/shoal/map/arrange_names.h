#pragma once

#include <string>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A name that a drawing may show, in the drawing's units, y downwards.
struct NameToPlace {
  std::string text;
  double x = 0, y = 0;  ///< its place: the middle of the name if there is room
  double size = 12;     ///< of its letters
  double wide = 14;     ///< of a line, in units of the size, before it is broken
};

/// A box, y downwards.
struct Frame {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// Where a name is written: line i is centred at the middle of the box, its baseline at `baseline(i)`.
struct PlacedName {
  Index name = 0;  ///< of those that were given
  std::vector<std::string> lines;
  double size = 12;
  Frame box;

  double middle() const { return (box.left + box.right) / 2; }
  double baseline(Index line) const { return box.top + size * (kLine * static_cast<double>(line) + 0.93); }
  static constexpr double kLine = 1.16;  ///< height of a line, in units of the size
};

/// The names that find room, in the order in which they are given: each at its place, moved into the frame,
/// or a little above or below, where it touches none before it; a name that finds none is left out. Ends when
/// names cover `most` of the frame's area. Empty names and those whose place is outside the frame are left
/// out.
std::vector<PlacedName> arrange_names(const std::vector<NameToPlace>& names, const Frame& frame, double most);

}  // namespace shoal
