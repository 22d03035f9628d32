#include "shoal/classify/split.h"

#include <algorithm>
#include <string>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {

std::vector<std::uint32_t> stratified_folds(const Labels& labels, Index n_folds, Seed seed) {
  const Index rows = labels.of.size();
  check_labels(labels, rows);
  if (n_folds < 2 || n_folds > rows)
    throw Error(Fault::argument, "n_folds is " + std::to_string(n_folds) + "; allowed: 2.." +
                                     std::to_string(rows) + ", the number of rows");
  const Random random(seed);
  std::vector<std::vector<std::pair<std::uint64_t, Index>>> members(labels.count + 1);  // the first: kNoise
  for (Index i = 0; i < rows; ++i)
    members[static_cast<Index>(labels.of[i] + 1)].emplace_back(random.bits(i), i);
  std::vector<std::uint32_t> folds(rows);
  Index dealt = 0;  // goes on from class to class, so that folds are of one size
  for (auto& of_class : members) {
    std::ranges::sort(of_class);
    for (const auto& [draw, row] : of_class) folds[row] = static_cast<std::uint32_t>(dealt++ % n_folds);
  }
  return folds;
}

}  // namespace shoal
