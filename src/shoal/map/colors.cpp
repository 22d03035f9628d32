#include "shoal/map/colors.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <numeric>

namespace shoal {
namespace {

std::array<double, 3> linear(double l, double c, double h) {
  const double a = c * std::cos(h), b = c * std::sin(h);
  const double cube[] = {l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b,
                         l - 0.0894841775 * a - 1.291485548 * b};
  const double lms[] = {cube[0] * cube[0] * cube[0], cube[1] * cube[1] * cube[1],
                        cube[2] * cube[2] * cube[2]};
  return {4.0767416621 * lms[0] - 3.3077115913 * lms[1] + 0.2309699292 * lms[2],
          -1.2684380046 * lms[0] + 2.6097574011 * lms[1] - 0.3413193965 * lms[2],
          -0.0041960863 * lms[0] - 0.7034186147 * lms[1] + 1.707614701 * lms[2]};
}

int byte_of(double v) {
  v = std::clamp(v, 0.0, 1.0);
  const double bent = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
  return static_cast<int>(std::floor(255 * bent + 0.5));
}

}  // namespace

Rgb oklch(double lightness, double chroma, double hue) {
  for (double c = chroma;; c -= 0.005) {
    const auto rgb = linear(lightness, std::max(0.0, c), hue * std::numbers::pi / 180);
    const bool exists = std::ranges::all_of(rgb, [](double v) { return v > -1e-4 && v < 1 + 1e-4; });
    if (c <= 0 || exists) return {byte_of(rgb[0]), byte_of(rgb[1]), byte_of(rgb[2])};
  }
}

std::vector<Rgb> cluster_colors(const std::vector<Place>& places, const std::vector<Index>& sizes,
                                const Place& middle, bool dark) {
  std::vector<double> angle, room;
  for (const Place& p : places) angle.push_back(std::atan2(double{p.y} - middle.y, double{p.x} - middle.x));
  for (const Index size : sizes) room.push_back(std::sqrt(static_cast<double>(std::max<Index>(1, size))));
  std::vector<Index> order(places.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return angle[i]; });
  double total = 0, before = 0;
  for (const double r : room) total += r;
  std::vector<Rgb> colors(places.size());
  constexpr double kSteps[] = {0, 0.085, -0.06};
  for (Index rank = 0; rank < order.size(); ++rank) {
    const Index i = order[rank];
    const double hue = (before + room[i] / 2) / total * 360 + 20;
    before += room[i];
    const double step = kSteps[rank % 3];
    colors[i] = dark ? oklch(0.76 + step, 0.14, hue) : oklch(0.61 + step, 0.16, hue);
  }
  return colors;
}

Rgb ink(const Rgb& color, bool dark) {
  const double to = dark ? 255 : 0, share = dark ? 0.45 : 0.5;
  Rgb out;
  for (Index i = 0; i < 3; ++i)
    out[i] = static_cast<int>(std::floor(color[i] + (to - color[i]) * share + 0.5));
  return out;
}

std::string hex(const Rgb& color) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "#%02x%02x%02x", static_cast<unsigned>(color[0] & 255),
                static_cast<unsigned>(color[1] & 255), static_cast<unsigned>(color[2] & 255));
  return buffer;
}

}  // namespace shoal
