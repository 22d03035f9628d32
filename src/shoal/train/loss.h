#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

/// What a loss is told of a batch: the vectors of its texts, column by column, and what is known of the rows.
struct LossBatch {
  /// Each rows x dims: sentence1, sentence2; anchor, positive, negative...; or text alone.
  std::vector<MatrixView> columns;
  /// rows x whatever the loss needs: a score or label a row, a teacher's vectors or similarities. Labels are
  /// whole numbers. Empty (0 x 0): the loss needs none.
  MatrixView targets{};

  Index rows() const { return columns.empty() ? 0 : columns.front().rows; }
};

}  // namespace shoal
