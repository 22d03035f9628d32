#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/watch/anomaly_report.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct AnomalyFlags {
  std::string input, vectors, foreign, foreign_vectors, csv, plot;
  bool overwrite = false;
  Index top = 20;
  AnomalyReportOptions options;
};

Json to_json(const StrangeRow& strange, const AnomalyReport& report) {
  Json out{{"row", strange.row},
           {"score", strange.score},
           {"percentile", 100 * strange.percentile},
           {"reason", strange.reason}};
  if (report.rows.has_texts()) out["text"] = std::string(report.rows.texts[strange.row]);
  for (Index score = 0; score < kAnomalyScores; ++score)
    out["scores"][name_of(static_cast<AnomalyScore>(score))] = report.scores[score][strange.row];
  out["nearest"] = Json::array();
  for (Index i = 0; i < strange.nearest.size(); ++i) {
    Json near{{"row", strange.nearest[i]}, {"cosine", strange.cosine[i]}};
    if (report.rows.has_texts()) near["text"] = std::string(report.rows.texts[strange.nearest[i]]);
    out["nearest"].push_back(std::move(near));
  }
  return out;
}

std::string trust_in_words(const AnomalyReport& report, AnomalyScore score) {
  std::string out;
  for (const ScoreTrust& trust : report.trust)
    if (trust.score == score)
      out += "how far to trust it: of " + std::to_string(report.planted) + " " + report.foreign +
             " planted among the rows, " + rounded(100 * trust.found, "%.0f") + "% were among the " +
             std::to_string(report.planted) + " strangest (average precision " +
             rounded(trust.average_precision, "%.3f") + ", by chance " +
             rounded(static_cast<double>(report.planted) /
                         static_cast<double>(report.planted + report.percentile.size()),
                     "%.3f") +
             ")\n";
  for (const ScoreTrust& trust : report.trust)
    if (trust.score != score)
      out += "  " + std::string(name_of(trust.score)) + ": average precision " +
             rounded(trust.average_precision, "%.3f") + ", AUROC " + rounded(trust.auroc, "%.3f") + "\n";
  return out;
}

std::string in_words(const AnomalyReport& report, const AnomalyFlags& flags, const Progress& progress) {
  std::string out = with_commas(report.percentile.size()) + " rows, " + with_commas(report.strange.size()) +
                    " strange by " + name_of(flags.options.score) + "\n" +
                    trust_in_words(report, flags.options.score);
  for (Index i = 0; i < report.strange.size() && i < flags.top; ++i) {
    const StrangeRow& strange = report.strange[i];
    out +=
        rounded(100 * strange.percentile, "%.2f") + "%  row " + std::to_string(strange.row) +
        (report.rows.has_texts() ? "  " + one_line(std::string(report.rows.texts[strange.row]), 100) : "") +
        "\n        " + strange.reason + "\n";
    if (!strange.nearest.empty())
      out += "        nearest normal (cosine " + rounded(strange.cosine[0], "%.2f") +
             "): " + one_line(text_of_row(report.rows, strange.nearest[0]), 100) + "\n";
  }
  if (report.strange.size() > flags.top)
    out += "... and " + with_commas(report.strange.size() - flags.top) + " more: --top N or --csv FILE\n";
  return out + time_line(progress) + "\n";
}

void run_anomalies(AnomalyFlags& flags, Session& session) {
  AnomalyReportOptions& o = flags.options;
  o.input = flags.input;
  o.foreign = flags.foreign;
  o.foreign_vectors = flags.foreign_vectors;
  o.read.vectors = flags.vectors;
  o.read.models_folder = models_folder();
  require(flags.foreign_vectors.empty() || !flags.foreign.empty(), Fault::argument,
          "--foreign-vectors are of the rows of --foreign; give both");
  require(o.trust || flags.foreign.empty(), Fault::argument,
          "--foreign is planted to see how far scores can be trusted; --no-trust asks for no such thing");
  check_new_files({flags.input, flags.vectors, flags.foreign, flags.foreign_vectors},
                  {{"--csv", flags.csv}, {"--plot", flags.plot}}, flags.overwrite);
  const AnomalyReport report = anomaly_report(o, session.run(), language_notice(session));
  session.progress().finish();
  for (const std::string& note : report.notes) session.remark("note: " + note);
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (!flags.csv.empty()) write_anomalies_csv(report, flags.csv);
  if (!flags.plot.empty()) write_file(flags.plot, anomalies_svg(report, o.score));
  Json object{{"rows", report.percentile.size()}, {"score", name_of(o.score)}, {"share", o.share}};
  object["trust"] = nullptr;
  if (!report.trust.empty()) {
    Json& trust =
        object["trust"] = {{"planted", report.planted}, {"draws", report.draws}, {"foreign", report.foreign}};
    for (const ScoreTrust& of : report.trust)
      trust["scores"].push_back({{"score", name_of(of.score)},
                                 {"average_precision", of.average_precision},
                                 {"auroc", of.auroc},
                                 {"found", of.found}});
  }
  object["strange"] = Json::array();
  for (const StrangeRow& strange : report.strange) object["strange"].push_back(to_json(strange, report));
  object["kept_as"] = o.keep ? Json(kAnomalyResult) : Json(nullptr);
  object["notes"] = report.notes;
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, in_words(report, flags, session.progress()));
}

}  // namespace

void add_anomalies(CLI::App& app, Session& session) {
  auto flags = std::make_shared<AnomalyFlags>();
  AnomalyReportOptions& o = flags->options;
  auto* verb = app.add_subcommand("anomalies", "Texts that are unlike the others, why, and how sure that is");
  verb->footer(
      "INPUT is a collection, a file of texts (which is embedded) or vectors. Each row is scored by its\n"
      "neighbours' distance (knn), how much sparser it lies than they do (lof), the mean of both ranks "
      "(knn-lof,\n"
      "which decides), its distance in the covariance of all (mahalanobis), what the leading principal\n"
      "components leave out (reconstruction), and its distance to its cluster in that cluster's own "
      "scale.\n\n"
      "Foreign texts are planted among the rows at random: how many of them are found says how far the "
      "scores\n"
      "can be trusted on these rows. Strange is not wrong: look at the texts.\n\n"
      "Examples:\n"
      "  shoal anomalies reviews.shoal --top 30\n"
      "  shoal anomalies tickets.csv --text body --csv strange.csv --plot strange.svg\n"
      "  shoal anomalies x.npy --foreign other.npy --json");
  verb->add_option("input", flags->input, "A collection, texts or vectors")->required()->type_name("INPUT");
  add_options(*verb, session, only(option_refs(o), {"score", "share"}));
  verb->add_option("--top", flags->top, "Rows to print; --json and --csv have all")->capture_default_str();
  add_options(*verb, session, option_refs(o.how));
  add_options(*verb, session, only(option_refs(o), {"n_clusters"}), {{"n_clusters", "--clusters"}});
  verb->add_option("--foreign", flags->foreign,
                   "Rows that do not belong, to be planted. Default: sentences of shoal's own")
      ->type_name("FILE");
  add_options(*verb, session, only(option_refs(o), {"trust"}), {{"trust", "--no-trust"}});
  verb->add_option("--csv", flags->csv, "Also write every row with all scores")->type_name("FILE");
  verb->add_option("--plot", flags->plot, "Also draw the histogram of the score")->type_name("FILE.svg");
  verb->add_flag("--overwrite", flags->overwrite, "Replace these files if they exist");
  verb->add_flag(
      "--keep", o.keep,
      "Keep the percentiles in the collection, as its result 'anomaly': map.html offers them under "
      "'Colour by', and 'shoal export --result anomaly' writes them");
  verb->add_option("--vectors", flags->vectors,
                   "Vectors of the rows, where INPUT is a table; made there if absent")
      ->type_name("FILE");
  verb->add_option("--foreign-vectors", flags->foreign_vectors, "The same of --foreign")->type_name("FILE");
  add_options(*verb, session, only(option_refs(o), {"seed"}));
  add_model_option(*verb, o.read.model);
  add_reading(*verb, session, o.read.read);
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_anomalies(*flags, session); });
}

}  // namespace shoal::cli
