#include "shoal/flow/folders/lay_out.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct LayoutFlags {
  std::vector<std::string> inputs;
  std::string out, on;
  LayoutOptions options;
};

/// Options that say how a map is made: of UMAP, of t-SNE, of both.
constexpr const char* kOfUmap[] = {"--n-neighbors", "--min-dist", "--spread",
                                   "--density",     "--aligned",  "--no-rows"};
constexpr const char* kOfTsne[] = {"--perplexity"};
constexpr const char* kOfAligned[] = {"--relate", "--similarity", "--alignment", "--window"};
constexpr const char* kOfBoth[] = {"--method", "--metric", "--n-epochs", "--seed"};

void check_flags(const CLI::App& verb, const LayoutFlags& flags) {
  const auto refuse = [&](std::span<const char* const> names, const std::string& why) {
    for (const char* name : names)
      require(verb.count(name) == 0, Fault::argument, std::string(name) + " " + why);
  };
  const bool on = verb.count("--on") > 0;
  require(!on || !flags.on.empty(), Fault::argument, "--on is empty; it names a folder of 'shoal layout'");
  if (on)
    for (const auto names : {std::span<const char* const>(kOfUmap), std::span<const char* const>(kOfTsne),
                             std::span<const char* const>(kOfBoth)})
      refuse(names, "is of a new map; with --on the old one's options hold");
  if (flags.options.method == LayoutMethod::tsne) refuse(kOfUmap, "is an option of --method umap");
  if (flags.options.method == LayoutMethod::umap) refuse(kOfTsne, "is an option of --method tsne");
  const LayoutOptions& o = flags.options;
  if (!o.aligned) refuse(kOfAligned, "says how maps are aligned; give --aligned");
  require(o.aligned || flags.inputs.size() == 1, Fault::argument,
          "several inputs are laid out with --aligned, each on a map of its own; without it one is");
  require(!o.aligned || flags.inputs.size() >= 2, Fault::argument, "--aligned needs at least two inputs");
  if (o.aligned) refuse(std::array{"--density"}, "is for one map, not for --aligned");
  if (o.relate == Relate::rows) refuse(std::array{"--similarity"}, "is of --relate mutual");
}

std::string in_words(const LayoutReport& report, const LayoutFlags& flags, const Progress& progress) {
  std::string out = with_commas(report.rows) + " rows ";
  out += flags.on.empty() ? "laid out by " + std::string(name_of(flags.options.method))
                          : "placed on the map of " + flags.on;
  for (Index t = 0; t < report.related.size(); ++t)
    out += "\n" + with_commas(report.related[t]) + " rows of " + flags.inputs[t] + " related to rows of " +
           flags.inputs[t + 1];
  return out + "\n" + time_line(progress) + "\nopen " + (report.out / "map.svg").string() +
         " in a browser; the numbers are in points.csv and points.npy\n";
}

/// That there are too few rows for as many neighbours as were asked for.
void remark_few(const LayoutOptions& o, const nlohmann::ordered_json& made, const Session& session) {
  if (o.on) return;
  const bool tsne = o.method == LayoutMethod::tsne;
  const double asked = o.of_tsne.perplexity, used = made.value("perplexity", asked);
  for (const auto& input : made.at("inputs")) {
    const auto rows = input.at("rows").get<Index>();
    if (tsne ? used >= asked : rows >= o.umap.n_neighbors) continue;
    session.remark("note: each row of " + input.at("path").get<std::string>() + " has all " +
                   with_commas(rows) + " as neighbours in the layout, " +
                   (tsne ? "with a perplexity of " + short_number(used) + ", not of " + short_number(asked)
                         : "not " + with_commas(o.umap.n_neighbors)));
  }
}

void run_layout(const CLI::App& verb, LayoutFlags& flags, Session& session) {
  LayoutOptions& o = flags.options;
  check_flags(verb, flags);
  require(verb.count("--out") == 0 || !flags.out.empty(), Fault::argument,
          "--out is empty; it names the folder to make");
  o.inputs.assign(flags.inputs.begin(), flags.inputs.end());
  o.out = flags.out.empty() ? beside_input(o.inputs[0], ".layout") : std::filesystem::path(flags.out);
  if (!flags.on.empty()) o.on = flags.on;
  o.of_tsne.metric = o.umap.metric;
  o.of_tsne.seed = o.umap.seed;
  if (o.umap.n_epochs) {
    o.of_tsne.n_iter = *o.umap.n_epochs;
    o.of_tsne.early_exaggeration_iter = std::min(o.of_tsne.early_exaggeration_iter, *o.umap.n_epochs / 3);
  }
  const LayoutReport report = lay_out(o, session.run());
  session.progress().finish();
  auto object = made_json(report.out, kLayoutMark, session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  remark_few(o, object, session);
  remark_converted(session, report.converted_from);
  if (report.assumed_space) session.remark(kAssumedSpace);
  session.answer(object, in_words(report, flags, session.progress()));
}

}  // namespace

void add_layout(CLI::App& app, Session& session) {
  auto flags = std::make_shared<LayoutFlags>();
  LayoutOptions& o = flags->options;
  auto* verb = app.add_subcommand("layout", "Vectors to points on a map; new rows on an old map");
  verb->footer(
      "INPUT is a file of vectors (.npy, .npz, .safetensors or .parquet), a folder of such files, which are "
      "read one\n"
      "after another as if they were one, or a collection. The result is a folder: map.svg to look at,\n"
      "points.csv (row, x, y) and points.npy with the place of each row, layout.json with what was asked,\n"
      "and the map itself with the rows that it was made from, for --on.\n\n"
      "Near points are alike. Distances between far groups and the sizes of groups mean little; with\n"
      "--density, what is dense among the vectors is dense on the map, and points.csv has both radii.\n\n"
      "With --on the rows are placed on a map that is there already, which stays as it is: a row that "
      "equals\n"
      "one of the map lies on its point (of several equal ones, on the first one's), and where a row lies\n"
      "does not depend on the others that come with it.\n\n"
      "With --aligned each input, as a year's texts, gets a map of its own, on which rows lie near the rows\n"
      "of the input before and after that they are related to: those that are each other's nearest, with a\n"
      "cosine of at least --similarity, or those with the same number. Give inputs in their order.\n\n"
      "Examples:\n"
      "  shoal layout reviews.shoal                        reviews.layout/map.svg\n"
      "  shoal layout 2025.npy --n-neighbors 30 --out map2025\n"
      "  shoal layout 2026.npy --on map2025 --out map2026  new rows in colour on the old ones in grey\n"
      "  shoal layout 2024.npy 2025.npy 2026.npy --aligned --out years");
  verb->add_option("input", flags->inputs, "Vectors: a file, a folder of files, or a collection")
      ->required()
      ->type_name("INPUT");
  verb->add_option("--out", flags->out,
                   "The folder to make. Default: the input's name with .layout, in the current folder")
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option("--on", flags->on, "A folder that this command has made: place the rows on its map")
      ->type_name("DIR");
  add_options(*verb, session, option_refs(o),
              {{"alignment_regularisation", "--alignment"},
               {"alignment_window_size", "--window"},
               {"keep_rows", "--no-rows"}});
  add_options(*verb, session, only(option_refs(o.umap), {"n_neighbors", "min_dist", "spread"}), {},
              "Options of --method umap");
  add_options(*verb, session, only(option_refs(o.umap), {"metric", "n_epochs", "seed"}));
  add_options(*verb, session, only(option_refs(o.of_tsne), {"perplexity"}), {}, "Options of --method tsne");
  verb->add_flag_function(
      "--density", [flags](std::int64_t) { flags->options.umap.dens_lambda = 2; },
      "Keep dense what is dense (densMAP; umap)");
  add_shared(*verb, session);
  verb->callback([verb, flags, &session] { run_layout(*verb, *flags, session); });
}

}  // namespace shoal::cli
