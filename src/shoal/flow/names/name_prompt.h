#pragma once

#include <string>
#include <string_view>

#include "shoal/flow/names/explain.h"

namespace shoal {

/// What is asked of a language model for the name of a cluster: the JSON body of an OpenAI-style chat
/// completion. It holds the cluster's words and phrases and its typical texts, each cut to 300 bytes, and
/// nothing else of the collection. `model` may be empty: then none is named.
std::string name_request(const ClusterExplanation& cluster, const std::string& model);

/// The name in the JSON that comes back: the first line of the first choice's content, without quotes around
/// it, at most 80 bytes, without control characters and marks of direction. Error(format) if there is none.
std::string name_in_reply(std::string_view reply);

}  // namespace shoal
