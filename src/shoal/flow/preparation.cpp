#include "shoal/flow/preparation.h"

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/stage_file.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

constexpr const char* kPcaFile = "pca.safetensors";
constexpr const char* kScalerFile = "standardise.safetensors";

void say(const Run& run, const char* step, Index done, Index total) {
  if (run.progress) run.progress(step, static_cast<double>(done), static_cast<double>(total));
}

}  // namespace

void check_components(const PcaOptions& pca, std::string_view option, Index rows, Index dims,
                      std::string_view things) {
  const Index most = std::min(rows, dims), components = pca.n_components.value_or(1);
  require(components <= most, Fault::argument,
          option_name(option) + " is " + std::to_string(components) + "; " + std::to_string(rows) + ' ' +
              std::string(things) + " of " + std::to_string(dims) + " numbers have at most " +
              std::to_string(most) + " components");
}

void each_block(const Rows& x, const std::function<void(const Rows& block, Index first)>& each) {
  constexpr Index kBlock = 16384;
  Matrix scratch;
  for (Index first = 0; first < x.rows(); first += kBlock)
    each(Rows(x.block(first, std::min(kBlock, x.rows() - first), scratch), x.space()), first);
}

Space Preparation::space_of(const Space& given) const {
  if (empty()) return given;
  Space space{.id = given.id, .dims = pca ? pca->n_components() : given.dims};
  if (space.id.empty()) return space;  // unknown stays unknown
  if (pca) space.id += "+pca";
  if (scaler) space.id += "+standardise";
  return space;
}

Matrix Preparation::transform(const Rows& x, const Run& run) const {
  if (!pca) return scaler ? scaler->transform(x, run) : x.to_matrix();
  Matrix reduced = pca->transform(x, run);
  if (!scaler) return reduced;
  return scaler->transform(Rows(reduced, scaler->space()), run);
}

Preparation Preparation::fit(const Rows& x, const std::optional<PcaOptions>& pca, bool standardise,
                             const std::filesystem::path& prepared, const Run& run) {
  Preparation made;
  const Run quiet = run.quiet();
  if (pca) {
    say(run, "PCA", 0, x.rows());
    made.pca = Pca::fit(x, *pca, quiet);
    require(made.pca->explained_variance().front() > 0, Fault::data,
            "all " + std::to_string(x.rows()) +
                " rows have the same vector: there is nothing to tell them apart");
  }
  if (standardise) {
    Standardise scaler;
    // With PCA before it: of the reduced rows, which are made twice rather than kept in a second file.
    each_block(x, [&](const Rows& block, Index first) {
      check_stop(run);
      const Matrix reduced = made.pca ? made.pca->transform(block, quiet) : Matrix();
      scaler.update(made.pca ? Rows(reduced, made.space_of(x.space())) : block, quiet);
      say(run, "standardise", first + block.rows(), x.rows());
    });
    made.scaler = std::move(scaler);
  }
  if (made.empty()) return made;
  const Space space = made.space_of(x.space());
  RowsFile file(prepared.parent_path() / ("." + prepared.filename().string() + ".part"), space.dims, space, 0,
                prepared);
  each_block(x, [&](const Rows& block, Index first) {
    check_stop(run);
    file.append(made.transform(block, quiet));
    if (!standardise) say(run, "PCA", first + block.rows(), x.rows());
  });
  file.keep_as(prepared);
  return made;
}

void Preparation::save(const std::filesystem::path& folder) const {
  if (pca) save_stage(*pca, folder / kPcaFile);
  if (scaler) save_stage(*scaler, folder / kScalerFile);
}

Preparation Preparation::load(const std::filesystem::path& folder, bool pca, bool standardise) {
  Preparation made;
  if (pca) made.pca = load_stage<Pca>(folder / kPcaFile);
  if (standardise) made.scaler = load_stage<Standardise>(folder / kScalerFile);
  return made;
}

}  // namespace shoal
