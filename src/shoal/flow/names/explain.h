#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/explain/exemplars.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

struct ExplainOptions {
  std::optional<CtfidfOptions> words;        ///< count words anew; absent: those that are stored
  Index n_phrases = 0;                       ///< key phrases a cluster; words must be counted anew
  std::optional<ExemplarOptions> exemplars;  ///< choose typical texts anew; absent: those that are stored
};
/// Its own one; those of words and of exemplars have their `fields`.
template <class V>
void fields(ExplainOptions& o, V&& visit) {
  visit("n_phrases", o.n_phrases, "also this many key phrases a cluster: pairs, triples");
}

/// A cluster as people read it.
struct ClusterExplanation {
  ClusterRecord row;  ///< medoids: the rows of `texts`
  std::string group;
  std::vector<std::string> phrases;
  std::vector<std::string> texts;
};

/// All clusters of a collection, by number, with the names of their groups. What is found anew goes nowhere
/// else: the collection stays as it is. Error(data) if it has no clusters yet. Step "explain", in rows, where
/// words are counted.
std::vector<ClusterExplanation> explain_clusters(const Collection& collection, const ExplainOptions& options,
                                                 const Run& run);

/// True if the clusters were looked for, and every row was left in none.
bool found_none(const Collection& collection);

/// The clusters that a finished collection has. Error(data) if there are none yet, Error(format) if they do
/// not fit its labels.
std::vector<ClusterRecord> finished_clusters(const Collection& collection);

}  // namespace shoal
