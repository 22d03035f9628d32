#include "shoal/flow/mapping/check_collection.h"

#include <algorithm>
#include <filesystem>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/mapping/map_steps_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;

/// Whether rows.sqlite is as it was written; if that is not known, at least the texts are.
bool check_rows(const Collection& collection, const Run& run) {
  if (collection.check()) return true;
  const Index rows = collection.rows();
  Fingerprint print;
  for (Index first = 0; first < rows; first += kBatch) {
    check_stop(run);
    const Index count = std::min(kBatch, rows - first);
    const RowBatch batch = collection.batch(first, count);
    for (Index i = 0; i < count; ++i) print.add(batch.texts, batch.columns, i);
    if (run.progress) run.progress("check", static_cast<double>(first + count), static_cast<double>(rows));
  }
  if (print.text() != collection.manifest("rows_fingerprint").value_or(Fingerprint().text()))
    throw damaged_collection(collection.folder(), "the texts in rows.sqlite are not those that were read");
  return false;
}

void check_file(const Collection& collection, const std::string& name, const std::string& sum) {
  const bool there = std::filesystem::exists(collection.file(name));
  if (there && sha256_file(collection.file(name)) == sum) return;
  const std::string folder = collection.folder().string();
  throw Error(Fault::format,
              folder + " is damaged: " + name + (there ? " is not as it was written" : " is lost"),
              (there ? "delete it, and 'shoal map " : "'shoal map ") + folder + "' makes it again");
}

}  // namespace

CheckReport check_collection(const Collection& collection, const Run& run) {
  CheckReport report{.whole = {"rows.sqlite"}, .settled = check_rows(collection, run)};
  for (const Step& step : map_steps(nullptr, !stored_options(collection).neutral.empty())) {
    for (const std::string_view made : step.makes) {
      if (!is_file(made)) continue;
      check_stop(run);
      const std::string name(made), sum = collection.manifest(checksum_key(made)).value_or("");
      if (!sum.empty()) check_file(collection, name, sum);
      (sum.empty() ? report.unfinished : report.whole).push_back(name);
    }
  }
  return report;
}

}  // namespace shoal
