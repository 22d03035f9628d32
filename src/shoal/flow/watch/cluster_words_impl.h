#pragma once

#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"

namespace shoal {

/// What each cluster is called, by the words of its texts; `unnamed` and its number where there are no texts,
/// or no telling words.
std::vector<std::string> words_of_clusters(const Labels& labels, const Texts& texts,
                                           const std::string& unnamed, const Run& run);

}  // namespace shoal
