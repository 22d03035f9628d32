#pragma once

#include <cstdint>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/random.h"

namespace shoal {

/// The fold, 0..n_folds-1, of each row: every class is dealt out evenly, in an order drawn from the seed, so
/// folds differ by at most one row a class. Rows labelled kNoise are dealt out as a class of their own.
/// Error(argument) unless 2 <= n_folds <= rows.
std::vector<std::uint32_t> stratified_folds(const Labels& labels, Index n_folds, Seed seed);

}  // namespace shoal
