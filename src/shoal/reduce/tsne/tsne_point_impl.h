#pragma once

namespace shoal {

/// A place on a t-SNE map, or a force there.
struct MapPoint {
  float x = 0, y = 0;
};

}  // namespace shoal
