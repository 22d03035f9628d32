#include "shoal/flow/names/explain.h"

#include <filesystem>

#include "name_service.h"
#include "shoal/core/error.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/texts/models.h"
#include "shoal/store/archive/archive.h"
#include "verbs/compare_flags.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct ExplainFlags {
  std::string collection, stop_words;
  CompareFlags compare;
  CtfidfOptions words;
  ExplainOptions options;
  ExemplarOptions exemplars;
  NameService names;
  bool show_prompt = false, save = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// Groups in the order of their numbers, in each the largest cluster first.
std::string in_words(std::vector<ClusterExplanation> clusters) {
  std::ranges::stable_sort(clusters, [](const ClusterExplanation& a, const ClusterExplanation& b) {
    return a.row.group != b.row.group ? a.row.group < b.row.group : a.row.size > b.row.size;
  });
  std::string out;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const ClusterExplanation& c = clusters[i];
    if (i == 0 || clusters[i - 1].row.group != c.row.group) out += (i > 0 ? "\n" : "") + c.group + "\n";
    out += "  " + c.row.name + "  (cluster " + std::to_string(c.row.id) + ", " + with_commas(c.row.size) +
           " rows)\n";
    if (!c.row.words.empty()) out += "    words: " + joined(c.row.words) + "\n";
    if (!c.phrases.empty()) out += "    phrases: " + joined(c.phrases) + "\n";
    for (const std::string& text : c.texts) out += "    - " + one_line(text, 110) + "\n";
  }
  return out;
}

Json to_json(const std::vector<ClusterExplanation>& clusters, bool with_phrases) {
  Json list = Json::array();
  for (const ClusterExplanation& c : clusters) {
    Json texts = Json::array();
    for (std::size_t i = 0; i < c.texts.size(); ++i)
      texts.push_back({{"row", c.row.medoids[i]}, {"text", c.texts[i]}});
    Json& cluster = list.emplace_back(Json{{"id", c.row.id},
                                           {"name", c.row.name},
                                           {"size", c.row.size},
                                           {"group", c.row.group},
                                           {"group_name", c.group},
                                           {"words", c.row.words}});
    if (with_phrases) cluster["phrases"] = c.phrases;
    cluster["texts"] = texts;
  }
  return {{"clusters", list}};
}

/// Exactly what ask_names would send, but for the key.
void show_prompts(const NameService& service, const std::vector<ClusterExplanation>& clusters,
                  Session& session) {
  session.progress().finish();
  Json requests = Json::array();
  std::string text;
  for (const ClusterExplanation& cluster : clusters) {
    const HttpPost request = name_post(service, cluster);
    requests.push_back({{"url", request.url}, {"headers", request.headers}, {"body", request.body}});
    text += "POST " + request.url + "\n";
    for (const std::string& header : request.headers) text += header + "\n";
    text += "\n" + request.body + "\n\n";
  }
  session.answer({{"requests", requests}}, text);
}

constexpr const char* kWordFlags[] = {"--words",      "--ngrams",      "--language",
                                      "--stop-words", "--keep-markup", "--keep-numbers",
                                      "--bm25",       "--min-texts",   "--reduce-frequent-words"};
constexpr const char* kTextFlags[] = {"--exemplars", "--diversity"};

/// Maps the collection again with these words: only what depends on them is done.
void save_words(const ExplainFlags& flags, Session& session) {
  MapOptions options = stored_options(Collection::open(flags.collection, true));
  options.out = flags.collection;
  options.words = flags.words;
  options.model =
      find_model(options.model_name.empty() ? kDefaultModel : options.model_name, models_folder());
  make_map(options, session.run());
}

/// Names that somebody else has found are kept as the user's own.
void save_names(const std::string& path, const std::vector<ClusterExplanation>& clusters) {
  std::vector<OwnName> names;
  Collection collection = Collection::open(path, false);
  const auto own = clusters_with_own_names(collection);  // the user's stay
  for (const ClusterExplanation& c : clusters)
    if (!std::ranges::binary_search(own, c.row.id)) names.push_back({c.row.id, c.row.name});
  begin_change(collection);
  name_own_clusters(collection, names);
  redraw_page(collection);
  collection.settle(words_of_index());
}

bool any_of(const CLI::App& verb, const auto& flags) {
  return std::ranges::any_of(flags, [&](const char* flag) { return verb.count(flag) > 0; });
}

void run_explain(CLI::App& verb, ExplainFlags& flags, Session& session) {
  const bool kept = any_of(verb, kWordFlags), words = kept || verb.count("--phrases") > 0,
             texts = any_of(verb, kTextFlags);
  flags.compare.check(verb);
  if (flags.compare.wanted()) {
    require(!words && !texts && flags.names.url.empty(), Fault::argument,
            flags.compare.flag() + " compares clusters; words, texts and names are shown without it");
    return flags.compare.run(flags.collection, session);
  }
  // What was not given is as the collection has it.
  flags.words = stored_options(Collection::open(flags.collection, true)).words;
  for (const char* flag : kWordFlags)
    if (verb.count(flag) > 0) verb.get_option(flag)->run_callback();
  take_stop_words(verb, flags.stop_words, flags.words);
  require(
      !flags.save || kept || !flags.names.url.empty(), Fault::argument,
      "--save keeps words or names that are found anew: say how (--ngrams, --language, ...), or --name-url");
  if (flags.save && kept) save_words(flags, session);
  ExplainOptions options = flags.options;
  if (words) options.words = flags.words;
  if (texts) options.exemplars = flags.exemplars;
  const Collection collection = Collection::open(flags.collection, true);
  const Run run = session.run();
  auto clusters = explain_clusters(collection, options, run);
  if (flags.show_prompt) return show_prompts(flags.names, clusters, session);
  if (!flags.names.url.empty()) ask_names(flags.names, clusters, run);
  if (flags.save && !flags.names.url.empty()) save_names(flags.collection, clusters);
  session.progress().finish();
  Index unclustered = collection.rows();
  for (const ClusterExplanation& c : clusters) unclustered -= c.row.size;
  Json object = to_json(clusters, flags.options.n_phrases > 0);
  object["unclustered"] = unclustered;
  session.answer(
      object,
      in_words(clusters) + (unclustered > 0 ? "\n" + counted(unclustered, "row") + " in no cluster\n" : ""));
}

void add_explaining(CLI::App& verb, Session& session, const std::shared_ptr<ExplainFlags>& flags) {
  add_word_options(verb, session, flags->words, flags->stop_words);
  add_options(verb, session, option_refs(flags->exemplars), {{"n", "--exemplars"}});
  add_options(verb, session, option_refs(flags->options), {{"n_phrases", "--phrases"}});
  verb.add_flag("--save", flags->save,
                "Keep words and names that are found anew: in the collection, on its page and in exports");
}

void add_name_options(CLI::App& verb, const std::shared_ptr<ExplainFlags>& flags) {
  auto* url =
      verb.add_option(
              "--name-url", flags->names.url,
              "Have this OpenAI-compatible server name the clusters: it gets their words and typical texts")
          ->type_name("URL");
  verb.add_option("--name-model", flags->names.model, "The model that the server is asked for")
      ->needs(url)
      ->type_name("NAME");
  verb.add_option("--api-key-env", flags->names.key_env, "Environment variable that holds the server's key")
      ->needs(url)
      ->type_name("VAR");
  verb.add_flag("--show-prompt", flags->show_prompt, "Print exactly what would be sent, and send nothing")
      ->needs(url);
}

}  // namespace

void add_explain(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ExplainFlags>();
  auto* verb = app.add_subcommand(
      "explain", "What clusters are about, what they have to do with an outcome, how they change over time");
  verb->footer(
      "Alone: each group's clusters with words and typical texts, as stored, or found anew with\n"
      "the options given; the collection stays as it is, unless you --save them. With --outcome: whether "
      "clusters differ in it. Two\n"
      "values or categories: chi-square test over all, Fisher's exact test and odds ratio for each cluster\n"
      "against all other rows. Numbers: analysis of variance over all, Welch's t-test, difference of means "
      "and\n"
      "Cohen's d (d) for each. r is the correlation of being in the cluster and the outcome. Rows without a\n"
      "value (empty, NA, N/A, NaN, null) are left out and counted. A p-value tells of rows like these,\n"
      "not of causes, and is too small if the column had a part in choosing the clusters.\n"
      "With --time: how many rows of each cluster fall into each hour, day, week, month, quarter or year, "
      "what\n"
      "share of the period's rows that is, and whether the cluster's rows are earlier or later than the "
      "others'\n"
      "(Welch's t-test of the times).\n"
      "Nothing is sent anywhere unless you give --name-url; the names that come back are kept with --save "
      "alone.\n\n"
      "Examples:\n"
      "  shoal explain reviews.shoal --diversity 0.5 --phrases 5\n"
      "  shoal explain reviews.shoal --outcome returned --out returned.csv\n"
      "  shoal explain reviews.shoal --outcome country --value Spain\n"
      "  shoal explain reviews.shoal --outcome stars --kind numbers --correction bh\n"
      "  shoal explain reviews.shoal --time date --every month --plot months.svg\n"
      "  shoal explain reviews.shoal --name-url http://localhost:11434/v1 --name-model llama3.2 "
      "--show-prompt");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  flags->compare.add(*verb, session);
  add_explaining(*verb, session, flags);
  add_name_options(*verb, flags);
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_explain(*verb, *flags, session); });
}

}  // namespace shoal::cli
