#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shoal/flow/folders/cluster_vectors.h"

namespace shoal {

/// `format` and `version` of report.json, as `cluster` and `map` write it (docs/report.md).
inline constexpr const char* kClustersFormat = "shoal clusters";
inline constexpr int kClustersVersion = 2;

/// How the JSON file begins that tells of a folder: format, version, made_by.
nlohmann::ordered_json report_head(const char* format, int version);
/// The JSON as it stands in the file.
std::string report_text(const nlohmann::ordered_json& report);

/// null where it is not finite, which JSON cannot say.
nlohmann::ordered_json number_json(const std::optional<double>& v);

/// Options by their names; null for one that is absent.
nlohmann::ordered_json to_json(const std::vector<Field>& fields);

/// All that report.json tells: values for programs, and beside them what people are told, so that the page,
/// report.html and the terminal only draw.
nlohmann::ordered_json report_json(const ClusterReport& report, const ClusterOptions& options);

/// The text of a report.json of this version; empty if there is no such file.
std::string read_report(const std::filesystem::path& path);

}  // namespace shoal
