#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/words/evaluate_words.h"
#include "verbs/verbs.h"
#include "verbs/words.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Measured& m) { return {{"value", m.value}, {"low", m.low}, {"high", m.high}}; }

std::string with_interval(const Measured& m, const char* format, bool interval) {
  return rounded(m.value, format) +
         (interval ? " [" + rounded(m.low, format) + ", " + rounded(m.high, format) + "]" : std::string());
}

const char* metric_of(WordTask task) {
  return task == WordTask::similarity  ? "spearman_cosine"
         : task == WordTask::analogies ? "accuracy"
                                       : "purity";
}

/// The space's results, and how far the first is from it.
Json to_json(const WordSpaceResults& space, bool first) {
  Json out{{"space", space.name}, {"words", space.words}, {"dims", space.dims}};
  out["sets"] = Json::array();
  for (Index i = 0; i < space.sets.size(); ++i) {
    const WordResult& result = space.sets[i];
    Json one{{"set", result.set},
             {"task", name_of(result.task)},
             {"metric", metric_of(result.task)},
             {"rows", result.rows},
             {"tried", result.tried}};
    one.update(to_json(result.value));
    if (!first) one["difference"] = to_json(result.behind);
    out["sets"].push_back(one);
  }
  if (space.mean) {
    out["mean"] = to_json(space.mean->value);
    if (!first) out["mean"]["difference"] = to_json(space.mean->behind);
  }
  return out;
}

std::string in_words(const WordsEvaluation& found, bool intervals, const Progress& progress) {
  std::string out;
  const WordSpaceResults& first = found.spaces.front();
  for (Index i = 0; i < first.sets.size(); ++i) {
    const WordResult& set = first.sets[i];
    out += std::string(name_of(set.task)) + " " + set.set + ", " + metric_of(set.task) + ", " +
           with_commas(set.tried) + " of " + counted(set.rows, "row") + "\n";
    for (const WordSpaceResults& space : found.spaces)
      out += "  " +
             with_interval(space.sets[i].value, "%.4f", intervals || set.task == WordTask::similarity) +
             "  " + space.name + "\n";
  }
  if (first.mean) {
    out += "mean of the similarity sets\n";
    for (const WordSpaceResults& space : found.spaces)
      out += "  " + with_interval(space.mean->value, "%.4f", true) + "  " + space.name + "\n";
    for (Index s = 1; s < found.spaces.size(); ++s)
      out += first.name + " less " + found.spaces[s].name + ": " +
             with_interval(found.spaces[s].mean->behind, "%+.4f", true) + "\n";
  }
  out += "[low, high]: 95% intervals\n";
  return out + time_line(progress) + "\n";
}

}  // namespace

void add_words_evaluate(CLI::App& words, Session& session) {
  auto options = std::make_shared<EvaluateWordsOptions>();
  auto compare = std::make_shared<std::vector<std::string>>();
  auto space = std::make_shared<std::string>();
  EvaluateWordsOptions& o = *options;
  auto* verb =
      words.add_subcommand("evaluate", "What a space of words is worth: similarity, analogies, groups");
  verb->footer(
      "SPACE is a folder of 'shoal words train', a text file of word2vec, or any model, which reads each "
      "word\n"
      "as a text. SETS are tables, told apart by their columns:\n"
      "  word_a, word_b, score             similarity: Spearman's correlation of cosines with the scores\n"
      "  word_a, word_b, word_c, word_d    analogies a : b = c : d: share solved, among all words of SPACE\n"
      "  text, label                       groups: purity of k-means with as many clusters as labels\n"
      "A row counts only if all spaces know its words. Words are compared in lower case.\n\n"
      "Examples:\n"
      "  shoal words evaluate words.shoal-model wordsim353.csv men.csv\n"
      "  shoal words evaluate words.shoal-model men.csv bless.csv --compare counts --compare "
      "all-MiniLM-L6-v2");
  verb->add_option("space", *space, "A space of words")->required()->type_name("SPACE");
  verb->add_option_function<std::vector<std::string>>(
          "sets", [&o](const std::vector<std::string>& all) { o.sets.assign(all.begin(), all.end()); },
          "Tables of word pairs, analogies or groups")
      ->required()
      ->type_name("SETS");
  verb->add_option("--compare", *compare, "Another space, on the same rows; may be given again")
      ->type_name("SPACE")
      ->take_all()
      ->allow_extra_args(false);
  verb->add_option_function<std::string>(
          "--forms", [&o](const std::string& path) { o.forms = path; },
          "A table form, word: forms of the sets are looked up as these words")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o));
  add_shared(*verb, session);
  verb->callback([options, compare, space, &session] {
    EvaluateWordsOptions& given = *options;
    given.spaces = {*space};
    given.spaces.insert(given.spaces.end(), compare->begin(), compare->end());
    given.models_folder = models_folder();
    const WordsEvaluation found = evaluate_words(given, session.run());
    session.progress().finish();
    Json object{{"spaces", Json::array()}};
    for (Index s = 0; s < found.spaces.size(); ++s)
      object["spaces"].push_back(to_json(found.spaces[s], s == 0));
    object["seconds_total"] = session.progress().seconds();
    session.answer(object, in_words(found, given.resamples > 1, session.progress()));
  });
}

void add_words_neighbours(CLI::App& words, Session& session) {
  auto space = std::make_shared<std::string>();
  auto asked = std::make_shared<std::vector<std::string>>();
  auto k = std::make_shared<Index>(10);
  auto* verb = words.add_subcommand("neighbours", "The words nearest to a word");
  verb->footer(
      "Examples:\n"
      "  shoal words neighbours words.shoal-model bank\n"
      "  shoal words neighbours words.shoal-model bank \"hot dog\" -k 5 --json");
  verb->add_option("space", *space, "A folder of 'shoal words train', or a text file of word2vec")
      ->required()
      ->type_name("SPACE");
  verb->add_option("words", *asked, "Words of the space")->required()->type_name("WORD");
  OptionRef wanted("k", *k, "neighbours of each word", between(1, 1000));
  add_options(*verb, session, {wanted}, {{"k", "-k"}});
  add_shared(*verb, session);
  verb->callback([space, asked, k, &session] {
    const auto found = word_neighbours(*space, *asked, *k, session.run());
    session.progress().finish();
    Json object{{"space", *space}, {"words", Json::array()}};
    std::string text;
    for (Index i = 0; i < found.size(); ++i) {
      Json near = Json::array();
      if (found.size() > 1) text += (*asked)[i] + "\n";
      for (const WordNeighbour& one : found[i]) {
        near.push_back({{"word", one.word}, {"cosine", one.cosine}});
        text += rounded(one.cosine, "%.3f") + "  " + one.word + "\n";
      }
      object["words"].push_back({{"word", (*asked)[i]}, {"neighbours", near}});
    }
    session.answer(object, text);
  });
}

}  // namespace shoal::cli
