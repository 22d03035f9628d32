#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

/// How alike two vectors are said to be. Of distances the negative counts, so that more is always nearer.
enum class Similarity : std::uint8_t { cosine, dot, manhattan, euclidean };
constexpr auto names_of(Similarity) { return std::array{"cosine", "dot", "manhattan", "euclidean"}; }

/// Of row i of `a` and row i of `b`, for each i: summed in double in the order of the columns, then rounded
/// to float, so that equal rows have a cosine of exactly 1. The cosine with a row of zeros is 0.
/// Error(argument) unless both have the same shape.
std::vector<double> pair_similarities(MatrixView a, MatrixView b, Similarity by, const Run& run = {});

}  // namespace shoal
