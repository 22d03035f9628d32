#include "shoal/cluster/linkage/dendrogram.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/error.h"

namespace shoal {

Labels Dendrogram::cut(Index n_clusters) const {
  if (n_clusters < 1 || n_clusters > rows)
    throw Error(Fault::argument, option_name("n_clusters") + " is " + std::to_string(n_clusters) +
                                     "; allowed: 1.." + std::to_string(rows) + ", the number of rows");
  const Index made = rows - n_clusters;  // merges that have happened
  // From the last of them down, so that a cluster knows its group before its parts ask for it.
  std::vector<std::uint32_t> group(rows + made);
  for (Index id = 0; id < group.size(); ++id) group[id] = static_cast<std::uint32_t>(id);
  for (Index i = made; i-- > 0;) group[merges[i].first] = group[merges[i].second] = group[rows + i];
  group.resize(rows);
  return number_by_first(group);
}

Index Dendrogram::clusters_at(double height) const {
  const auto higher = std::ranges::find_if(merges, [&](const Merge& m) { return m.height > height; });
  return rows - static_cast<Index>(higher - merges.begin());
}

void Dendrogram::check() const {
  if (merges.size() != (rows == 0 ? 0 : rows - 1))
    throw Error(Fault::data, "a dendrogram of " + std::to_string(rows) + " rows has " +
                                 std::to_string(merges.size()) + " merges");
  std::vector<std::uint32_t> size(rows, 1);  // 0: joined already
  for (Index i = 0; i < merges.size(); ++i) {
    const Merge& m = merges[i];
    const auto free = [&](std::uint32_t id) { return id < size.size() && size[id] != 0; };
    if (!(m.first < m.second) || !free(m.first) || !free(m.second) || std::isnan(m.height) ||
        m.size != size[m.first] + size[m.second])
      throw Error(Fault::data, "merge " + std::to_string(i) + " is not one that a dendrogram can have");
    size[m.first] = size[m.second] = 0;
    size.push_back(m.size);
  }
}

Labels number_by_first(const std::vector<std::uint32_t>& group) {
  Labels labels{std::vector<Label>(group.size(), kNoise)};
  const auto highest = std::ranges::max_element(group);
  std::vector<Label> label(group.empty() ? 0 : Index{*highest} + 1, kNoise);
  for (Index i = 0; i < group.size(); ++i) {
    Label& mine = label[group[i]];
    if (mine == kNoise) mine = static_cast<Label>(labels.count++);
    labels.of[i] = mine;
  }
  return labels;
}

}  // namespace shoal
