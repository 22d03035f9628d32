#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/adapt/feedback.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

/// What a map of pairs learns from.
enum class PairLoss : std::uint8_t {
  cosine,      ///< (cos - y)^2, y = 1 for accepted pairs and 0 for rejected ones
  contrastive  ///< y e^2 + (1 - y) max(0, 1 - e)^2, e the Euclidean distance (Hadsell, Chopra, LeCun 2006)
};
constexpr auto names_of(PairLoss) { return std::array{"cosine", "contrastive"}; }

/// W of a map x -> x + W x, d x d, from W = 0 by AdamW (rate 5e-4, decay 1e-3, batches of 64; 30 epochs, 15
/// from 1000 pairs). texts: rows of length 1. Error(data) unless there are accepted and rejected pairs.
/// O(pairs epochs d^2).
Matrix learn_pair_map(MatrixView texts, const std::vector<JudgedPair>& pairs, PairLoss loss, Seed seed,
                      const Run& run);

/// The best approximation of rank `rank` (Eckart and Young 1936): left (d x rank), right (rank x d).
struct LowRank {
  Matrix left, right;
};
LowRank low_rank(const Matrix& w, Index rank);

/// Ridge regression of the centred one-hot labels: labels.count x d, the rows B of
/// min |X B' - Y|^2 + lambda |B|^2, by Cholesky. x: rows of length 1; kNoise left out. O(n d^2 + d^3).
Matrix label_map(MatrixView x, const Labels& labels, double lambda);

}  // namespace shoal
