#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "shoal/learn/learn.h"
#include "shoal/train/trainer.h"

namespace shoal {

// What training an encoder and training a cross-encoder have in common.

/// The parts that the options name do not learn from now on; returns how many parameters that are.
/// Error(argument) for more layers than there are, and if nothing is left that learns.
Index freeze_parts(Parameters& parameters, const TrainOptions& options, Index layers);

/// The rows of these batches as people know them: "rows 17, 23 of pairs.csv".
struct RowNames {
  const std::string& set;
  const std::vector<Index>& numbers;  ///< of each row in its file; empty: 1, 2, 3...
};
std::string name_rows(const std::vector<Batch>& batches, const std::function<RowNames(Index set)>& names);

/// Seconds that `n_epochs` of such batches will take, from the first few: `attempt` does all that a step
/// takes, and undoes it.
double whole_seconds(const std::vector<Batch>& batches, Index n_epochs,
                     const std::function<Index(const Batch& batch)>& tokens_of,
                     const std::function<void(const Batch& batch)>& attempt);

}  // namespace shoal
