#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "session.h"
#include "shoal/flow/find_clusters.h"

namespace shoal::cli {

/// How clusters are to be looked for, as it was typed.
struct ClusteringFlags {
  std::string method = "spherical_kmeans", clusters;
  ClusteringOptions given;                      ///< its criterion and resamples
  std::map<std::string, std::string> settings;  ///< options of methods by name
};

/// --method, --clusters, --criterion, --resamples and a flag for each option of any method. `default_number`
/// says what holds without --clusters.
void add_clustering(CLI::App& verb, Session& session, ClusteringFlags& flags,
                    const std::string& default_number);
/// What was given, over what `options` holds. Error(argument) naming the flag.
void take_clustering(const CLI::App& verb, const ClusteringFlags& flags, ClusteringOptions& options);

/// The number and why, the measures and the stability of a report: the content of report.json.
std::string findings_in_words(const nlohmann::ordered_json& report);

/// A whole number in decimal digits.
std::optional<Index> whole(std::string_view text);

}  // namespace shoal::cli
