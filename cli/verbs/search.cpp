#include "shoal/flow/search/search.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/adapt/make_profile.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct SearchFlags {
  std::string collection, question, model;
  std::vector<std::string> profiles;
  std::string through;
  bool words = false;
  SearchOptions options;
};

std::string name_of_model(const std::string& id) { return id.substr(0, id.find('@')); }

std::vector<SearchHit> find(const SearchFlags& flags, Session& session) {
  const Collection collection = Collection::open(flags.collection, true);
  if (flags.words) {
    require(flags.model.empty(), Fault::argument, "--words asks the index of words, and no --model");
    require(flags.profiles.empty(), Fault::argument, "--words has no cosine that a --profile could bend");
    require(flags.through.empty(), Fault::argument, "--words asks no model, and needs no map --through");
    return search_words(collection, flags.question, flags.options);
  }
  std::optional<SpaceMap> through;
  if (!flags.through.empty()) through = load_stage<SpaceMap>(flags.through);
  const std::string stored = stored_options(collection).model_name;
  const std::string model = !flags.model.empty() ? flags.model
                            : through            ? name_of_model(through->from().id)
                            : stored.empty()     ? kDefaultModel
                                                 : stored;
  const Run run = session.run();
  const Encoder encoder = load_model(model, models_folder(), run);
  const auto profiles = load_profiles({flags.profiles.begin(), flags.profiles.end()});
  return search(collection, encoder, flags.question, flags.options, run, profiles, through);
}

void run_search(const SearchFlags& flags, Session& session) {
  const auto hits = find(flags, session);
  session.progress().finish();

  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  for (const SearchHit& hit : hits) {
    auto& entry = list.emplace_back(nlohmann::ordered_json{{"row", hit.row}});
    if (!flags.words) entry["score"] = hit.score;
    entry["cluster"] = hit.cluster;
    entry["cluster_name"] = hit.cluster_name;
    entry["text"] = hit.text;
    char line[64];
    flags.words ? std::snprintf(line, sizeof line, "%8zu  ", hit.row)
                : std::snprintf(line, sizeof line, "%.4f  %8zu  ", hit.score, hit.row);
    text += line + one_line(hit.text, 120) +
            (hit.cluster_name.empty() ? "" : "   [" + hit.cluster_name + "]") + "\n";
  }
  session.answer({{"question", flags.question}, {"hits", list}}, text.empty() ? "nothing found\n" : text);
}

}  // namespace

void add_search(CLI::App& app, Session& session) {
  auto flags = std::make_shared<SearchFlags>();
  auto* verb =
      app.add_subcommand("search", "The texts of a collection that mean most nearly what a question says");
  verb->footer(
      "Prints cosine, row number, text and cluster, best first. Every row is compared: the answer is "
      "exact.\n"
      "With --profile the order follows somebody's feedback; the cosine that is printed does not.\n"
      "With --words the order is BM25's, and no cosine stands before the row.\n\n"
      "Examples:\n"
      "  shoal search reviews.shoal \"refund never arrived\" --top 20\n"
      "  shoal search reviews.shoal \"order 1234\" --words");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  verb->add_option("question", flags->question, "What to look for, in plain words")
      ->required()
      ->type_name("QUESTION");
  verb->add_flag(
      "--words", flags->words,
      "Only texts that hold all these words, without regard to case and accents; no model is needed");
  add_options(*verb, session, option_refs(flags->options));
  verb->add_option("--model", flags->model,
                   "Name or folder of the model. Default: the one that made the collection")
      ->type_name("NAME|DIR");
  verb->add_option("--profile", flags->profiles,
                   "In the order that a profile of 'shoal personalise' gives; several add up")
      ->type_name("FILE");
  verb->add_option("--through", flags->through,
                   "Ask a newer model, and map its vectors by what 'shoal migrate' made")
      ->type_name("FILE");
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_search(*flags, session); });
}

}  // namespace shoal::cli
