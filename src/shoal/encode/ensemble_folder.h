#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/encode/encoder.h"

namespace shoal {

/// The file that says what a folder's ensemble is made of.
inline constexpr const char* kEnsembleMark = "ensemble.json";
inline constexpr const char* kEnsembleFormat = "shoal ensemble";
inline constexpr const char* kEnsembleMap = "pool.safetensors";

/// A part as ensemble.json describes it.
struct EnsemblePart {
  enum class Kind : std::uint8_t { model, tokens, tfidf };
  friend constexpr auto names_of(Kind) { return std::array{"model", "tokens", "tfidf"}; }

  Kind kind = Kind::model;
  std::string name;            ///< for people, and to find a model by
  std::filesystem::path path;  ///< of model and tokens: the model's folder, from the ensemble's, or absolute
  std::string id;              ///< of model and tokens: "name@hash" of what was there
  std::string file;            ///< of tfidf and tokens: in the folder, what was learnt
  std::string hash;            ///< of that file
  double weight = 1;
};

struct EnsembleDescription {
  EnsemblePool pool = EnsemblePool::concatenate;
  std::vector<EnsemblePart> parts;
  std::string hash;  ///< of kEnsembleMap; empty: there is none, as pool is concatenate
  Index texts = 0;   ///< from which it was learnt
};

/// Error(file), Error(format) naming the field.
EnsembleDescription read_ensemble(const std::filesystem::path& folder);
/// Fills in the hashes of the files, which must be there, and writes ensemble.json.
void write_ensemble(EnsembleDescription description, const std::filesystem::path& folder, const Run& run);
bool is_ensemble(const std::filesystem::path& folder);

/// How ensemble.json in `folder` names the model in `part`: from the folder if it lies beside or in it, else
/// absolute.
std::filesystem::path part_path(const std::filesystem::path& folder, const std::filesystem::path& part);
/// `copy` is a copy of the ensemble in `from` that will stand as `to`: its paths become those from there.
void move_ensemble(const std::filesystem::path& from, const std::filesystem::path& copy,
                   const std::filesystem::path& to);

/// What is done to the parts side by side: (x - mean) map^T.
struct EnsembleMap {
  static constexpr std::string_view kind = "ensemble_map";

  std::vector<float> mean;  ///< of all parts' dims
  Matrix map;               ///< dims of the ensemble x all parts' dims

  void save(ArchiveWriter& out) const;
  /// Error(format) unless it is of so many columns, all finite.
  static EnsembleMap load(const ArchiveReader& in, Index cols);
};

}  // namespace shoal
