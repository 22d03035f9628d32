#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/measure/health.h"
#include "shoal/words/choose_heads.h"
#include "shoal/words/closed_form.h"
#include "shoal/words/contexts.h"
#include "shoal/words/course.h"
#include "shoal/words/move.h"
#include "shoal/words/read_out.h"

namespace shoal {

/// What is made of the attention.
enum class WordSpaces : std::uint8_t {
  both,        ///< both spaces beside each other
  moved,       ///< words moved on the sphere
  closed_form  ///< singular vectors of attention-weighted co-occurrence
};
constexpr auto names_of(WordSpaces) { return std::array{"both", "moved", "closed_form"}; }

/// How the static model knows other forms of words ("cards") than the words themselves.
enum class FormRows : std::uint8_t {
  rows,     ///< each has a row of its own, which repeats its word's: any library reads it
  mapping,  ///< each shares its word's row, by Model2Vec's tensor `mapping`: Model2Vec and shoal read it
  none      ///< it does not
};
constexpr auto names_of(FormRows) { return std::array{"rows", "mapping", "none"}; }

/// How words weigh in the mean of a text.
enum class TextWeights : std::uint8_t {
  none,  ///< all alike
  sif    ///< a / (a + p): p is the word's share of the words of all descriptions
};
constexpr auto names_of(TextWeights) { return std::array{"none", "sif"}; }

struct TrainWordsOptions {
  std::filesystem::path store;  ///< of `shoal words prepare`
  /// Another one, whose descriptions the closed form has instead, of the words of `store`; empty: none.
  std::filesystem::path closed_form_store;
  std::filesystem::path out;
  bool overwrite = false;
  WordSpaces space = WordSpaces::both;
  WordReadOut read_out = WordReadOut::both;
  bool word2vec = false;
  FormRows forms = FormRows::rows;
  TextWeights text_weights = TextWeights::none;
  double sif = 1e-3;
  Index course_words = 500;
  Index course_every = 1;
  std::vector<std::string> watch;  ///< more words of the course
  /// heads and layers "auto": chosen (choose_heads.h).
  ContextOptions contexts{.heads = "auto", .layers = "auto"};
  MoveOptions move;
  ClosedFormOptions closed_form;
};

template <class V>
void fields(TrainWordsOptions& o, V&& visit) {
  visit("space", o.space, "what is made of the attention");
  visit("read_out", o.read_out, "what a moved word's vector is made of in the end");
  visit("word2vec", o.word2vec, "also write the vectors as word2vec text, DIR/vectors.txt");
  visit("forms", o.forms,
        "how the model knows other forms of words: by rows of their own, which any library reads, or by a "
        "mapping to their words' rows, which Model2Vec and shoal read");
  visit(
      "text_weights", o.text_weights,
      "how words weigh in the mean of a text: all alike, or a / (a + p), p their share of the descriptions");
  visit("sif", o.sif, "a of --text-weights sif", above(0.0));
  visit("course_words", o.course_words,
        "the most frequent words whose way is kept, for 'words show'; 0: no way is kept",
        between(0, kMostCourseWords));
  visit("course_every", o.course_every, "after how many epochs it is noted where they are", at_least(1));
}

struct TrainWordsReport {
  std::filesystem::path out;
  bool done_before = false;
  std::string id;
  Index words = 0, dims = 0, descriptions = 0, targets = 0, contexts = 0;
  Index closed_form_descriptions = 0;  ///< of the other store
  Index without = 0;                   ///< words without a vector
  std::string first_without;
  Index forms = 0;  ///< other ways of writing the words that the model knows
  std::optional<HeadChoice> choice;
  std::string heads, layers;  ///< whose attention counted
  Health start, end;          ///< of the moved words, the same ones
  std::vector<MovedEpoch> epochs;
  std::vector<Health> health;  ///< of the moved words after each of these
  Index course = 0;            ///< words whose way is kept
  Index watch_missing = 0;     ///< words to watch that have no vector
  std::string first_watch_missing;
  Index resumed_from = 0;  ///< epochs that an earlier run had done
  std::string harm;        ///< why it ended early; empty: it did not
  std::vector<std::string> notes;
};

struct TrainWordsNotices {
  /// After each epoch.
  std::function<void(const MovedEpoch& epoch, const Health& health)> epoch;
  std::function<void(Index epoch)> resumed;
};

/// From attention between words to a folder that is a static model: model.safetensors, tokenizer.json,
/// config.json, modules.json, words.txt, words.json (report and receipt), course.safetensors (course.h; of
/// moved words), by option vectors.txt (word2vec). An epoch that an alarm takes back is not in the course.
/// The same bits for any number of threads. After each epoch what it takes to go on is kept in
/// OUT.part.safetensors; the same command goes on from there. A collapse of the space (measure/health.h, of
/// 500 words) ends it with the words as they were at the last epoch at which all was well. Errors as
/// open_attention_rows, contexts_of, WordMover, closed_form; Error(argument) for a place that is taken.
/// Steps "heads", "svd", "move".
TrainWordsReport train_words(const TrainWordsOptions& options, const Run& run,
                             const TrainWordsNotices& notices = {});

}  // namespace shoal
