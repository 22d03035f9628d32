#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/read/source.h"

namespace shoal {

/// Which tokens a static model has.
enum class VocabularyOf : std::uint8_t {
  tokenizer,  ///< those of the transformer's tokenizer
  corpus,     ///< the frequent words of a corpus, and nothing else
  both        ///< those of the tokenizer, and the frequent words that it cuts into several
};
constexpr auto names_of(VocabularyOf) { return std::array{"tokenizer", "corpus", "both"}; }

/// How much a token counts: a / (a + p), where p is how frequent it is.
enum class Weighting : std::uint8_t {
  zipf,  ///< p by Zipf's law from the token's place in the vocabulary, as Model2Vec does
  sif,   ///< p as counted in a corpus (Arora, Liang, Ma 2017)
  none   ///< all the same
};
constexpr auto names_of(Weighting) { return std::array{"zipf", "sif", "none"}; }

/// What `distil` may be told.
struct DistilOptions {
  std::string model;                    ///< name or folder of a transformer
  std::filesystem::path models_folder;  ///< where names are looked up
  std::filesystem::path out;            ///< the folder that is made
  bool overwrite = false;
  std::vector<std::filesystem::path> corpus;  ///< files of texts; may be none
  std::optional<VocabularyOf> vocabulary;     ///< absent: both with a corpus, else tokenizer
  Index words = 20'000;
  Index min_count = 5;
  bool context = false;
  Index min_contexts = 10;
  std::optional<Index> dims;         ///< absent: 256; the model's, or as many as tokens, if that is fewer
  std::optional<Weighting> weights;  ///< absent: sif with a corpus, else zipf
  std::optional<double> sif;         ///< absent: 1e-4 of zipf, as Model2Vec; 1e-3 of sif, as its authors
  Index sentence_pca = 0;
  ReadOptions read;
};
template <class V>
void fields(DistilOptions& o, V&& visit) {
  visit("vocabulary", o.vocabulary,
        "whose tokens the static model has. Default: both with --corpus, else tokenizer");
  visit("words", o.words, "most words taken from the corpus, the frequent first", between(1, 1'000'000));
  visit("min_count", o.min_count, "a word must stand so often in the corpus", at_least(1));
  visit("context", o.context,
        "a token's vector is the mean of what the model makes of it in the texts of the corpus");
  visit("min_contexts", o.min_contexts,
        "context: tokens that stand less often in the corpus are taken as texts by themselves", at_least(1));
  visit("dims", o.dims,
        "principal components kept, at most the numbers of the model's vectors, and as many as there are "
        "tokens. Default: 256, or all of them if they are fewer",
        at_least(1));
  visit(
      "weights", o.weights,
      "how much tokens count: by Zipf's law, by their frequency in the corpus, or all the same. Default: sif "
      "with --corpus, else zipf");
  visit("sif", o.sif,
        "a of a / (a + frequency), the weight of a token. Default: 1e-4 of zipf, as Model2Vec; 1e-3 of sif",
        above(0).at_most(1));
  visit("sentence_pca", o.sentence_pca,
        "remove so many common components: those in which the means of the corpus' texts differ most, and "
        "their "
        "mean",
        between(0, 64));
}

struct DistilReport {
  std::filesystem::path out;
  bool done_before = false;
  std::string id, model;  ///< of the static model; of the transformer
  Index tokens = 0, dims = 0;
  Index words = 0;                 ///< of the corpus, added as whole tokens
  Index in_context = 0;            ///< tokens whose vectors are means in context
  Index texts = 0;                 ///< of the corpus
  double variance = 1;             ///< share that the components keep
  std::vector<std::string> notes;  ///< what the user should know
};

/// Makes the folder `out`, a static model that shoal, Model2Vec and sentence-transformers load:
/// model.safetensors (embeddings: tokens x dims, float32), tokenizer.json, config.json, modules.json, and
/// distil.json, the receipt. Vectors are scaled to length 1 by all three; the token of what is not known has
/// zeros, so that it does not matter whether it counts. Texts are not cut. The same bits for any threads. A
/// run that was stopped goes on where it was: what the forward passes gave is kept in OUT.part.safetensors,
/// about every half minute; a file of that name that it has not made is never touched. Error(argument): such
/// a file, more dims than the model has or than there are tokens, more sentence_pca than texts with a token,
/// an option without the corpus that it needs, a corpus that no option uses, standard input. Error(data): a
/// corpus without texts or words. Errors of Encoder::load; Error(unsupported) of a model that is no
/// transformer. Steps "load model", "words", "context", "tokens", "pca".
DistilReport distil(const DistilOptions& options, const Run& run);

}  // namespace shoal
