#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shoal {

/// How far apart two rows are.
enum class Metric : std::uint8_t { cosine, euclidean };
const char* name_of(Metric m);
std::optional<Metric> metric_named(std::string_view name);

}  // namespace shoal
