#pragma once

#include <array>
#include <cstddef>

#include "shoal/encode/bert_config.h"

namespace shoal {

/// What the parts of layer i are called after "PREFIX.i.".
struct LayerNames {
  const char* layers;
  std::array<const char*, 3> query_key_value;
  const char *output, *attention_norm, *inner, *outer, *final_norm;
};
LayerNames layer_names(Family family);

/// MPNet's table of what is added to scores by the distance of key and query: kDistanceBuckets x heads.
inline constexpr const char* kRelativeBias = "encoder.relative_attention_bias.weight";
inline constexpr Index kDistanceBuckets = 32;
/// Which of the 32 rows of MPNet's (T5's) bias table belongs to a key `distance` places after its query: one
/// row for each of 8 near distances, then rows that widen by the logarithm up to 128; the second half of the
/// table is for keys behind. floor(log(d / 8) / log(16) * 8) in whole numbers.
Index distance_bucket(std::ptrdiff_t distance);

}  // namespace shoal
