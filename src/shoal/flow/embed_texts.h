#pragma once

#include <functional>
#include <vector>

#include "shoal/core/rows.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Vectors of texts, a row each. A function that returns a Matrix fits too.
using EmbedTexts = std::function<Rows(const Texts& texts)>;

/// Scores of pairs of texts, as a cross-encoder gives: of first[i] and second[i]; more is better.
using ScorePairs = std::function<std::vector<float>(const Texts& first, const Texts& second)>;

}  // namespace shoal
