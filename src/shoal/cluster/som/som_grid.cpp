#include <cmath>

#include "shoal/cluster/som/som_grid_impl.h"

namespace shoal {

double SomGrid::down(Index unit) const {
  const auto row = static_cast<double>(unit / cols_);
  return topology_ == SomTopology::hexagonal ? row * std::sqrt(0.75) : row;
}

double SomGrid::across(Index unit) const {
  const bool shifted = topology_ == SomTopology::hexagonal && unit / cols_ % 2 == 1;
  return static_cast<double>(unit % cols_) + (shifted ? 0.5 : 0);
}

double SomGrid::square(Index a, Index b) const {
  const double y = down(a) - down(b), x = across(a) - across(b);
  return y * y + x * x;
}

bool SomGrid::adjacent(Index a, Index b) const {
  const double most =
      topology_ == SomTopology::hexagonal ? 1.01 : 2.01;  // between this and the next distance
  return a != b && square(a, b) <= most;
}

}  // namespace shoal
