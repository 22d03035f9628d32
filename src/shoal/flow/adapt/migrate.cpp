#include "shoal/flow/adapt/migrate.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/stage_file.h"
#include "shoal/near/drawn_rows.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/collection/collection.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {}  // namespace

MigrateReport migrate(const MigrateOptions& options, const Run& run) {
  require(options.overwrite || !fs::exists(options.out), Fault::argument,
          options.out.string() + " exists; " + option_name("overwrite") + " replaces it");
  require(options.out.extension() == ".safetensors", Fault::argument,
          option_name("out") + " is " + options.out.string() + "; a map ends in .safetensors");
  check_options(options);
  const Collection collection = Collection::open(options.old, true);
  require(!fs::exists(collection.file(kNeutralFile)), Fault::unsupported,
          options.old.string() + " is neutral to groups, and a new model's vectors are not; map it anew");
  const Rows old = map_vectors(collection);
  const Encoder encoder = Encoder::load(options.model, run, options.models_folder);
  require(old.space().id.empty() || model_of(old.space().id) != model_of(encoder.space().id), Fault::argument,
          options.old.string() + " was made by this very model: there is nothing to migrate");
  MigrateReport report{.rows = old.rows(), .from = encoder.space().id, .to = old.space().id};
  const auto rows = drawn_rows(old.rows(), options.sample, options.how.seed.child(90));
  Texts texts;
  for (const Index row : rows) texts.add(collection.text(row));
  report.sample = rows.size();
  const Rows fresh = encoder.encode(texts, options.encode, run);
  const SpaceMap map = SpaceMap::fit(fresh, select_rows(old, rows), options.how, report.map, run);
  save_stage(map, options.out);
  return report;
}

}  // namespace shoal
