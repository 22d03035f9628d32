#pragma once

#include <filesystem>

#include "shoal/store/collection/collection.h"

namespace shoal {

/// Where the collection is built that will replace the one at `out`: beside it, as `.NAME.new`.
std::filesystem::path place_beside(const std::filesystem::path& out);

/// Brings back what a replacement that was killed has left between its two renames. To be called before
/// `out` is looked at.
void mend_replacement(const std::filesystem::path& out);

/// Makes `.NAME.new` beside the collection `old`. What a killed run has left there is gone then.
Collection create_beside(const Collection& old);

/// Gives `fresh` the place of `old`, whose files are removed then. Files that are not shoal's stay under
/// their names.
void replace(Collection& fresh, Collection old);

/// Removes what shoal has written into the collection's folder, and the folder if nothing else is in it. What
/// cannot be removed stays.
void remove_collection(const std::filesystem::path& folder);

}  // namespace shoal
