
#include "shoal/flow/adapt/migrate.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct MigrateFlags {
  std::string old, model, out;
  MigrateOptions options;
};

std::string share(double x) { return rounded(100 * x, "%.1f%%"); }

std::string in_words(const MigrateReport& report, const MigrateFlags& flags, const Progress& progress) {
  const std::string k = std::to_string(flags.options.how.k);
  std::string out = with_commas(report.sample) + " of " + with_commas(report.rows) +
                    " texts embedded by the new model; the map learnt from " +
                    with_commas(report.map.learnt_from) + "\n";
  for (const MapRecall& choice : report.map.choices)
    out += "  " + std::string(name_of(choice.map)) + ": recall@" + k + " " + share(choice.recall) +
           (choice.map == report.map.stated.map ? "  (chosen)" : "") + "\n";
  out += "of the " + k + " nearest texts that the old model finds, the mapped new one finds " +
         share(report.map.stated.recall) + " (95% interval " + share(report.map.stated.low()) + " to " +
         share(report.map.stated.high()) + ", " + with_commas(report.map.stated_on) +
         " texts held out);\nwithout a map, all embedded by the new model, it would find " +
         share(report.map.without) + ": the two differ in what they take to be near\n";
  return out + time_line(progress) + "\nwrote " + flags.out + "; shoal search " + flags.old +
         " QUESTION --through " + flags.out + "\n";
}

Json to_json(const MapRecall& recall) {
  return {{"map", name_of(recall.map)},
          {"recall", recall.recall},
          {"low", recall.low()},
          {"high", recall.high()}};
}

void run_migrate(MigrateFlags& flags, Session& session) {
  MigrateOptions& o = flags.options;
  o.old = flags.old;
  o.out = flags.out;
  o.models_folder = models_folder();
  o.model = find_model(flags.model, o.models_folder);
  keep_out_of(flags.old, flags.out);
  const MigrateReport report = migrate(o, session.run());
  session.progress().finish();
  Json choices = Json::array();
  for (const MapRecall& choice : report.map.choices) choices.push_back(to_json(choice));
  session.answer({{"out", flags.out},
                  {"from", report.from},
                  {"to", report.to},
                  {"rows", report.rows},
                  {"sample", report.sample},
                  {"learnt_from", report.map.learnt_from},
                  {"k", o.how.k},
                  {"choices", choices},
                  {"stated", to_json(report.map.stated)},
                  {"stated_on", report.map.stated_on},
                  {"recall_without_map", report.map.without},
                  {"seconds_total", session.progress().seconds()}},
                 in_words(report, flags, session.progress()));
}

}  // namespace

void add_migrate(CLI::App& app, Session& session) {
  auto flags = std::make_shared<MigrateFlags>();
  MigrateOptions& o = flags->options;
  auto* verb = app.add_subcommand("migrate", "Search a collection by a new model before it is embedded anew");
  verb->footer(
      "A sample of the texts is embedded by the new model, and a map of its vectors into the old space is\n"
      "learnt: a rotation, a linear map, or that and a small perceptron, whichever keeps more of the old\n"
      "model's neighbours on texts held out. How much it keeps is stated on texts that no choice has seen.\n"
      "Questions are then embedded by the new model; the vectors of the collection stay.\n\n"
      "Examples:\n"
      "  shoal migrate reviews.shoal multilingual-e5-small --out to-old.safetensors\n"
      "  shoal search reviews.shoal \"refund never arrived\" --through to-old.safetensors");
  verb->add_option("old", flags->old, "The collection")->required()->type_name("NAME.shoal");
  verb->add_option("model", flags->model, "Name or folder of the new model")
      ->required()
      ->type_name("NAME|DIR");
  verb->add_option("--out", flags->out, "The map to make")->required()->type_name("FILE.safetensors");
  verb->add_flag("--overwrite", o.overwrite, "Replace the file if it exists");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.how));
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_migrate(*flags, session); });
}

}  // namespace shoal::cli
