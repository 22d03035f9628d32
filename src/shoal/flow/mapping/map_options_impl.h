#pragma once

#include <string>

#include "shoal/flow/mapping/make_map.h"

namespace shoal {

/// The options that later runs on the collection take over, as JSON for its manifest: all but inputs, out,
/// overwrite and read.
std::string options_text(const MapOptions& options);

}  // namespace shoal
