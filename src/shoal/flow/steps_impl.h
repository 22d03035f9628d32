#pragma once

#include <array>
#include <string>
#include <string_view>

namespace shoal {

/// A step of `map`, and the files that it leaves in the collection.
struct MapStep {
  std::string_view name;
  std::array<std::string_view, 2> files;  ///< empty where there are fewer
};

// In order: what comes after a step that is done anew is due again, save that clusters do not hang on the
// layout: both follow PCA, and the page needs both.
inline constexpr MapStep kSteps[] = {{"embed", {"vectors.safetensors"}},
                                     {"pca", {"pca.safetensors", "reduced.safetensors"}},
                                     {"layout", {"umap.safetensors"}},
                                     {"cluster", {"clusters.safetensors", "report.json"}},
                                     {"explain", {}},
                                     {"page", {"map.html"}}};

/// Under what the manifest has the SHA-256 of a file of a finished step; empty or absent: it is not finished.
inline std::string checksum_key(std::string_view file) { return "sha256 " + std::string(file); }

}  // namespace shoal
