#include "shoal/flow/identities.h"

#include <algorithm>

namespace shoal {
namespace {

std::string named(Label number, const Identities& found) {
  const auto i = static_cast<Index>(number);
  const std::string name = i < found.names_before.size() ? found.names_before[i] : "";
  return std::to_string(number) + (name.empty() ? "" : " (" + name + ")");
}

template <class List, class Say>
std::string listed(const List& list, Index most, const Say& say, const char* between = "; ") {
  std::string out;
  for (Index i = 0; i < std::min<Index>(most, list.size()); ++i)
    out += std::string(i > 0 ? between : "") + say(list[i]);
  return list.size() > most ? out + " and " + std::to_string(list.size() - most) + " more" : out;
}

}  // namespace

Identities keep_identities(const Labels& before, const std::vector<ClusterRecord>& clusters_before,
                           const Labels& now, std::vector<Label>& number) {
  const ClusterMatch match = match_clusters(before, now);
  number = numbers_kept(match);
  Identities out;
  for (const ClusterRecord& cluster : clusters_before) out.names_before.push_back(cluster.name);
  out.names_before.resize(before.count);
  for (Index i = 0; i < now.of.size(); ++i) out.shared_rows += now.of[i] != kNoise && before.of[i] != kNoise;
  std::vector<Index> by_number(now.count);
  for (Index c = 0; c < now.count; ++c) by_number[static_cast<Index>(number[c])] = c;
  for (const Index c : by_number)
    if (const auto o = match.goes_on[c])
      out.goes_on.push_back({number[c], *o, out.names_before[static_cast<Index>(*o)], match.kept[c]});
    else
      out.born.push_back(number[c]);
  const std::vector<Index> sizes = label_sizes(before);
  for (const Label o : match.died)
    out.died.push_back({.id = o,
                        .name = out.names_before[static_cast<Index>(o)],
                        .words = {},
                        .size = sizes[static_cast<Index>(o)],
                        .group = 0,
                        .medoids = {}});
  const auto renumbered = [&](std::vector<Label> labels) {
    for (Label& label : labels) label = number[static_cast<Index>(label)];
    std::ranges::sort(labels);
    return labels;
  };
  for (const auto& [o, parts] : match.splits) out.splits.push_back({o, renumbered(parts)});
  for (const auto& [n, parts] : match.merges) out.merges.push_back({number[static_cast<Index>(n)], parts});
  std::ranges::sort(out.merges, {}, &Parts::cluster);
  return out;
}

std::vector<std::string> identities_in_words(const Identities& found, Index most) {
  std::vector<std::string> out;
  std::vector<GoesOn> moved;
  for (const GoesOn& one : found.goes_on)
    if (one.cluster != one.before) moved.push_back(one);
  out.push_back(std::to_string(found.goes_on.size() - moved.size()) + " of " +
                std::to_string(found.names_before.size()) + " clusters go on under their numbers");
  const auto number = [](Label label) { return std::to_string(label); };
  if (!moved.empty())
    out.push_back("under a new number, as there are fewer now: " +
                  listed(moved, most, [&](const GoesOn& one) {
                    return named(one.before, found) + " is " + std::to_string(one.cluster);
                  }));
  if (!found.splits.empty())
    out.push_back("split: " + listed(found.splits, most, [&](const Parts& split) {
                    return named(split.cluster, found) + " into " + listed(split.of, most, number, ", ");
                  }));
  if (!found.merges.empty())
    out.push_back("merged: " + listed(found.merges, most, [&](const Parts& merge) {
                    return listed(
                               merge.of, most, [&](Label o) { return named(o, found); }, " and ") +
                           " into " + std::to_string(merge.cluster);
                  }));
  if (!found.died.empty())
    out.push_back("died: " +
                  listed(found.died, most, [&](const ClusterRecord& one) { return named(one.id, found); }));
  if (!found.born.empty()) out.push_back("born: " + listed(found.born, most, number));
  return out;
}

}  // namespace shoal
