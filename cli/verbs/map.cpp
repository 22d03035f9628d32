#include "shoal/core/rounded.h"
#include "shoal/flow/mapping/make_map.h"

#include <algorithm>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/texts/models.h"
#include "shoal/read/unpack.h"
#include "verbs/method_flags.h"
#include "verbs/picture_flags.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct MapFlags {
  std::vector<std::string> inputs;
  std::string out, model, names, stop_words;
  ClusteringFlags clusters;
  PictureFlags picture;
  MapOptions options;
};

/// reviews.csv and reviews.csv.gz -> reviews.shoal, in the current folder.
fs::path default_out(const std::vector<std::string>& inputs) {
  std::error_code absent;
  const auto is_stream = [&](const std::string& input) {
    const auto type = fs::status(input, absent).type();
    return input == "-" || type == fs::file_type::fifo || type == fs::file_type::character ||
           type == fs::file_type::socket || input.starts_with("/dev/") || input.starts_with("/proc/");
  };
  require(inputs.size() == 1 && !is_stream(inputs.front()), Fault::argument,
          "--out NAME.shoal is needed for standard input, pipes and several files");
  return fs::path(unpacked_name(fs::path(inputs.front()).filename().string())).replace_extension(".shoal");
}

/// A collection is mapped where it stands: flags that were not given have the values of the last time.
void take_stored(MapFlags& flags, CLI::App& verb) {
  const std::string collection = flags.inputs.front();  // a copy: the callbacks below set inputs anew
  std::error_code absent;
  require(flags.out.empty() || fs::equivalent(flags.out, collection, absent), Fault::argument,
          collection + " is a collection: it is mapped where it stands, without --out");
  refuse_reading(verb, collection, "a collection, whose texts are in it");
  // Opened for writing, because that mends what was cut.
  flags.options = stored_options(Collection::open(collection, false));
  if (!flags.options.model_name.empty()) flags.model = flags.options.model_name;
  for (CLI::Option* given : verb.get_options())
    if (given->count() > 0) given->run_callback();
  flags.options.out = collection;
}

std::string percent(double share) { return rounded(100 * share, "%.1f%%"); }

std::string in_words(const MapReport& report, const Json& found, const Progress& progress) {
  std::string out = counted(report.rows, "text") + ", " + counted(report.clusters.size(), "cluster") +
                    " in " + counted(report.groups.size(), "group") + ", " +
                    (report.noise > 0 ? with_commas(report.noise) + " in none, " : "") +
                    std::to_string(report.components) + " of " + std::to_string(report.dims) +
                    " dimensions keep " + percent(report.variance) + " of variance\n";
  out += findings_in_words(found);
  if (found.contains("identities"))
    for (const Json& line : found.at("identities").at("in_words"))
      out += "  " + line.get<std::string>() + "\n";
  out += time_line(progress) + (report.clusters.empty() ? "\n" : "\nlargest clusters:\n");
  std::vector<ClusterRecord> largest = report.clusters;
  std::ranges::stable_sort(largest, std::greater{}, &ClusterRecord::size);
  for (Index i = 0; i < std::min<Index>(10, largest.size()); ++i) {
    char size[24];
    std::snprintf(size, sizeof size, "%9s  ", with_commas(largest[i].size).c_str());
    out += size + largest[i].name + "\n";
  }
  return out + "open " + report.page.string() + " in a browser\n";
}

/// At most five, in quotation marks.
template <class List, class Name>
std::string listed(const List& list, Name&& name) {
  constexpr std::size_t kMost = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(kMost, list.size()); ++i)
    out += (i > 0 ? ", \"" : "\"") + name(list[i]) + "\"";
  return list.size() > kMost ? out + " and " + std::to_string(list.size() - kMost) + " more" : out;
}

Json own_names_json(const KeptNames& names) {
  Json kept = Json::array();
  for (const OwnName& own : names.kept) kept.push_back({{"cluster", own.cluster}, {"name", own.name}});
  return {{"kept", kept}, {"lost", names.lost}, {"gone", names.gone}};
}

Json languages_json(const std::vector<LanguageFit>& all) {
  Json out = Json::array();
  for (const LanguageFit& f : all)
    out.push_back({{"language", f.code},
                   {"share", f.share},
                   {"letters_per_token", f.letters},
                   {"unknown_tokens", f.unknown},
                   {"known_to_model", f.known}});
  return out;
}

Json followed_json(const std::vector<Followed>& all) {
  Json out = Json::array();
  for (const Followed& f : all)
    out.push_back({{"column", f.column.empty() ? Json() : Json(f.column)},
                   {"purity", f.purity},
                   {"base", f.base},
                   {"adjusted_mutual_information", f.ami},
                   {"p", f.p}});
  return out;
}

Json in_json(const MapReport& report, const Json& found, const MapOptions& options,
             const Progress& progress) {
  auto clusters = Json::array();
  for (const auto& c : report.clusters)
    clusters.push_back({{"id", c.id},
                        {"name", c.name},
                        {"words", c.words},
                        {"size", c.size},
                        {"group", report.groups[static_cast<Index>(c.group)].name}});
  Json out{{"collection", options.out.string()},
           {"page", report.page.string()},
           {"rows", report.rows},
           {"text_columns", report.text_columns},
           {"truncated_texts", nullptr}};
  if (report.truncated_texts) out["truncated_texts"] = *report.truncated_texts;
  out["unknown_texts"] = report.unknown_texts ? Json(*report.unknown_texts) : Json();
  out["languages"] = languages_json(report.languages);
  if (report.left_of_groups) out["left_of_groups"] = *report.left_of_groups;
  if (!options.inputs.empty()) out["read"] = to_json(report.read);
  out.update({{"dims", report.dims},
              {"n_components", report.components},
              {"explained_variance_ratio", report.variance},
              {"n_clusters", report.clusters.size()},
              {"n_neighbors", std::min(report.rows, options.umap.n_neighbors)},
              {"method", report.method},
              {"noise", report.noise},
              {"mean_cosine", report.objective ? Json(*report.objective) : Json()},
              {"n_iter", report.n_iter ? Json(*report.n_iter) : Json()},
              {"report", found},
              {"follows", followed_json(report.follows)},
              {"own_names", own_names_json(report.own_names)},
              {"done_before", report.done_before},
              {"clusters", clusters},
              {"seconds", to_json(progress)},
              {"seconds_total", progress.seconds()}});
  return out;
}

/// What has become of the user's own names.
void remark_names(const Session& session, const KeptNames& names) {
  if (!names.kept.empty())
    session.remark("note: " + counted(names.kept.size(), "cluster") +
                   (names.kept.size() == 1 ? " keeps the name" : " keep the names") +
                   " that you gave: " + listed(names.kept, [](const OwnName& own) { return own.name; }));
  if (!names.lost.empty())
    session.remark("note: no cluster holds mostly the texts that you named " +
                   listed(names.lost, [](const std::string& name) { return name; }) +
                   "; the name is kept in case a later map has it again");
  if (!names.gone.empty())
    session.remark("note: the new collection is of other texts and has no longer the names that you gave: " +
                   listed(names.gone, [](const std::string& name) { return name; }));
}

/// What the map shows that may not be what it is wanted for.
void remark_followed(const Session& session, const MapReport& report, const MapOptions& options) {
  for (const Followed& f : report.follows) {
    const bool languages = f.column.empty();
    session.remark(
        "note: clusters follow " + (languages ? "the texts' languages" : "column \"" + f.column + "\"") +
        ": " + percent(f.purity) + " of a cluster's texts have one " +
        (languages ? "language" : "value of it") + ", the most frequent one of all has " + percent(f.base) +
        ". For topics beside that: --neutral " + (languages ? "language" : f.column));
  }
  if (report.left_of_groups.value_or(0) >= kMuchLeft)
    session.remark(
        "warning: texts of one group of \"" + options.neutral +
        "\" still lie together without the groups' means: the groups seem to differ in topics too, "
        "and some of that difference was taken away with the means (docs/languages.md)");
}

bool has_model(const std::string& name) {
  try {
    find_model(name, models_folder());
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// True if all that is asked for is a picture of a finished map whose model is not here: none is needed for
/// it.
bool only_a_picture(const MapFlags& flags, const CLI::App& verb) {
  constexpr std::string_view kBeside[] = {"input", "--picture", "--dark", "--threads", "--json", "--quiet"};
  const auto own = verb.get_options();
  if (flags.picture.file.empty() || std::ranges::any_of(own, [&](const CLI::Option* given) {
        return given->count() > 0 && std::ranges::find(kBeside, given->get_name()) == std::end(kBeside);
      }))
    return false;
  const Collection collection = Collection::open(flags.inputs.front(), true);
  if (has_model(stored_options(collection).model_name)) return false;
  return !is_stale(collection) && fs::exists(collection.file("map.html")) && collection.check();
}

void draw_only(const MapFlags& flags, Session& session) {
  const fs::path collection = flags.inputs.front();
  flags.picture.check(collection);
  const MapOptions stored = stored_options(Collection::open(collection, true));
  const Json picture = flags.picture.draw(collection, stored.title, session);
  session.answer({{"collection", collection.string()}, {"picture", picture}},
                 "the picture is " + flags.picture.file + "\n");
}

void run_map(MapFlags& flags, CLI::App& verb, Session& session) {
  MapOptions& options = flags.options;
  if (flags.inputs.size() == 1 && Collection::exists(flags.inputs.front())) {
    if (only_a_picture(flags, verb)) return draw_only(flags, session);
    take_stored(flags, verb);
  } else {
    check_inputs(verb, flags.inputs);
    options.inputs.assign(flags.inputs.begin(), flags.inputs.end());
    options.out = flags.out.empty() ? default_out(flags.inputs) : fs::path(flags.out);
  }
  flags.picture.check(options.out);
  check_encoding(verb, options.encode);
  take_stop_words(verb, flags.stop_words, options.words);
  if (!flags.names.empty()) options.names = read_own_names(flags.names, session.run());
  take_clustering(verb, flags.clusters, options.clusters);
  options.models_folder = models_folder();
  options.model = find_model(flags.model, options.models_folder);
  options.model_name = fs::is_directory(flags.model) ? "" : flags.model;
  session.goes_on = [&options] { return !options.overwrite && Collection::exists(options.out); };
  const MapReport report = make_map(options, session.run(), language_notice(session));
  session.progress().finish();
  remark_report(session, report.read);
  remark_cut(session, report.truncated_texts.value_or(0), report.rows, options.encode, report.max_tokens);
  if (report.rows < options.umap.n_neighbors)
    session.remark("note: each text has all " + std::to_string(report.rows) +
                   " as neighbours in the layout, not " + std::to_string(options.umap.n_neighbors));
  if (report.clusters.empty())
    session.remark("note: " + report.method + " found no clusters: every text is in none");
  remark_unknown(session, report.unknown_texts.value_or(0), report.rows, report.first_unknown,
                 report.unknown_example);
  if (report.laid_out && *report.laid_out < report.rows)
    session.remark("note: " + with_commas(report.rows - *report.laid_out) +
                   " texts are equal to one before them and share its point");
  remark_names(session, report.own_names);
  remark_followed(session, report, options);
  const Json found = Json::parse(report.found);
  const Json picture = flags.picture.draw(options.out, options.title, session);
  Json answer = in_json(report, found, options, session.progress());
  if (!picture.is_null()) answer["picture"] = picture;
  std::string words;
  try {
    words = in_words(report, found, session.progress());
  } catch (const Json::exception&) {
    throw Error(Fault::format, (options.out / "report.json").string() +
                                   " is damaged; delete it, and the same command makes it anew");
  }
  session.answer(answer, words + (picture.is_null() ? "" : "the picture is " + flags.picture.file + "\n"));
}

}  // namespace

void add_map(CLI::App& app, Session& session) {
  auto flags = std::make_shared<MapFlags>();
  auto* verb = app.add_subcommand("map", "From texts to a map: embed, reduce, cluster, name, lay out");
  verb->footer(
      "The result is a collection, a folder NAME.shoal with map.html in it. Interrupted, the same\n"
      "command goes on where it stopped; repeated with other options, only what depends on them is done\n"
      "again. A collection as INPUT is mapped again where it stands, with the options of the last time but\n"
      "for those that are given. map.html holds the texts whole up to 64 MB in all; beyond that the longest\n"
      "are cut there, and the page says so. The collection always has them whole.\n"
      "Clusters are found among the vectors after PCA, by the method and in the number that you say. A\n"
      "collection mapped again with another --method begins with that method's defaults. How the clusters\n"
      "were found and how good they are is in report.json. 'shoal cluster' takes the same options: it\n"
      "leaves the collection as it is and makes a report with plots and a classifier for new vectors beside\n"
      "it, of vectors without texts too.\n\n"
      "Examples:\n"
      "  shoal map reviews.csv                             the text column is found, the map is "
      "reviews.shoal/map.html\n"
      "  shoal map questions.jsonl --text body --clusters 80 --out questions.shoal\n"
      "  shoal map questions.shoal --clusters 40           the same texts, fewer clusters\n"
      "  shoal map questions.shoal --clusters 45 --keep-identities   numbers as before, and what split or "
      "merged\n"
      "  shoal map questions.shoal --clusters auto         as many as have the highest silhouette\n"
      "  shoal map questions.shoal --method hdbscan --min-cluster-size 20\n"
      "  shoal map questions.shoal --picture map.png       a picture for print; nothing is done again\n"
      "  shoal map reviews.csv.gz                          gzip and zstd are read as they are\n"
      "  psql -c 'copy ... to stdout csv header' | shoal map - --out rows.shoal");
  verb->add_option(
          "input", flags->inputs,
          "CSV, TSV, JSONL, Parquet or plain lines, also packed by gzip or zstd; - is standard input; or a "
          "collection")
      ->required()
      ->type_name("INPUT");
  MapOptions& o = flags->options;
  verb->add_option("--out", flags->out,
                   "The collection. Default: the input's name with .shoal, in the current folder")
      ->type_name("NAME.shoal");
  verb->add_flag("--overwrite", o.overwrite,
                 "Start anew if the collection exists; the old one is replaced when the new one is finished");
  add_model_option(*verb, flags->model);
  add_reading(*verb, session, o.read);
  add_word_options(*verb, session, o.words, flags->stop_words);
  verb->add_option(
          "--names", flags->names,
          "Your own names for clusters: a file with the columns cluster and name. See 'shoal rename'")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o.encode));
  add_clustering(*verb, session, flags->clusters, "about sqrt(rows / 6), at most 500");
  add_options(*verb, session, only(option_refs(o.pca), {"variance"}));
  add_options(*verb, session, only(option_refs(o.umap), {"n_neighbors", "min_dist"}));
  add_options(*verb, session, option_refs(o));
  flags->picture.add(*verb);
  add_shared(*verb, session);
  verb->callback([verb, flags, &session] { run_map(*flags, *verb, session); });
}

}  // namespace shoal::cli
