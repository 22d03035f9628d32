#include "shoal/flow/mapping/replace_impl.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "shoal/flow/mapping/map_steps_impl.h"
#include "shoal/flow/mapping/show.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

/// All that is ever written into a collection. The database goes last: until then the folder is known as one.
std::vector<std::string> our_files() {
  std::vector<std::string> out;
  for (const Step& step : map_steps(nullptr, true))
    for (const std::string_view made : step.makes)
      if (is_file(made)) out.emplace_back(made);
  for (const KeptPlot& plot : kKeptPlots) out.emplace_back(plot.file);
  out.insert(out.end(), {"rows.sqlite.sha256", "rows.sqlite-journal", "rows.sqlite"});
  return out;
}

fs::path named(const fs::path& out, const char* ending) {
  return out.parent_path() / ("." + out.filename().string() + ending);
}
fs::path place_aside(const fs::path& out) { return named(out, ".old"); }

bool is_ours(const std::string& name) {
  return name.starts_with(".rows.sqlite.part") ||
         std::ranges::any_of(our_files(), [&](const std::string& file) {
           return name == file || name == "." + file + ".part";
         });
}

/// Moves what is not shoal's out of a collection.
void move_rest(const fs::path& from, const fs::path& to) {
  std::vector<fs::path> rest;
  for (const auto& entry : fs::directory_iterator(from))
    if (!is_ours(entry.path().filename().string())) rest.push_back(entry.path());
  for (const fs::path& path : rest) {
    fs::path target = to / path.filename();
    while (fs::exists(target)) target += ".old";
    fs::rename(path, target);
  }
}

void dissolve(const fs::path& folder, const fs::path& home) {
  if (!Collection::exists(folder)) return;
  move_rest(folder, home);
  remove_collection(folder);
}

}  // namespace

fs::path place_beside(const fs::path& out) { return named(out, ".new"); }

void mend_replacement(const fs::path& out) {
  std::error_code ignored;
  if (!fs::exists(out) && Collection::exists(place_aside(out))) fs::rename(place_aside(out), out, ignored);
}

Collection create_beside(const Collection& old) {
  dissolve(place_aside(old.folder()), old.folder());
  dissolve(place_beside(old.folder()), old.folder());
  Collection fresh = Collection::create(place_beside(old.folder()));
  fs::permissions(fresh.folder(), fs::perms::owner_all);  // until it gets those of the old one with its place
  return fresh;
}

void replace(Collection& fresh, Collection old) {
  const fs::path aside = place_aside(old.folder());
  fresh.take_place_of(old, aside);
  dissolve(aside, fresh.folder());
}

void remove_collection(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> parts;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && is_ours(name)) parts.push_back(entry.path());
  }
  for (const fs::path& part : parts) fs::remove(part, ignored);
  for (const std::string& file : our_files()) fs::remove(folder / file, ignored);
  fs::remove(folder, ignored);
}

}  // namespace shoal
