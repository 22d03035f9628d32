#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shoal/adapt/profile.h"
#include "shoal/adapt/space_map.h"
#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// How the index of a collection that `map` makes keeps words and is asked for them: index_form and
/// index_query.
IndexWords words_of_index();

struct SearchOptions {
  Index top = 10;                  ///< hits wanted, >= 1
  std::optional<Label> cluster;    ///< only rows of this cluster
  std::optional<float> threshold;  ///< only hits of at least this cosine
  std::string group;  ///< of the question, where the map is neutral to groups; empty: by its language
};
template <class V>
void fields(SearchOptions& o, V&& visit) {
  visit("top", o.top, "hits wanted", at_least(1));
  visit("cluster", o.cluster, "only texts of this cluster", between(0, std::numeric_limits<Label>::max()));
  visit("threshold", o.threshold, "only hits of at least this cosine", between(-1, 1));
  visit("group", o.group,
        "the question's group (a language, a source), if the map was made neutral to it. Default: by its "
        "language");
}

struct SearchHit {
  Index row = 0;
  float score = 0;  ///< cosine; 0 from search_words
  Label cluster = kNoise;
  std::string cluster_name;
  std::string text;
};

/// The rows whose texts mean most nearly what `question` says, best first, ties by row: exact, O(rows x
/// dims). profiles: in whose order the hits stand (of several all that they add is added); the score of a hit
/// is the cosine still. through: the encoder is a newer one, whose vectors it maps into the collection's
/// space. Error(argument) unless the encoder is the one that made the collection; Error(data) if it does not
/// have a vector for each row yet.
std::vector<SearchHit> search(const Collection& collection, const Encoder& encoder,
                              const std::string& question, const SearchOptions& options, const Run& run,
                              const std::vector<Profile>& profiles = {},
                              const std::optional<SpaceMap>& through = {});

/// The rows that hold all of `words`, from the full-text index, best first by BM25, ties by row; words as
/// visit_words finds them, compared by search_form. An index of shoal 0.2 is asked as it was then.
/// Error(argument) if a threshold is given; Error(data) if there is no index yet.
std::vector<SearchHit> search_words(const Collection& collection, const std::string& words,
                                    const SearchOptions& options);

}  // namespace shoal
