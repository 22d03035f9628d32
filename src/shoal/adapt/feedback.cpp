#include "shoal/adapt/feedback.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "shoal/core/error.h"

namespace shoal {
namespace {

/// Which texts chains of accepted pairs join.
class Chains {
 public:
  explicit Chains(Index rows) : parent_(rows) { std::iota(parent_.begin(), parent_.end(), Index{0}); }
  Index root(Index i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(Index a, Index b) {
    const Index x = root(a), y = root(b);
    parent_[std::max(x, y)] = std::min(x, y);
  }

 private:
  std::vector<Index> parent_;
};

}  // namespace

std::vector<JudgedPair> settle_pairs(const std::vector<JudgedPair>& pairs, Index rows,
                                     FeedbackConflicts& conflicts) {
  conflicts = {};
  std::vector<JudgedPair> sorted;
  for (JudgedPair p : pairs) {
    require(p.a < rows && p.b < rows, Fault::data,
            "the feedback names row " + std::to_string(std::max(p.a, p.b)) + "; there are rows 0.." +
                std::to_string(rows == 0 ? 0 : rows - 1));
    if (p.a == p.b) {
      ++conflicts.with_self;
      continue;
    }
    if (p.a > p.b) std::swap(p.a, p.b);
    sorted.push_back(p);
  }
  std::ranges::sort(sorted, {}, [](const JudgedPair& p) { return std::tuple(p.a, p.b, p.accepted); });
  std::vector<JudgedPair> out;
  for (Index first = 0, last; first < sorted.size(); first = last) {
    Index accepted = 0;
    for (last = first;
         last < sorted.size() && sorted[last].a == sorted[first].a && sorted[last].b == sorted[first].b;
         ++last)
      accepted += sorted[last].accepted;
    const Index rejected = last - first - accepted;
    if (accepted > 0 && rejected > 0 && !conflicts.example) conflicts.example = sorted[first];
    if (accepted == rejected) {
      ++conflicts.undecided;
      continue;
    }
    conflicts.outvoted += std::min(accepted, rejected);
    conflicts.repeated += std::max(accepted, rejected) - 1;
    out.push_back({sorted[first].a, sorted[first].b, accepted > rejected});
  }
  Chains chains(rows);
  for (const JudgedPair& p : out)
    if (p.accepted) chains.join(p.a, p.b);
  for (const JudgedPair& p : out) conflicts.by_chain += !p.accepted && chains.root(p.a) == chains.root(p.b);
  return out;
}

}  // namespace shoal
