#include "shoal/map/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "shoal/map/colors.h"
#include "shoal/map/svg.h"

namespace shoal {
namespace {

constexpr double kWidth = 1600, kEdge = 40, kTop = 96, kFoot = 56;
constexpr double kLowest = 0.55, kHighest = 0.95;  // the map's height, as a share of its width
constexpr double kCovered = 0.16;                  // of the map by names: the points are what one looks at
constexpr double kFilled = 0.93;                   // of the frame by the view: its outermost line has room
constexpr double kPageWidth = 950;                 // of a map on the page, whose points are so large
constexpr Index kRounds = 6;                       // in which the points of all clusters are drawn in turn
constexpr Index kManyRows = 20000, kFineCells = 256,
                kCoarseCells = 96;  // of the grid that says how dense points lie

/// A place in the drawing, to a tenth of a unit.
std::string at(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", v);
  return buffer;
}

/// The same for the next place on a path: as short as it can be.
std::string step(double v) {
  const long tenths = std::lround(v * 10);
  std::string out = std::to_string(tenths / 10);
  if (tenths % 10 != 0) {
    if (tenths < 0 && tenths > -10) out = "-0";
    out += "." + std::to_string(std::abs(tenths % 10));
  }
  return out;
}

std::string with_commas_of(Index n) {
  std::string out = std::to_string(n);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(out.size()) - 3; i > 0; i -= 3)
    out.insert(static_cast<std::size_t>(i), ",");
  return out;
}

/// As the page has it: a thousand points are beads, a hundred thousand still dots.
double size_of(double spacing) { return std::clamp(2.1 * std::pow(spacing, 0.6), 2.0, 9.0); }

/// Never smaller than this, where so many points share so much room.
double least_size(double area, double points) {
  return std::clamp(0.28 * std::sqrt(area / points), 2.0, 7.0);
}

std::string style(bool dark) {
  const std::string ground = dark ? "#101216" : "#ffffff", text = dark ? "#f2f3f5" : "#17191d";
  return "<style>text{fill:" + text +
         ";font-family:system-ui,sans-serif}.t{font-size:34px;font-weight:700}"
         ".s{font-size:17px}.n,.g{text-anchor:middle;paint-order:stroke;stroke:" +
         ground + ";stroke-width:5px;stroke-linejoin:round}.n{font-weight:600}.g{font-weight:700}.k{fill:" +
         (dark ? std::string("#84a4d6;fill-opacity:.07;stroke:#96b4e2;stroke-opacity:.2")
               : std::string("#345c94;fill-opacity:.05;stroke:#345c94;stroke-opacity:.22")) +
         ";stroke-width:1px;fill-rule:evenodd}.p{fill:none;stroke-linecap:round;stroke-opacity:.72}</"
         "style>\n";
}

}  // namespace

MapDrawing::MapDrawing(MatrixView points, const Frame& given)
    : view(dense_view(points)), frame(given), points_(points) {
  const double wide = std::max(double{view.high.x} - view.low.x, 1e-30);
  const double high = std::max(double{view.high.y} - view.low.y, 1e-30);
  scale = std::min((frame.right - frame.left) / wide, (frame.bottom - frame.top) / high) * kFilled;
}

double MapDrawing::x(double v) const {
  return (frame.left + frame.right) / 2 + (v - (double{view.low.x} + view.high.x) / 2) * scale;
}

double MapDrawing::y(double v) const {
  return (frame.top + frame.bottom) / 2 - (v - (double{view.low.y} + view.high.y) / 2) * scale;
}

std::string MapDrawing::density() const {
  const Contours lines = contours(points_, view);
  std::vector<std::string> paths(lines.levels);
  for (const Contours::Ring& ring : lines.rings) {
    std::string& path = paths[ring.level];
    const Index n = ring.x.size();
    const auto px = [&](Index i) { return x(double{lines.low.x} + ring.x[i % n] * lines.unit); };
    const auto py = [&](Index i) { return y(double{lines.low.y} + ring.y[i % n] * lines.unit); };
    // Corners are rounded: the line runs through the middles of its steps.
    const auto between = [&](Index i) {
      return at((px(i) + px(i + 1)) / 2) + " " + at((py(i) + py(i + 1)) / 2);
    };
    path += "M" + between(0);
    for (Index i = 1; i <= n; ++i) path += "Q" + at(px(i)) + " " + at(py(i)) + " " + between(i);
    path += "Z";
  }
  std::string out;
  for (const std::string& path : paths)
    if (!path.empty()) out += "<path class=\"k\" d=\"" + path + "\"/>\n";
  return out;
}

Index MapDrawing::hidden() const {
  const double left = view.low.x - (x(view.low.x) - frame.left) / scale,
               right = view.high.x + (frame.right - x(view.high.x)) / scale,
               low = view.low.y - (frame.bottom - y(view.low.y)) / scale,
               high = view.high.y + (y(view.high.y) - frame.top) / scale;
  return count_outside(points_, {{static_cast<float>(left), static_cast<float>(low)},
                                 {static_cast<float>(right), static_cast<float>(high)}});
}

/// By how far neighbours lie apart where points are.
double MapDrawing::point_size() const {
  const double wide = double{view.high.x} - view.low.x, high = double{view.high.y} - view.low.y;
  const Index cells = points_.rows > kManyRows ? kFineCells : kCoarseCells;
  const double cell = std::max(wide, high) / static_cast<double>(cells);
  if (!(cell > 0)) return 9;
  std::vector<Index> counts(cells * cells);
  double sum = 0, squares = 0;
  for (Index i = 0; i < points_.rows; ++i) {
    const double column = (points_[i][0] - double{view.low.x}) / cell,
                 row = (points_[i][1] - double{view.low.y}) / cell;
    if (!(column >= 0 && row >= 0 && column < static_cast<double>(cells) && row < static_cast<double>(cells)))
      continue;
    ++counts[static_cast<Index>(row) * cells + static_cast<Index>(column)];
    ++sum;
  }
  for (const Index count : counts) squares += static_cast<double>(count) * static_cast<double>(count);
  const double larger = (frame.right - frame.left) / kPageWidth;
  if (sum == 0) return 9 * larger;
  const double area = (frame.right - frame.left) * (frame.bottom - frame.top) / (larger * larger);
  const double spacing = cell * scale / larger / std::sqrt(squares / sum);
  return std::max(size_of(spacing), least_size(area, sum)) * larger;
}

std::string MapDrawing::dots(const Labels& labels, const std::vector<std::string>& colors,
                             const std::vector<std::string>& names, const std::string& grey) const {
  const Index parts = labels.count + 1;
  std::vector<std::string> path(parts * kRounds);
  std::vector<double> last_x(path.size()), last_y(path.size());
  for (Index i = 0; i < points_.rows; ++i) {
    // Rounded where it stands, so that relative steps do not add up their errors.
    const double px = std::round(x(points_[i][0]) * 10) / 10, py = std::round(y(points_[i][1]) * 10) / 10;
    // Written so that NaN is outside.
    if (!(px >= frame.left && px <= frame.right && py >= frame.top && py <= frame.bottom)) continue;
    const Index part = labels.of[i] == kNoise ? labels.count : static_cast<Index>(labels.of[i]);
    const Index place = (i * 2654435761u >> 7) % kRounds * parts + part;
    path[place] += path[place].empty()
                       ? "M" + step(px) + " " + step(py) + "h0"
                       : "m" + step(px - last_x[place]) + " " + step(py - last_y[place]) + "h0";
    last_x[place] = px;
    last_y[place] = py;
  }
  std::string out = "<g stroke-width=\"" + at(point_size()) + "\">\n";
  const auto draw = [&](Index place, const std::string& color, const std::string& name) {
    if (path[place].empty()) return;
    out += "<path class=\"p\" stroke=\"" + color + "\" d=\"" + path[place] + "\"><title>" + escaped(name) +
           "</title></path>\n";
  };
  for (Index round = 0; round < kRounds; ++round) draw(round * parts + labels.count, "#9aa3af", grey);
  for (Index round = 0; round < kRounds; ++round)
    for (Index c = 0; c < labels.count; ++c) draw(round * parts + c, colors[c], names[c]);
  return out + "</g>\n";
}

std::string MapDrawing::text(const PlacedName& name, const char* kind, const std::string& fill) {
  std::string out;
  for (Index i = 0; i < name.lines.size(); ++i)
    out += "<text class=\"" + std::string(kind) + "\" font-size=\"" + at(name.size) + "\" x=\"" +
           at(name.middle()) + "\" y=\"" + at(name.baseline(i)) + "\"" +
           (fill.empty() ? "" : " style=\"fill:" + fill + "\"") + ">" + escaped(name.lines[i]) + "</text>\n";
  return out;
}

std::string map_picture(const PictureData& data) {
  std::vector<Label> group_of;
  for (const ClusterRecord& c : data.clusters) group_of.push_back(c.group);
  const Labels labels{data.labels.of, data.clusters.size()};
  const NamePlaces places = place_names(data.points, labels, group_of, data.groups.size());
  const MapBox view = dense_view(data.points), box = map_box(data.points);
  const double shape = (double{view.high.y} - view.low.y) / std::max(double{view.high.x} - view.low.x, 1e-30);
  const double inner = kWidth - 2 * kEdge, height = std::round(inner * std::clamp(shape, kLowest, kHighest));
  const MapDrawing map(data.points, {kEdge, kTop, kWidth - kEdge, kTop + height});

  std::vector<Index> sizes = label_sizes(labels);
  std::vector<Rgb> colors(data.clusters.size());
  if (!places.clusters.empty())
    colors = cluster_colors(places.clusters, sizes,
                            {box.low.x / 2 + box.high.x / 2, box.low.y / 2 + box.high.y / 2}, data.dark);
  std::vector<std::string> fills, titles;
  for (Index c = 0; c < colors.size(); ++c) {
    fills.push_back(hex(colors[c]));
    titles.push_back(data.clusters[c].name);
  }

  // Groups first, then clusters, the largest first.
  struct Candidate {
    bool group;
    Index index, rows;
  };
  std::vector<Candidate> order;
  if (!places.clusters.empty()) {
    if (data.groups.size() > 1)
      for (Index g = 0; g < data.groups.size(); ++g) order.push_back({true, g, data.groups[g].size});
    for (Index c = 0; c < sizes.size(); ++c)
      if (sizes[c] > 0) order.push_back({false, c, sizes[c]});
  }
  std::ranges::stable_sort(order, [](const Candidate& a, const Candidate& b) {
    return a.group != b.group ? a.group : a.rows > b.rows;
  });
  const auto largest = static_cast<double>(sizes.empty() ? 1 : std::max<Index>(1, std::ranges::max(sizes)));
  std::vector<NameToPlace> names;
  for (const Candidate& c : order) {
    const Place& place = c.group ? places.groups[c.index] : places.clusters[c.index];
    const std::string& name = c.group ? data.groups[c.index].name : data.clusters[c.index].name;
    const bool twice = !c.group && data.groups.size() > 1 &&
                       std::ranges::any_of(data.groups, [&](const GroupRecord& g) { return g.name == name; });
    const double size = c.group ? 27 : std::round(15 + 6 * std::sqrt(static_cast<double>(c.rows) / largest));
    names.push_back({twice ? "" : name, map.x(place.x), map.y(place.y), size, c.group ? 13.0 : 14.0});
  }
  const std::vector<PlacedName> placed = arrange_names(names, map.frame, kCovered);

  const double whole = kTop + height + kFoot;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + step(kWidth) + " " +
                    step(whole) + "\" width=\"" + step(kWidth) + "\" height=\"" + step(whole) +
                    "\" role=\"img\" aria-label=\"" + escaped(data.title) + "\">\n" + style(data.dark) +
                    "<rect width=\"100%\" height=\"100%\" fill=\"" + (data.dark ? "#101216" : "#ffffff") +
                    "\"/>\n<clipPath id=\"m\"><rect x=\"0\" y=\"" + step(kTop - 20) + "\" width=\"" +
                    step(kWidth) + "\" height=\"" + step(height + 34) +
                    "\"/></clipPath>\n<g clip-path=\"url(#m)\">\n" + map.density() +
                    map.dots(labels, fills, titles, "in no cluster") + "</g>\n";
  for (const PlacedName& name : placed)
    if (!order[name.name].group)
      out += MapDrawing::text(name, "n", hex(ink(colors[order[name.name].index], data.dark)));
  for (const PlacedName& name : placed)
    if (order[name.name].group) out += MapDrawing::text(name, "g", "");
  const Index outside = map.hidden();
  const std::string counts =
      with_commas_of(data.labels.of.size()) + " texts in " + with_commas_of(data.clusters.size()) +
      (data.clusters.size() == 1 ? " cluster" : " clusters") +
      (outside > 0 ? "; " + with_commas_of(outside) + " that lie far out are not shown" : "") + ". ";
  return out + "<text class=\"t\" x=\"" + step(kEdge) + "\" y=\"58\">" + escaped(data.title) +
         "</text>\n<text class=\"s\" x=\"" + step(kEdge) + "\" y=\"" + step(whole - 22) +
         "\" style=\"fill:" + (data.dark ? "#a3aab5" : "#585e68") + "\">" + escaped(counts + data.made_by) +
         "</text>\n</svg>\n";
}

}  // namespace shoal
