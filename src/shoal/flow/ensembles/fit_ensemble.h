#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/tfidf.h"
#include "shoal/read/source.h"

namespace shoal {

/// What `ensemble fit` may be told.
struct FitEnsembleOptions {
  std::vector<std::filesystem::path> inputs;  ///< files of texts, or one collection
  std::vector<std::string> parts;             ///< "NAME" or folder of a model, "tfidf", "tokens:NAME"
  std::vector<double> weights;                ///< one a part, above 0; empty: 1 for models, 0.5 for others
  std::filesystem::path models_folder;        ///< where names of models are looked up
  std::filesystem::path out;                  ///< the folder that is made
  bool overwrite = false;
  EnsemblePool pool = EnsemblePool::concatenate;
  Index sample = 20'000;              ///< texts that rotations and components are learnt from, at most
  double variance = 0.95;             ///< of pca
  std::optional<Index> n_components;  ///< of pca
  TfidfOptions tfidf;
  ReadOptions read;
};
template <class V>
void fields(FitEnsembleOptions& o, V&& visit) {
  visit("pool", o.pool, "how the parts' vectors become one");
  visit("sample", o.sample, "most texts that average and pca learn from", at_least(50));
  visit("variance", o.variance, "share of variance that pca keeps", above(0).at_most(1));
  visit("n_components", o.n_components, "pca: keep exactly so many numbers", at_least(1));
}

struct FitEnsembleReport {
  Index texts = 0;
  Index dims = 0;
  std::string id;
  struct Part {
    std::string name;
    double weight = 0;
    Index dims = 0;
    Index terms = 0;  ///< of tfidf
  };
  std::vector<Part> parts;
  std::optional<double> variance;  ///< kept by pca
  std::filesystem::path out;
  bool done_before = false;  ///< texts and variance are not known then
};

/// Makes the folder `out`, a model (encode/ensemble_folder.h), whole or not at all. TEXTS are read two to
/// five times. Error(argument) for no parts, two of one name, weights that do not fit, standard input;
/// Error(data) if there is nothing to learn from. Steps "words", "svd", "tokens", "load model", "encode".
FitEnsembleReport fit_ensemble(const FitEnsembleOptions& options, const Run& run);

}  // namespace shoal
