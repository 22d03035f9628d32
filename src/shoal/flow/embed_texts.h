#pragma once

#include <functional>

#include "shoal/core/rows.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Vectors of texts, a row each. A function that returns a Matrix fits too.
using EmbedTexts = std::function<Rows(const Texts& texts)>;

}  // namespace shoal
