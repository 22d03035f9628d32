#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/store/collection/collection.h"
#include "shoal/watch/identities.h"

namespace shoal {

/// A cluster that goes on an older one.
struct GoesOn {
  Label cluster = 0, before = 0;  ///< its number, and the one that it had
  std::string name_before;
  double kept = 0;  ///< rows in both / rows in either
};

/// An older cluster that several share, or a new one that several went into.
struct Parts {
  Label cluster = 0;
  std::vector<Label> of;  ///< numbers on the other side
};

/// What became of the clusters of an older map in a new one, whose numbers were kept.
struct Identities {
  Index shared_rows = 0;  ///< rows that are in clusters of both
  std::vector<GoesOn> goes_on;
  std::vector<Label> born;
  std::vector<ClusterRecord> died;        ///< by their old numbers; size: rows that are still there
  std::vector<Parts> splits;              ///< an older cluster into new ones
  std::vector<Parts> merges;              ///< a new cluster of older ones
  std::vector<std::string> names_before;  ///< of all older clusters
};

/// Matches `now` with the clusters before, of the same rows, and gives them the numbers that numbers_kept
/// says. number: of each new cluster its number now. Error(data) as match_clusters.
Identities keep_identities(const Labels& before, const std::vector<ClusterRecord>& clusters_before,
                           const Labels& now, std::vector<Label>& number);

/// The same in sentences, at most `most` of each kind of change.
std::vector<std::string> identities_in_words(const Identities& found, Index most);

}  // namespace shoal
