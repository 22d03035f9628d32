#include "shoal/watch/identities.h"

#include <cstdint>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/matrix.h"
#include "shoal/measure/assignment.h"

namespace shoal {
namespace {

constexpr double kPart = 0.25;    // of a cluster's rows that make a part of it
constexpr double kOverlap = 0.1;  // rows in both of two / in either, from which one goes on the other

}  // namespace

ClusterMatch match_clusters(const Labels& before, const Labels& now) {
  require(before.of.size() == now.of.size(), Fault::data,
          "there are " + std::to_string(before.of.size()) + " labels from before and " +
              std::to_string(now.of.size()) + " now");
  check_labels(before, now.of.size());
  check_labels(now, now.of.size());
  Matrix both(now.count, before.count);
  std::vector<double> of_old(before.count), of_new(now.count);
  for (Index i = 0; i < now.of.size(); ++i) {
    if (now.of[i] == kNoise || before.of[i] == kNoise) continue;
    const auto n = static_cast<Index>(now.of[i]), o = static_cast<Index>(before.of[i]);
    ++both[n][o];
    ++of_old[o], ++of_new[n];
  }
  const auto overlap = [&](Index n, Index o) {
    const double in_both = static_cast<double>(both[n][o]);
    const double either = of_new[n] + of_old[o] - in_both;
    return either > 0 ? in_both / either : 0;
  };
  ClusterMatch out;
  out.goes_on.resize(now.count);
  out.kept.resize(now.count);
  std::vector<std::uint8_t> taken(before.count);
  const auto best = before.count > 0 && now.count > 0 ? best_assignment(both.view())
                                                      : std::vector<std::optional<Index>>(now.count);
  for (Index n = 0; n < now.count; ++n) {
    if (!best[n] || overlap(n, *best[n]) < kOverlap) continue;
    out.goes_on[n] = static_cast<Label>(*best[n]);
    out.kept[n] = overlap(n, *best[n]);
    taken[*best[n]] = 1;
  }
  for (Index o = 0; o < before.count; ++o) {
    std::vector<Label> parts;
    for (Index n = 0; n < now.count; ++n)
      if (of_old[o] > 0 && static_cast<double>(both[n][o]) >= kPart * of_old[o])
        parts.push_back(static_cast<Label>(n));
    if (parts.size() >= 2) out.splits.emplace_back(static_cast<Label>(o), parts);
    if (!taken[o]) out.died.push_back(static_cast<Label>(o));
  }
  for (Index n = 0; n < now.count; ++n) {
    std::vector<Label> parts;
    for (Index o = 0; o < before.count; ++o)
      if (of_new[n] > 0 && static_cast<double>(both[n][o]) >= kPart * of_new[n])
        parts.push_back(static_cast<Label>(o));
    if (parts.size() >= 2) out.merges.emplace_back(static_cast<Label>(n), parts);
  }
  return out;
}

std::vector<Label> numbers_kept(const ClusterMatch& match) {
  const Index n = match.goes_on.size();
  std::vector<Label> out(n, kNoise);
  std::vector<std::uint8_t> taken(n);
  for (Index c = 0; c < n; ++c)
    if (match.goes_on[c] && static_cast<Index>(*match.goes_on[c]) < n)
      out[c] = *match.goes_on[c], taken[static_cast<Index>(out[c])] = 1;
  Index next = 0;
  for (const bool going_on : {true, false})
    for (Index c = 0; c < n; ++c) {
      if (out[c] != kNoise || match.goes_on[c].has_value() != going_on) continue;
      while (taken[next]) ++next;
      out[c] = static_cast<Label>(next++);
    }
  return out;
}

}  // namespace shoal
