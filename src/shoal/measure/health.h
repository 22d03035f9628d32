#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// What is seen of a space of vectors by looking at a few texts (or words). All vectors are scaled to length
/// 1 first.
struct Health {
  double mean_cosine = 0;  ///< of all pairs of different texts: 1 is a collapse
  double uniformity = 0;   ///< log mean exp(-2 |a - b|^2) of the same (Wang and Isola 2020): 0 is a collapse
  double effective_rank = 0;  ///< exp of the entropy of the shares of the singular values (Roy and Vetterli
                              ///< 2007), 1 to the number of texts: 1 is a collapse
  double alignment = 0;       ///< mean |a - b|^2 of texts that belong together; 0 if there are none
};

/// vectors: texts x dims, at least two. together: rows that belong together; they are not counted as pairs of
/// different texts. O(texts^2 dims).
Health health_of(MatrixView vectors, std::span<const std::pair<Index, Index>> together = {});

/// Whether the space has come to harm since `before`: more than half of the way to a mean cosine of 1, or an
/// effective rank below a quarter. Says what, with the numbers; empty if all is well. things: what vectors
/// are of, for the message.
std::string harm_of(const Health& before, const Health& now, const std::string& things = "texts");

}  // namespace shoal
