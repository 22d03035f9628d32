#include "shoal/flow/through_profile.h"

#include "shoal/adapt/profile.h"
#include "shoal/flow/stage_file.h"

namespace shoal {
namespace fs = std::filesystem;

Rows in_space_of(const Space& other, Rows x, bool& assumed) {
  if (x.space().id.empty() == other.id.empty()) return x;
  assumed = true;
  return x.assume_space(other);
}

Rows through_profile(const fs::path& file, const Rows& x) {
  if (file.empty()) return x;
  const auto profile = load_stage<Profile>(file);
  bool assumed = false;
  return profile.applied(in_space_of(profile.space(), x, assumed));
}

fs::path profile_in(const fs::path& folder) {
  const fs::path file = folder / kProfileFile;
  return fs::exists(file) ? file : fs::path();
}

void keep_profile(const fs::path& file, const fs::path& folder) {
  if (!file.empty()) save_stage(load_stage<Profile>(file), folder / kProfileFile);
}

}  // namespace shoal
