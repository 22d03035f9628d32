#pragma once

#include <cstdint>

#include "shoal/core/names.h"

namespace shoal {

/// How far apart two rows are.
enum class Metric : std::uint8_t { cosine, euclidean };
constexpr auto names_of(Metric) { return std::array{"cosine", "euclidean"}; }

}  // namespace shoal
