#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "shoal/adapt/guard_impl.h"
#include "shoal/core/random.h"

namespace shoal {

std::vector<Index> some_of(const std::vector<Index>& rows, Index most, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < rows.size(); ++i) drawn.emplace_back(random.bits(i), rows[i]);
  std::ranges::sort(drawn);
  if (drawn.size() > most) drawn.resize(most);
  std::vector<Index> out;
  for (const auto& [draw, row] : drawn) out.push_back(row);
  std::ranges::sort(out);
  return out;
}

std::vector<Index> all_rows(Index n) {
  std::vector<Index> out(n);
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

std::vector<Index> best_rows(const std::vector<float>& score, Index n) {
  std::vector<Index> order = all_rows(score.size());
  n = std::min(n, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(n), [&](Index a, Index b) {
    return score[a] != score[b] ? score[a] > score[b] : a < b;
  });
  order.resize(n);
  return order;
}

HeldOutGain grouped_gain(const std::vector<Label>& group, const std::vector<double>& before,
                         const std::vector<double>& after) {
  HeldOutGain out{.n = group.size()};
  if (group.empty()) return out;
  const auto n = static_cast<double>(group.size());
  Label most = 0;
  for (const Label g : group) most = std::max(most, g);
  std::vector<double> sum(static_cast<Index>(most) + 1), count(sum.size());
  for (Index i = 0; i < group.size(); ++i) {
    out.before += before[i] / n;
    out.after += after[i] / n;
    sum[static_cast<Index>(group[i])] += after[i] - before[i];
    count[static_cast<Index>(group[i])] += 1;
  }
  out.gain = out.after - out.before;
  double squares = 0, groups = 0;
  for (Index g = 0; g < sum.size(); ++g) {
    if (count[g] == 0) continue;
    const double off = sum[g] - out.gain * count[g];
    squares += off * off;
    groups += 1;
  }
  out.error = groups > 1 ? std::sqrt(squares * groups / (groups - 1)) / n : 1;
  return out;
}

}  // namespace shoal
