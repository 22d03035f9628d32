#include <algorithm>
#include <cmath>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/flow/ensembles/fit_ensemble.h"
#include "shoal/flow/ensembles/measure_gain.h"
#include "shoal/flow/texts/models.h"
#include "shoal/store/collection/collection.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string number(double x, const char* format = "%.3f") {
  char out[32];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

std::string with_interval(const Measured& m, const char* format) {
  return number(m.value, format) + " [" + number(m.low, format) + ", " + number(m.high, format) + "]";
}

Json to_json(const FitEnsembleReport& report) {
  Json parts = Json::array();
  for (const auto& part : report.parts) {
    Json line{{"name", part.name}, {"weight", part.weight}, {"dims", part.dims}};
    if (part.terms > 0) line["terms"] = part.terms;
    parts.push_back(std::move(line));
  }
  Json out{{"out", report.out.string()},
           {"done_before", report.done_before},
           {"dims", report.dims},
           {"id", report.id},
           {"parts", parts}};
  if (!report.done_before) out["texts"] = report.texts;
  if (report.variance) out["variance"] = *report.variance;
  return out;
}

std::string in_words(const FitEnsembleReport& report, EnsemblePool pool, const Progress& progress) {
  if (report.done_before) return done_before(report.out);
  std::string out;
  for (const auto& part : report.parts)
    out += "  " + part.name + ": weight " + text_of(FieldValue(part.weight)) + ", " +
           counted(part.dims, "dimension") + (part.terms > 0 ? ", of " + counted(part.terms, "term") : "") +
           "\n";
  out = counted(report.parts.size(), "part") + ", learnt from " + counted(report.texts, "text") + "\n" + out;
  out += pool == EnsemblePool::concatenate ? "side by side: " : std::string(name_of(pool)) + ": ";
  out += counted(report.dims, "dimension");
  if (report.variance) out += ", " + number(100 * *report.variance, "%.1f") + "% of the variance";
  return out + "\n" + time_line(progress) + "\nwrote " + report.out.string() +
         "; is it any better? shoal ensemble evaluate " + report.out.string() + " LABELLED --label COLUMN\n";
}

void run_fit(FitEnsembleOptions& o, CLI::App& verb, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the folder to make");
  require(o.pool == EnsemblePool::pca || (verb.count("--variance") == 0 && verb.count("--n-components") == 0),
          Fault::argument, "--variance and --n-components are of --pool pca");
  require(o.pool != EnsemblePool::concatenate || verb.count("--sample") == 0, Fault::argument,
          "--sample is of --pool average and pca; side by side, nothing is learnt from a sample");
  const bool counts = std::ranges::find(o.parts, "tfidf") != o.parts.end();
  for (const char* flag : {"--ngrams", "--min-texts", "--max-terms", "--tfidf-dims", "--stop-words"})
    require(counts || verb.count(flag) == 0, Fault::argument,
            flag + std::string(" is of the part tfidf, which --parts does not name"));
  o.models_folder = models_folder();
  for (const auto& input : o.inputs)
    if (Collection::exists(input)) {
      require(o.inputs.size() == 1, Fault::argument,
              input.string() + " is a collection; it must be the only input");
      refuse_reading(verb, input.string(), "a collection");
      keep_out_of(input, o.out);
    }
  const FitEnsembleReport report = fit_ensemble(o, session.run());
  session.progress().finish();
  Json out = to_json(report);
  out["pool"] = name_of(o.pool);
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(report, o.pool, session.progress()));
}

Json to_json(const Measured& m) { return {{"value", m.value}, {"low", m.low}, {"high", m.high}}; }

constexpr const char* kVerdicts[] = {"gain", "none", "loss"};

Json to_json(const Gain& gain) {
  Json parts = Json::array();
  for (const auto& part : gain.parts)
    parts.push_back({{"name", part.name}, {"alone", to_json(part.alone)}, {"gain", to_json(part.gain)}});
  return {{"measure", gain.measure},
          {"ensemble", to_json(gain.ensemble)},
          {"parts", parts},
          {"best_part", gain.parts[gain.best].name},
          {"verdict", kVerdicts[static_cast<int>(gain.verdict)]}};
}

std::string in_words(const Gain& gain) {
  std::size_t width = 8;
  for (const auto& part : gain.parts) width = std::max(width, part.name.size());
  const auto padded = [&](std::string name) {
    return "  " + name + std::string(width - name.size() + 2, ' ');
  };
  std::string out = gain.measure + "\n" + padded("ensemble") + with_interval(gain.ensemble, "%.3f") + "\n";
  for (const auto& part : gain.parts)
    out += padded(part.name) + with_interval(part.alone, "%.3f") + "  ensemble " +
           with_interval(part.gain, "%+.3f") + "\n";
  const auto& best = gain.parts[gain.best];
  const std::string over =
      " over " + best.name + " alone, the best part: " + with_interval(best.gain, "%+.3f") + "\n";
  if (gain.verdict == Gain::Verdict::gain) return out + "  a gain" + over;
  if (gain.verdict == Gain::Verdict::loss) return out + "  a loss" + over;
  return out + "  no gain that shows" + over;
}

void run_evaluate(const std::string& model, MeasureGainOptions& o, CLI::App& verb, Session& session) {
  check_encoding(verb, o.encode);
  const Run run = session.run();
  for (const char* flag : {"--shots", "--draws", "--c", "--group"})
    require(o.pairs.empty() || verb.count(flag) == 0, Fault::argument,
            flag + std::string(" is of --label; pairs need none"));
  require(o.pairs.empty() || verb.count("--text") == 0, Fault::argument,
          "--pairs names both columns of texts; --text is of --label");
  const Encoder ensemble = load_model(model, models_folder(), run);
  const GainReport report = measure_gain(ensemble, o, run, language_notice(session));
  session.progress().finish();
  std::string text;
  if (o.pairs.empty())
    text = counted(report.rows, "row") + " with " + counted(report.labels, "label") + "; " +
           std::to_string(o.shots) + " a label to learn from, drawn " + counted(o.draws, "time") + "\n";
  else
    text = counted(report.rows, "scored pair") + "\n";
  if (report.left_out > 0)
    text += counted(report.left_out, "row") + (o.pairs.empty()
                                                   ? " left out: without a label, or the only one of it\n"
                                                   : " left out: without a score\n");
  Json gains = Json::array();
  for (const Gain& gain : report.gains) {
    gains.push_back(to_json(gain));
    text += in_words(gain);
  }
  text += "[low, high]: 95% intervals\n" + time_line(session.progress()) + "\n";
  session.answer({{"model", report.model},
                  {"rows", report.rows},
                  {"left_out", report.left_out},
                  {"labels", report.labels},
                  {"truncated_texts", report.cut},
                  {"unknown_texts", report.unknown},
                  {"gains", gains},
                  {"seconds_total", session.progress().seconds()}},
                 text);
}

void add_fit(CLI::App& ensemble, Session& session) {
  auto options = std::make_shared<FitEnsembleOptions>();
  FitEnsembleOptions& o = *options;
  auto* verb = ensemble.add_subcommand("fit", "Make an ensemble of models");
  verb->footer(
      "A part is one of\n"
      "  MODEL          a name from 'shoal model list', or a folder; another ensemble too\n"
      "  tfidf          counted words, weighed by how rare they are in TEXTS, and the SVD of such counts\n"
      "  tokens:MODEL   the mean of a model's token vectors, weighed by how rare they are in TEXTS\n"
      "Each part's vectors are scaled to length 1, and count by their weight. TEXTS are read a few times; "
      "their\n"
      "number does not matter. The result is a folder: a model for --model of every verb. The models that "
      "it\n"
      "names stay where they are, and are refused once they have changed.\n\n"
      "Examples:\n"
      "  shoal ensemble fit questions.csv --parts all-MiniLM-L6-v2,tfidf --out bank\n"
      "  shoal ensemble fit a.csv b.csv --parts all-MiniLM-L6-v2,tfidf,tokens:all-MiniLM-L6-v2 --weights "
      "1,0.5,0.3\n"
      "      --pool pca --out small");
  verb->add_option_function<std::vector<std::string>>(
          "texts", [&o](const std::vector<std::string>& all) { o.inputs.assign(all.begin(), all.end()); },
          "CSV, TSV, JSONL, Parquet or plain lines, or one collection: what is learnt from")
      ->required()
      ->type_name("TEXTS");
  verb->add_option("--parts", o.parts, "What it is made of, parted by commas")
      ->required()
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("PART,...");
  verb->add_option("--weights", o.weights,
                   "One number a part. Default: 1 for a model, 0.5 for tfidf and tokens")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("NUMBER,...");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The folder to make")
      ->required()
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.tfidf));
  add_reading(*verb, session, o.read);
  add_shared(*verb, session);
  verb->callback([options, verb, &session] { run_fit(*options, *verb, session); });
}

void add_gain(CLI::App& ensemble, Session& session) {
  auto options = std::make_shared<MeasureGainOptions>();
  auto model = std::make_shared<std::string>();
  MeasureGainOptions& o = *options;
  auto* verb = ensemble.add_subcommand("evaluate", "Is an ensemble any better than its parts alone?");
  verb->footer(
      "With --label: accuracy of a logistic regression on few examples, on rows that it has not seen; and "
      "how\n"
      "well clusters follow the labels (V-measure). With --pairs and --score: how well cosines order pairs\n"
      "(Spearman). The ensemble and its parts are measured on the same draws; if the 95% interval of the\n"
      "difference to the best part holds 0, the answer says that no gain shows.\n\n"
      "Examples:\n"
      "  shoal ensemble evaluate bank labelled.csv --label intent\n"
      "  shoal ensemble evaluate bank pairs.csv --pairs text_a,text_b --score score");
  verb->add_option("model", *model, "Name or folder of the ensemble")->required()->type_name("NAME|DIR");
  verb->add_option_function<std::string>(
          "input", [&o](const std::string& path) { o.input = path; }, "A table of texts; - is standard input")
      ->required()
      ->type_name("TABLE");
  verb->add_option("--label", o.label, "Column of labels")->type_name("COLUMN");
  verb->add_option(
          "--group", o.group,
          "Column whose values are never on both sides, as a customer or a document. Equal texts never "
          "are")
      ->type_name("COLUMN");
  verb->add_option("--pairs", o.pairs, "Two columns of texts, parted by a comma")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("COLUMN,COLUMN");
  verb->add_option("--score", o.score, "Column that says how much the two texts are alike")
      ->type_name("COLUMN");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.encode));
  add_reading(*verb, session, o.read);
  add_shared(*verb, session);
  verb->callback([model, options, verb, &session] { run_evaluate(*model, *options, *verb, session); });
}

}  // namespace

void add_ensemble(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("ensemble", "Several models as one, and whether that is any better");
  verb->require_subcommand(1);
  add_fit(*verb, session);
  add_gain(*verb, session);
}

}  // namespace shoal::cli
