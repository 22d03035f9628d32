#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/standardise.h"

namespace shoal {

/// What stands between vectors and a method: nothing, PCA, standardising, or one after the other.
struct Preparation {
  std::optional<Pca> pca;
  std::optional<Standardise> scaler;

  bool empty() const { return !pca && !scaler; }
  /// Name and length of what comes out of vectors of this space.
  Space space_of(const Space& given) const;
  /// Rows as the method sees them. Errors as the stages' transform.
  Matrix transform(const Rows& x, const Run& run) const;

  /// Learns from all rows, read block by block: memory O(d^2). The prepared rows go to the file `prepared`;
  /// there is none if there is nothing to do. Error(data) if PCA finds all rows equal. Steps "PCA" and
  /// "standardise".
  static Preparation fit(const Rows& x, const std::optional<PcaOptions>& pca, bool standardise,
                         const std::filesystem::path& prepared, const Run& run);

  /// As pca.safetensors and standardise.safetensors in a folder.
  void save(const std::filesystem::path& folder) const;
  static Preparation load(const std::filesystem::path& folder, bool pca, bool standardise);
};

/// Before the work: Error(argument) that calls the number `option` and the rows `things`, unless PCA can keep
/// that many components of so many rows.
void check_components(const PcaOptions& pca, std::string_view option, Index rows, Index dims,
                      std::string_view things);

/// Calls each(block, first row) for rows in order, so many at a time that they and their copies are small.
void each_block(const Rows& x, const std::function<void(const Rows& block, Index first)>& each);

}  // namespace shoal
