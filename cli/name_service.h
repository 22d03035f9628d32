#pragma once

#include <string>
#include <vector>

#include "http.h"
#include "shoal/flow/names/explain.h"

namespace shoal::cli {

/// A server with an OpenAI-style interface that the user gave to write names of clusters.
struct NameService {
  std::string url;      ///< of the interface ("http://localhost:11434/v1") or of its chat/completions
  std::string model;    ///< empty: the request names none
  std::string key_env;  ///< environment variable that holds the key; empty: none is sent
};

/// What is sent for a cluster, but for the key: in its place stands the variable's name.
HttpPost name_post(const NameService& service, const ClusterExplanation& cluster);

/// Asks for the name of each cluster, one after the other, and puts it into `row.name`. Error(argument) if
/// the variable of the key is empty or no key; else as post and name_in_reply, naming the cluster. Step
/// "names", in clusters.
void ask_names(const NameService& service, std::vector<ClusterExplanation>& clusters, const Run& run);

}  // namespace shoal::cli
