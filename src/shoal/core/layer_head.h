#pragma once

namespace shoal {

/// One attention head of a transformer, or the mean over the heads of a layer. Both count from 0.
struct LayerHead {
  int layer = 0;
  int head = -1;  ///< -1: the mean over all heads of the layer
  friend bool operator==(const LayerHead&, const LayerHead&) = default;
};

}  // namespace shoal
