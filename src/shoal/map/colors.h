#pragma once

#include <array>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/map/place_names.h"

namespace shoal {

using Rgb = std::array<int, 3>;  ///< 0 to 255

/// OKLCH to sRGB (Ottosson 2020); the chroma is lowered until the colour exists on a screen. Hue in degrees.
Rgb oklch(double lightness, double chroma, double hue);

/// Of each cluster, as the page has them (web/src/color.ts): hues by the angle around `middle`, so that
/// neighbours look related; a cluster takes room on the wheel by the root of its size. Places and sizes: one
/// a cluster.
std::vector<Rgb> cluster_colors(const std::vector<Place>& places, const std::vector<Index>& sizes,
                                const Place& middle, bool dark);

/// The same colour for text on the map: darker on light ground, lighter on dark.
Rgb ink(const Rgb& color, bool dark);

/// "#rrggbb"
std::string hex(const Rgb& color);

}  // namespace shoal
