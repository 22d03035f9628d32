#include "shoal/map/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numbers>
#include <numeric>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/map/picture.h"
#include "shoal/map/place_names.h"
#include "shoal/map/text_width.h"

namespace shoal {
namespace {

constexpr double kWidth = 860, kLeft = 76, kRight = 24, kTop = 52;
constexpr double kInner = kWidth - kLeft - kRight;

/// A number as people write it: a count whole, others in four significant digits at most.
std::string number(double v) {
  return std::abs(v) < 1e15 && v == std::floor(v) ? rounded(v + 0.0, "%.0f") : rounded(v, "%.4g");
}

/// A place in the drawing, to a tenth of a unit.
std::string at(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", v);
  return buffer;
}

std::string words(double x, double y, const char* kind, const std::string& text) {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" class=\"" + kind + "\">" + escaped(text) +
         "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return "<path class=\"" + std::string(kind) + "\" d=\"M" + at(x1) + " " + at(y1) + "L" + at(x2) + " " +
         at(y2) + "\"/>\n";
}

std::string document(const PlotText& text, double height, const std::string& body) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " + number(height) +
         "\" width=\"" + number(kWidth) + "\" height=\"" + number(height) + "\" role=\"img\" aria-label=\"" +
         escaped(text.title) +
         "\">\n<style>"
         "svg{background:#fff;color:#1d2530;font:12px system-ui,sans-serif}"
         "text{fill:currentColor}.t{font-size:17px;font-weight:600}.m{text-anchor:middle}.e{text-anchor:end}"
         ".n{text-anchor:middle;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3px}"
         ".a{stroke:#8a94a3;fill:none}.g{stroke:#8a94a3;stroke-opacity:.25;fill:none}"
         ".c{stroke:#2f6fde;fill:none;stroke-width:2;stroke-linejoin:round}.b{fill:#2f6fde}"
         ".l{stroke:#d6402b;fill:none;stroke-dasharray:5 "
         "4}.d{fill:#d6402b}.p{fill:none;stroke-linecap:round;stroke-opacity:.7}"
         ".k{fill:#345c94;fill-opacity:.05;stroke:#345c94;stroke-opacity:.22;fill-rule:evenodd}"
         "@media(prefers-color-scheme:dark){svg{background:#12161c;color:#e4e8ee}"
         ".n{stroke:#12161c}.k{fill:#84a4d6;stroke:#96b4e2}.c{stroke:#6ea2ff}.b{fill:#6ea2ff}.d{fill:#ff7d68}"
         ".l{stroke:#ff7d68}"
         "}"
         "</style>\n" +
         words(kLeft, 28, "t", text.title) + body + "</svg>\n";
}

/// Round numbers that cover low..high: 1, 2 or 5 times a power of ten apart, about `most` of them.
std::vector<double> ticks(double low, double high, int most) {
  const double rough = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
  std::vector<double> out;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    out.push_back(i == 0 ? 0 : i * step);
    if (out.size() > 50) break;
  }
  return out;
}

/// A straight line from numbers to places; of equal numbers all lie in the middle.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  static Scale over(double low, double high, double from, double to) {
    if (!(low < high)) {
      const double room = low == 0 ? 0.5 : std::abs(low) / 2;
      return {low - room, low + room, from, to};
    }
    return {low, high, from, to};
  }
  double operator()(double v) const { return from + (v - low) / (high - low) * (to - from); }
};

std::string x_axis(const Scale& x, double y, double top, const std::string& label) {
  std::string out = line(kLeft, y, kWidth - kRight, y, "a");
  for (const double v : ticks(x.low, x.high, 10))
    out += line(x(v), top, x(v), y, "g") + words(x(v), y + 17, "m", number(v));
  return out + words(kLeft + kInner / 2, y + 36, "m", label);
}

std::string named_axis(const Scale& x, double y, double top, const PlotText& text) {
  std::string out = line(kLeft, y, kWidth - kRight, y, "a");
  double free = 0;  // from where on there is room for a name
  for (const auto& [place, name] : text.x_names) {
    const double half = text_width(name) * 12 / 2, middle = x(place);
    if (middle - half < free || middle + half > kWidth) continue;
    out += line(middle, top, middle, y, "g") + words(middle, y + 17, "m", name);
    free = middle + half + 10;
  }
  return out + words(kLeft + kInner / 2, y + 36, "m", text.x_label);
}

std::string y_axis(const Scale& y, int most) {
  std::string out;
  for (const double v : ticks(y.low, y.high, most))
    out += line(kLeft, y(v), kWidth - kRight, y(v), "g") + words(kLeft - 8, y(v) + 4, "e", number(v));
  return out;
}

struct Range {
  double low = 0, high = 0;
  bool any = false;
  void take(double v) {
    if (!std::isfinite(v)) return;
    low = any ? std::min(low, v) : v;
    high = any ? std::max(high, v) : v;
    any = true;
  }
};

std::string curve_panel(const PlotCurve& curve, const PlotText& text, const Scale& x, double top,
                        double height) {
  Range range;
  for (const double v : curve.y) range.take(v);
  if (range.any && curve.level) range.take(*curve.level);
  std::string out = words(kLeft, top - 6, "", curve.name);
  if (!range.any) return out + words(kLeft + kInner / 2, top + height / 2, "m", "no value");
  const Scale y = Scale::over(range.low, range.high, top + height, top + 4);
  out += y_axis(y, 4) + line(kLeft, top, kLeft, top + height, "a");
  if (curve.level) out += line(kLeft, y(*curve.level), kWidth - kRight, y(*curve.level), "l");
  std::string path;
  bool down = false;
  for (Index i = 0; i < curve.y.size(); ++i) {
    if (!std::isfinite(curve.y[i])) {
      down = false;
      continue;
    }
    path += (down ? "L" : "M") + at(x(curve.x[i])) + " " + at(y(curve.y[i]));
    down = true;
  }
  out += "<path class=\"c\" d=\"" + path + "\"/>\n";
  if (curve.marked && std::isfinite(curve.y[*curve.marked])) {
    const double px = x(curve.x[*curve.marked]), py = y(curve.y[*curve.marked]);
    const auto named =
        std::ranges::find(text.x_names, curve.x[*curve.marked], &std::pair<double, std::string>::first);
    const std::string said = (named == text.x_names.end() ? number(curve.x[*curve.marked]) : named->second) +
                             ": " + number(curve.y[*curve.marked]);
    out +=
        "<circle class=\"d\" cx=\"" + at(px) + "\" cy=\"" + at(py) + "\" r=\"5\"><title>" + said +
        "</title></circle>\n" +
        words(std::clamp(px, kLeft + 40, kWidth - kRight - 40), py < top + 20 ? py + 20 : py - 10, "n", said);
  }
  return out;
}

/// As the page colours its clusters: hues a golden angle apart.
std::string color_of(Index label) {
  const double hue = std::fmod(25 + 137.50776405 * static_cast<double>(label), 360);
  const int lightness = 48 + 6 * static_cast<int>(label % 3);
  return "hsl(" + at(hue) + " 65% " + std::to_string(lightness) + "%)";
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string curves_svg(const PlotText& text, const std::vector<PlotCurve>& curves) {
  constexpr double kPanel = 130, kGap = 34;
  Range range;
  for (const PlotCurve& c : curves) {
    require(c.x.size() == c.y.size() && (!c.marked || *c.marked < c.x.size()), Fault::argument,
            "curve " + c.name + " has " + std::to_string(c.x.size()) + " x and " +
                std::to_string(c.y.size()) + " y");
    for (const double v : c.x) range.take(v);
  }
  const Scale x = Scale::over(range.low, range.high, kLeft, kWidth - kRight);
  std::string body;
  double top = kTop + 14;
  for (const PlotCurve& c : curves) {
    body += curve_panel(c, text, x, top, kPanel);
    top += kPanel + kGap;
  }
  const double bottom = top - kGap;
  const std::string axis =
      text.x_names.empty() ? x_axis(x, bottom, kTop, text.x_label) : named_axis(x, bottom, kTop, text);
  return document(text, bottom + 52, axis + body);
}

std::string bars_svg(const PlotText& text, const std::vector<Bar>& bars) {
  constexpr double kHeight = 280, kBottom = kTop + kHeight;
  double most = 0;
  for (const Bar& b : bars) most = std::max(most, b.value);
  const Scale y = Scale::over(0, most > 0 ? most : 1, kBottom, kTop);
  const double step = kInner / static_cast<double>(std::max<Index>(1, bars.size()));
  std::string body = y_axis(y, 6) + line(kLeft, kBottom, kWidth - kRight, kBottom, "a");
  double free = 0;  // from where on there is room for a name
  for (Index i = 0; i < bars.size(); ++i) {
    const double left = kLeft + step * static_cast<double>(i);
    body += "<rect class=\"b\" x=\"" + at(left + step * 0.08) + "\" y=\"" + at(y(bars[i].value)) +
            "\" width=\"" + at(step * 0.84) + "\" height=\"" + at(kBottom - y(bars[i].value)) + "\"><title>" +
            escaped(bars[i].name) + ": " + number(bars[i].value) + "</title></rect>\n";
    const double half = text_width(bars[i].name) * 12 / 2, middle = left + step / 2;
    if (middle - half < free || middle + half > kWidth) continue;
    body += words(middle, kBottom + 17, "m", bars[i].name);
    free = middle + half + 10;
  }
  body +=
      words(kLeft + kInner / 2, kBottom + 36, "m", text.x_label) + words(kLeft, kTop - 8, "", text.y_label);
  return document(text, kBottom + 52, body);
}

std::string histogram_svg(const PlotText& text, const std::vector<double>& values, Index n_bins) {
  require(n_bins >= 1, Fault::argument, "a histogram needs at least 1 bin");
  constexpr double kBottom = kTop + 280;
  Range range;
  for (const double v : values) range.take(v);
  const Scale x = Scale::over(range.low, range.high, kLeft, kWidth - kRight);
  std::vector<Index> count(n_bins);
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    const double place = (v - x.low) / (x.high - x.low) * static_cast<double>(n_bins);
    ++count[std::min(n_bins - 1, static_cast<Index>(std::max(0.0, place)))];
  }
  const auto most = static_cast<double>(std::ranges::max(count));
  const Scale y = Scale::over(0, std::max(1.0, most), kBottom, kTop);
  std::string body = y_axis(y, 6);
  const double step = kInner / static_cast<double>(n_bins);
  for (Index i = 0; i < n_bins; ++i) {
    const auto rows = static_cast<double>(count[i]);
    const double share = (x.high - x.low) / static_cast<double>(n_bins);
    const double low = x.low + share * static_cast<double>(i);
    body += "<rect class=\"b\" x=\"" + at(kLeft + step * static_cast<double>(i) + 0.5) + "\" y=\"" +
            at(y(rows)) + "\" width=\"" + at(step - 1) + "\" height=\"" + at(kBottom - y(rows)) +
            "\"><title>" + number(low) + " to " + number(low + share) + ": " + std::to_string(count[i]) +
            "</title></rect>\n";
  }
  body += words(kLeft, kTop - 8, "", text.y_label);
  return document(text, kBottom + 52, x_axis(x, kBottom, kTop, text.x_label) + body);
}

namespace {

/// What is taken for something else most often, a line each.
std::vector<std::string> worst_confusions(const std::vector<std::vector<Index>>& counts,
                                          const std::vector<std::string>& names) {
  constexpr Index kMost = 8;
  struct Pair {
    Index count, is, said;
  };
  std::vector<Pair> pairs;
  for (Index i = 0; i < counts.size(); ++i)
    for (Index j = 0; j < counts.size(); ++j)
      if (i != j && counts[i][j] > 0) pairs.push_back({counts[i][j], i, j});
  std::ranges::stable_sort(pairs, std::greater{}, &Pair::count);
  if (pairs.size() > kMost) pairs.resize(kMost);
  std::vector<std::string> out;
  for (const Pair& p : pairs)
    out.push_back(names[p.is] + " taken for " + names[p.said] + ": " + std::to_string(p.count) + " of " +
                  std::to_string(std::accumulate(counts[p.is].begin(), counts[p.is].end(), Index{0})));
  return out;
}

}  // namespace

std::string confusion_svg(const PlotText& text, const std::vector<std::vector<Index>>& counts,
                          const std::vector<std::string>& names) {
  constexpr double kNameRoom = 180, kMostNames = 45, kLine = 18;
  const Index n = names.size();
  const bool named = static_cast<double>(n) <= kMostNames;
  const double room = named ? kNameRoom : 0, side = named ? 560 : 720, left = room + kLeft,
               step = side / static_cast<double>(std::max<Index>(1, n));
  require(counts.size() == n, Fault::argument, "a confusion matrix needs a row for each name");
  // A name that is longer than its room is cut.
  const auto short_name = [&](const std::string& name) {
    std::string out = name;
    while (!out.empty() && text_width(out) * 12 > kNameRoom + 30) {
      do out.pop_back();
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80);
    }
    return out.size() < name.size() ? out + ".." : out;
  };
  double longest = 0;  // names stand at 60 degrees below the columns
  for (const std::string& name : names) longest = std::max(longest, text_width(short_name(name)) * 12);
  const double under = kTop + side + 28 + (named ? longest * std::sqrt(3) / 2 : 0);
  std::string body = words(left, kTop - 6, "", "rows: " + text.y_label + ", columns: " + text.x_label) +
                     "<rect class=\"a\" x=\"" + at(left) + "\" y=\"" + at(kTop) + "\" width=\"" + at(side) +
                     "\" height=\"" + at(side) + "\"/>\n";
  for (Index i = 0; i < n; ++i) {
    require(counts[i].size() == n, Fault::argument, "a confusion matrix needs a column for each name");
    const Index all = std::accumulate(counts[i].begin(), counts[i].end(), Index{0});
    const double top = kTop + step * static_cast<double>(i);
    if (named) {
      body += words(left - 8, top + step / 2 + 4, "e", short_name(names[i]));
      const double x = left + step * (static_cast<double>(i) + 0.5) + 4, y = kTop + side + 10;
      body += "<text class=\"e\" transform=\"translate(" + at(x) + " " + at(y) + ") rotate(-60)\">" +
              escaped(short_name(names[i])) + "</text>\n";
    }
    for (Index j = 0; j < n; ++j) {
      if (counts[i][j] == 0) continue;
      const double share = static_cast<double>(counts[i][j]) / static_cast<double>(all);
      body += "<rect class=\"" + std::string(i == j ? "b" : "d") + "\" fill-opacity=\"" +
              rounded(0.08 + 0.92 * share, "%.2f") + "\" x=\"" + at(left + step * static_cast<double>(j)) +
              "\" y=\"" + at(top) + "\" width=\"" + at(step) + "\" height=\"" + at(step) + "\"><title>" +
              escaped(names[i]) + ", said " + escaped(names[j]) + ": " + std::to_string(counts[i][j]) +
              " of " + std::to_string(all) + "</title></rect>\n";
      if (step >= 22)
        body += words(left + step * (static_cast<double>(j) + 0.5), top + step / 2 + 4, "n",
                      std::to_string(counts[i][j]));
    }
  }
  double y = under;
  for (const std::string& worst : worst_confusions(counts, names))
    body += words(kLeft, y, "", worst), y += kLine;
  return document(text, y + 4, body);
}

std::string reliability_svg(const PlotText& text, const std::vector<SurePoint>& points) {
  constexpr double kSide = 480;
  const Scale x{0, 1, kLeft, kLeft + kSide}, y{0, 1, kTop + kSide, kTop};
  Index most = 1;
  for (const SurePoint& p : points) most = std::max(most, p.count);
  std::string body = line(kLeft, kTop, kLeft, kTop + kSide, "a") +
                     line(kLeft, kTop + kSide, kLeft + kSide, kTop + kSide, "a") +
                     line(x(0), y(0), x(1), y(1), "a");
  for (const double v : ticks(0, 1, 5))
    body += line(x(v), kTop, x(v), kTop + kSide, "g") + line(kLeft, y(v), kLeft + kSide, y(v), "g") +
            words(x(v), kTop + kSide + 17, "m", number(v)) + words(kLeft - 8, y(v) + 4, "e", number(v));
  std::string path;
  for (const SurePoint& p : points) {
    if (p.count == 0) continue;
    path += (path.empty() ? "M" : "L") + at(x(p.sure)) + " " + at(y(p.right));
    body += line(x(p.sure), y(p.low), x(p.sure), y(p.high), "a");
  }
  if (!path.empty()) body += "<path class=\"c\" d=\"" + path + "\"/>\n";
  for (const SurePoint& p : points) {
    if (p.count == 0) continue;
    const double radius = 3 + 9 * std::sqrt(static_cast<double>(p.count) / static_cast<double>(most));
    body += "<circle class=\"b\" fill-opacity=\"0.7\" cx=\"" + at(x(p.sure)) + "\" cy=\"" + at(y(p.right)) +
            "\" r=\"" + at(radius) + "\"><title>says " + number(p.sure) + ", right " + number(p.right) +
            " (" + number(p.low) + " to " + number(p.high) + ") of " + std::to_string(p.count) +
            "</title></circle>\n";
  }
  body += words(kLeft + kSide / 2, kTop + kSide + 36, "m", text.x_label) +
          words(kLeft, kTop - 8, "", text.y_label);
  return document(text, kTop + kSide + 52, body);
}

std::string scatter_svg(const PlotText& text, MatrixView points, const Labels& labels,
                        const std::vector<std::string>& names, const std::string& grey) {
  constexpr double kSide = 760, kEdge = (kWidth - kSide) / 2, kCovered = 0.18;
  const auto places = densest_places(points, labels, map_box(points), 64);
  // One unit is equally long on both axes: distances on the map are to be compared.
  const MapDrawing map(points, {kEdge, kTop, kEdge + kSide, kTop + kSide});
  const auto name_of = [&](Index c) { return c < names.size() ? names[c] : std::to_string(c); };
  std::vector<std::string> colors, titles;
  for (Index c = 0; c < labels.count; ++c) {
    colors.push_back(color_of(c));
    titles.push_back(name_of(c));
  }
  const std::vector<Index> rows = label_sizes(labels);
  std::vector<Index> order(labels.count);
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, std::greater{}, [&](Index c) { return rows[c]; });
  std::vector<NameToPlace> wanted;
  for (const Index c : order)
    if (rows[c] > 0) wanted.push_back({name_of(c), map.x(places[c].x), map.y(places[c].y), 12.5, 15});
  std::string body = map.density() + map.dots(labels, colors, titles, grey);
  for (const PlacedName& name : arrange_names(wanted, map.frame, kCovered))
    body += MapDrawing::text(name, "n", "");
  const Index outside = map.hidden();
  if (outside > 0)
    body += words(kEdge, kTop + kSide + 18, "",
                  std::to_string(outside) + " of " + std::to_string(points.rows) +
                      " rows lie further out and are not shown");
  return document(text, kTop + kSide + (outside > 0 ? 30 : 20), body);
}

}  // namespace shoal
