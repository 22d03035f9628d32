#pragma once

#include <filesystem>

#include "shoal/core/rows.h"

namespace shoal {

/// `x`; where it or `other` does not say which model made it, as a .npy file cannot, declared to be of the
/// same as `other`: then `assumed` becomes true.
Rows in_space_of(const Space& other, Rows x, bool& assumed);

/// The profile through which a folder's vectors were seen.
inline constexpr const char* kProfileFile = "profile.safetensors";
/// Profile::applied, by the profile in `file`, of rows that may not say which model made them. An empty path:
/// the rows as they are.
Rows through_profile(const std::filesystem::path& file, const Rows& x);
/// The profile of a folder of results; an empty path if it has none.
std::filesystem::path profile_in(const std::filesystem::path& folder);
/// Puts the profile in `file` into a folder in the making, if there is one.
void keep_profile(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace shoal
