#include "shoal/watch/permutations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

/// n over k, or anything above `most`.
Index choices(Index n, Index k, Index most) {
  k = std::min(k, n - k);
  double out = 1;
  for (Index i = 1; i <= k; ++i) {
    out = out * static_cast<double>(n - k + i) / static_cast<double>(i);
    if (out > static_cast<double>(most) + 0.5) return most + 1;
  }
  return static_cast<Index>(std::llround(out));
}

void add_all(const std::vector<std::uint8_t>& seen, Index on_old, BlockDeals& deals) {
  std::vector<std::uint8_t> deal(seen.size());
  std::fill_n(deal.begin(), on_old, std::uint8_t{1});
  do {
    if (deal != seen) deals.old.insert(deals.old.end(), deal.begin(), deal.end());
  } while (std::ranges::prev_permutation(deal).found);
}

void add_random(Index blocks, Index on_old, Index count, Seed seed, BlockDeals& deals) {
  std::vector<Index> order(blocks);
  for (Index deal = 0; deal < count; ++deal) {
    const Random random(seed.child(deal));
    std::iota(order.begin(), order.end(), Index{0});
    std::vector<std::uint8_t> sides(blocks);
    for (Index i = 0; i < on_old; ++i) {
      std::swap(order[i], order[i + random.below(i, blocks - i)]);
      sides[order[i]] = 1;
    }
    deals.old.insert(deals.old.end(), sides.begin(), sides.end());
  }
}

}  // namespace

BlockDeals deal_blocks(const std::vector<std::uint8_t>& old, Index most, Seed seed) {
  const auto on_old = static_cast<Index>(std::ranges::count(old, 1));
  require(on_old > 0 && on_old < old.size(), Fault::argument, "there must be a block on each side");
  require(most >= 1, Fault::argument, "there must be at least one permutation");
  BlockDeals out;
  out.blocks = old.size();
  const Index all = choices(old.size(), on_old, most + 1);
  out.exact = all <= most + 1;
  out.count = out.exact ? all : most + 1;
  out.old.reserve(out.count * out.blocks);
  out.old = old;
  out.exact ? add_all(old, on_old, out) : add_random(old.size(), on_old, most, seed, out);
  const bool mirrored = out.exact && 2 * on_old == old.size();
  out.smallest_p = (mirrored ? 2.0 : 1.0) / static_cast<double>(out.count);
  return out;
}

std::vector<double> permutation_p_values(const std::vector<double>& statistics) {
  std::vector<double> sorted = statistics;
  std::ranges::sort(sorted);
  double largest = 0;
  for (const double s : statistics) largest = std::max(largest, std::abs(s));
  const double equal = 1e-5 * largest;
  std::vector<double> out;
  for (const double s : statistics) {
    const auto at_least = sorted.end() - std::ranges::lower_bound(sorted, s - equal);
    out.push_back(static_cast<double>(at_least) / static_cast<double>(sorted.size()));
  }
  return out;
}

std::vector<double> step_down_p_values(const std::vector<std::vector<double>>& statistics) {
  const Index n = statistics.size(), deals = n == 0 ? 0 : statistics.front().size();
  std::vector<double> scale(n), seen(n), out(n, 1.0);
  for (Index s = 0; s < n; ++s) {
    double squares = 0, sum = 0;
    for (const double v : statistics[s]) sum += v, squares += v * v;
    const auto count = static_cast<double>(deals);
    const bool varies =
        std::ranges::max(statistics[s]) - std::ranges::min(statistics[s]) > 1e-9 * sum / count;
    scale[s] = varies ? 1 / std::sqrt(squares / count) : 0;
    seen[s] = statistics[s].front() * scale[s];
  }
  std::vector<Index> order(n);
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, {}, [&](Index s) { return std::pair(seen[s], s); });
  std::vector<double> largest(deals);
  for (const Index s : order) {  // from the smallest, so that each meets those not larger
    for (Index deal = 0; deal < deals; ++deal)
      largest[deal] = std::max(largest[deal], statistics[s][deal] * scale[s]);
    if (scale[s] == 0) continue;
    const auto as_large = std::ranges::count_if(largest, [&](double v) { return v >= seen[s] * (1 - 1e-5); });
    out[s] = static_cast<double>(as_large) / static_cast<double>(deals);
  }
  double before = 0;  // none is below that of a larger one
  for (Index i = n; i-- > 0;) before = out[order[i]] = std::max(before, out[order[i]]);
  return out;
}

double omnibus_p_value(const std::vector<std::vector<double>>& p_values) {
  if (p_values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> smallest = p_values.front();
  for (const auto& p : p_values)
    for (Index i = 0; i < p.size(); ++i) smallest[i] = std::min(smallest[i], p[i]);
  const double seen = smallest.front() * (1 + 1e-9);
  const auto as_small = std::ranges::count_if(smallest, [&](double p) { return p <= seen; });
  return static_cast<double>(as_small) / static_cast<double>(smallest.size());
}

}  // namespace shoal
