#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/flow/words/word_space.h"
#include "shoal/measure/bootstrap.h"
#include "shoal/read/source.h"

namespace shoal {

struct EvaluateWordsOptions {
  std::vector<std::string>
      spaces;  ///< folders of `shoal words train`, word2vec texts, models; the first is it
  std::filesystem::path models_folder;
  std::vector<std::filesystem::path> sets;
  std::filesystem::path forms;  ///< a table form, word; empty: words are looked up as they are written
  Index resamples = 1000;
  Index starts = 5;
  Seed seed{42};
  ReadOptions read;
};
template <class V>
void fields(EvaluateWordsOptions& o, V&& visit) {
  visit("resamples", o.resamples,
        "analogies and groups: draws of questions or words for the 95% intervals; 0: none",
        between(0, 100'000));
  visit("starts", o.starts, "groups: starts of k-means, whose mean is told", between(1, 100));
  visit("seed", o.seed, "start of all randomness");
}

enum class WordTask : std::uint8_t { similarity, analogies, groups };
constexpr auto names_of(WordTask) { return std::array{"similarity", "analogies", "groups"}; }

/// What a space is worth on a set.
struct WordResult {
  WordTask task = WordTask::similarity;
  std::string set;            ///< the file's name without its ending
  Index rows = 0, tried = 0;  ///< of the set; those whose words all spaces know
  Resampled resampled;        ///< of analogies and groups
  Measured value;             ///< Spearman, share of right answers, purity
  Measured behind;            ///< the first space's value less this one, on the same rows
};

struct WordSpaceResults {
  std::string name;
  Index words = 0, dims = 0;  ///< words: 0 of a model that reads any text
  std::vector<WordResult> sets;
  std::optional<WordResult> mean;  ///< of the similarity sets, if there are several
};

struct WordsEvaluation {
  std::vector<WordSpaceResults> spaces;
  std::vector<std::string> notes;
};

/// Sets are tables, told apart by their columns: word_a, word_b, score (similarity: Spearman's correlation of
/// cosines with scores); word_a, word_b, word_c, word_d (analogies a : b = c : d, solved by 3CosAdd among all
/// words of the first space); text, label (groups: purity of spherical k-means with as many clusters as
/// labels, the mean of the starts). A row counts only if every space knows its words; words are compared in
/// lower case. Intervals: over words for similarity (measure/word_spaces.h), of questions drawn anew for
/// analogies, of words drawn anew for groups. A model that is no folder of words embeds each word as a text.
/// Error(argument) for a table of other columns, naming them; Error(data) if fewer than three rows of a set
/// are left. Steps "read", "embed", "analogies", "measure".
WordsEvaluation evaluate_words(const EvaluateWordsOptions& options, const Run& run);

/// The k words nearest to each of these, best first; ties: the first in the space. Error(argument) for a word
/// that the space does not know, with those that begin alike.
std::vector<std::vector<WordNeighbour>> word_neighbours(const std::filesystem::path& space,
                                                        const std::vector<std::string>& words, Index k,
                                                        const Run& run);

}  // namespace shoal
