#include "shoal/map/arrange_names.h"

#include <algorithm>

#include "shoal/map/text_width.h"

namespace shoal {
namespace {

constexpr double kGap = 5;                               // kept free around a name
constexpr double kAway[] = {0, -0.62, 0.62, -1.1, 1.1};  // heights by which a name may be moved

Frame box_of(const std::vector<std::string>& lines, double size, double x, double y, const Frame& frame) {
  double width = 0;
  for (const std::string& line : lines) width = std::max(width, text_width(line) * size);
  const double height = static_cast<double>(lines.size()) * size * PlacedName::kLine;
  const double left = std::max(frame.left, std::min(frame.right - width, x - width / 2));
  const double top = std::max(frame.top, std::min(frame.bottom - height, y - height / 2));
  return {left, top, left + width, top + height};
}

bool touch(const Frame& a, const Frame& b) {
  return a.left < b.right + kGap && b.left < a.right + kGap && a.top < b.bottom + kGap &&
         b.top < a.bottom + kGap;
}

double area(const Frame& f) { return (f.right - f.left) * (f.bottom - f.top); }

bool is_inside(const Frame& box, const Frame& frame) {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top &&
         box.bottom <= frame.bottom;
}

}  // namespace

std::vector<PlacedName> arrange_names(const std::vector<NameToPlace>& names, const Frame& frame,
                                      double most) {
  std::vector<PlacedName> out;
  double covered = 0;
  for (Index i = 0; i < names.size() && covered <= most * area(frame); ++i) {
    const NameToPlace& name = names[i];
    if (!(name.x >= frame.left && name.x <= frame.right && name.y >= frame.top && name.y <= frame.bottom))
      continue;
    const std::vector<std::string> lines = wrapped(name.text, name.wide);
    if (lines.empty()) continue;
    const double height = static_cast<double>(lines.size()) * name.size * PlacedName::kLine;
    for (const double away : kAway) {
      const Frame box = box_of(lines, name.size, name.x, name.y + away * height, frame);
      if (!is_inside(box, frame)) break;  // wider than the frame
      if (std::ranges::any_of(out, [&](const PlacedName& p) { return touch(box, p.box); })) continue;
      out.push_back({i, lines, name.size, box});
      covered += area(box);
      break;
    }
  }
  return out;
}

}  // namespace shoal
