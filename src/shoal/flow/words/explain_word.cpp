#include "shoal/flow/words/explain_word.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <span>

#include "shoal/core/error.h"
#include "shoal/flow/words/train_words.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/flow/words/words_record_impl.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/words/attention_file.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// The settings of contexts, and what moved, as words.json records them; heads and layers as they were
/// chosen.
struct Settings {
  ContextOptions contexts;
  MoveOptions move;
};

Settings settings_of(const WordsRecord& space) {
  Settings out;
  const auto& said = space.mark.at("options");
  for (OptionRefs all : {option_refs(out.contexts), option_refs(out.move)})
    for (const OptionRef& option : all)
      if (said.contains(option.name)) option.set_text(said.at(option.name).get<std::string>());
  if (const std::string heads = space.mark.value("heads", ""); !heads.empty()) out.contexts.heads = heads;
  if (const std::string layers = space.mark.value("layers", ""); !layers.empty())
    out.contexts.layers = layers;
  return out;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  return static_cast<double>(kernels().dot(a.data(), b.data(), a.size()));
}

/// Sums of weights by word.
class Pulls {
 public:
  void add(std::uint32_t word, float weight) {
    WordPull& pull = sums_[word];
    pull.weight += static_cast<double>(weight);
    ++pull.descriptions;
  }
  /// Most weight first; ties: the first of the vocabulary.
  std::vector<WordPull> sorted(std::uint32_t of, const Texts& words, const WordCourse& course) && {
    std::vector<WordPull> out;
    for (auto& [word, pull] : sums_) {
      pull.word = words[word];
      pull.before = cosine(course.start[of], course.start[word]);
      pull.after = cosine(course.end[of], course.end[word]);
      out.push_back(std::move(pull));
    }
    std::ranges::stable_sort(out, std::ranges::greater(), &WordPull::weight);
    return out;
  }

 private:
  std::map<std::uint32_t, WordPull> sums_;
};

void check_store(const WordsRecord& space, const fs::path& store) {
  require(space.mark.contains("store_sha256"), Fault::argument,
          space.folder.string() + " does not say which attention it was trained on; train it again");
  require(space.mark.at("store_sha256") == sha256_file(store), Fault::argument,
          store.string() + " is not the attention that " + space.folder.string() + " was trained on");
}

}  // namespace

WordReasons explain_word(const ExplainWordOptions& o, const Run& run) {
  const WordsRecord record = open_words_record(o.space);
  const WordSpace space = open_word_space(o.space, run);
  const std::uint32_t word = space.place(o.word);
  const AttentionRows rows = open_attention_rows(o.attention);
  check_store(record, o.attention);
  WordCourse course = open_course(o.space / kCourseFile);
  check_course(course, record);
  unit_rows(course.start.span());  // half floats are of length 1 to 1e-3 only
  unit_rows(course.end.span());
  const Settings settings = settings_of(record);
  const WordContexts contexts = contexts_of(rows, settings.contexts, run.quiet());
  const Texts texts = description_texts(o.attention);

  WordReasons out;
  out.word = space.words[word];
  out.heads = record.mark.value("heads", "");
  out.layers = record.mark.value("layers", "");
  out.moves = settings.move.moves;
  out.turned =
      std::acos(std::clamp(cosine(course.start[word], course.end[word]), -1.0, 1.0)) * 180 / std::numbers::pi;
  out.near_before = nearest_words(space, course.start, word, o.neighbours);
  out.near_after = nearest_words(space, course.end, word, o.neighbours);
  Pulls own, along;
  for (Index t = 0; t < contexts.size(); ++t) {
    const auto of = contexts.words_of(t);
    const auto weights = contexts.weights_of(t);
    if (contexts.target[t] == word) {
      const Index d = contexts.described[t];
      WordReason reason{d, std::string(rows.words[rows.description(d)[0]]), std::string(texts[d]), {}};
      for (Index j = 0; j < of.size(); ++j) {
        own.add(of[j], weights[j]);
        reason.contexts.emplace_back(rows.words[of[j]], static_cast<double>(weights[j]));
      }
      out.descriptions.push_back(std::move(reason));
    } else if (out.moves == WordMoves::both) {
      const auto at = std::ranges::find(of, word);
      if (at != of.end()) along.add(contexts.target[t], weights[static_cast<Index>(at - of.begin())]);
    }
  }
  std::ranges::stable_partition(out.descriptions,
                                [&](const WordReason& reason) { return reason.describes == out.word; });
  out.contexts = std::move(own).sorted(word, rows.words, course);
  out.targets = std::move(along).sorted(word, rows.words, course);
  return out;
}

}  // namespace shoal
