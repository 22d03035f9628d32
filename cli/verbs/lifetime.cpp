#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/watch/lifetime_report.h"
#include "shoal/store/archive/archive.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct LifetimeFlags {
  std::string input, vectors, plot;
  bool overwrite = false, keep = false;
  LifetimeReportOptions options;
};

Json to_json(const LossCurve& curve, const LifetimeOptions& how) {
  const Lifetime& l = curve.lifetime;
  Json out{{"measure", name_of(curve.measure)},
           {"answer", name_of(l.answer)},
           {"in_words", lifetime_in_words(curve, how.loss, how.confidence)}};
  const bool estimated = l.answer == LifetimeAnswer::estimated;
  out["days"] = estimated && l.age ? Json(*l.age) : Json(nullptr);
  out["days_low"] = std::isfinite(l.low) && l.low > 0 ? Json(l.low) : Json(nullptr);
  out["days_high"] = l.high ? Json(*l.high) : Json(nullptr);
  out["days_seen"] = l.seen;
  out["slope_a_day"] = {
      {"value", l.slope}, {"low", l.slope_low}, {"high", l.slope_high}, {"p_val", l.slope_p}};
  out["loss_at_end"] = {{"value", l.loss_at}, {"low", l.loss_low}, {"high", l.loss_high}};
  out["curve"] = Json::array();
  for (Index i = 0; i < curve.losses.size(); ++i)
    out["curve"].push_back(
        {{"days", curve.losses[i].age}, {"loss", curve.losses[i].loss}, {"pairs", curve.pairs[i]}});
  out["back_test"] = nullptr;
  if (curve.earlier)
    out["back_test"] = {
        {"answer", name_of(curve.earlier->answer)},
        {"days_seen", curve.earlier->seen},
        {"days", curve.earlier->at},
        {"foretold",
         {{"value", curve.earlier->loss_at}, {"low", curve.earlier_low}, {"high", curve.earlier_high}}},
        {"came", curve.later_loss},
        {"held", curve.held}};
  return out;
}

std::string in_words(const LifetimeReport& report, const LifetimeOptions& how, const Progress& progress) {
  const LifetimeResult& found = report.found;
  std::string out = with_commas(found.windows) + " windows of " +
                    (report.join == 1 ? std::string("one ") + name_of(report.every)
                                      : std::to_string(report.join) + " " + name_of(report.every) + "s") +
                    ", models of " + with_commas(found.rows_a_model) + " rows and " +
                    std::to_string(found.clusters) + " clusters\n";
  for (const LossCurve& curve : found.curves) {
    out += std::string(name_of(curve.measure)) + ": " + lifetime_in_words(curve, how.loss, how.confidence) +
           "\n";
    if (curve.earlier)
      out += "  back-test: from the first two thirds " + rounded(100 * curve.earlier_low, "%.1f") + " to " +
             rounded(100 * curve.earlier_high, "%.1f") + " points were foretold for an age of " +
             time_in_words(curve.earlier->at) + "; " + rounded(100 * curve.later_loss, "%.1f") + " came" +
             (curve.held ? "\n" : ": not foreseen\n");
  }
  out += "A sudden step that is still to come cannot be foreseen by any of this.\n";
  if (!report.clusters.empty()) {
    Index on = 0, born = 0, died = 0;
    for (const ClusterFuture& c : report.clusters)
      (c.what == "goes on" ? on : c.what == "born" ? born : died) += 1;
    out += "clusters found anew: " + std::to_string(on) + " go on, " + std::to_string(born) + " are born, " +
           std::to_string(died) + " died, " + std::to_string(report.splits.size()) + " split, " +
           std::to_string(report.merges.size()) + " merge\n";
    for (const ClusterFuture& c : report.clusters)
      if (c.what != "goes on") out += "  " + c.what + ": " + c.name + "\n";
    for (const std::string& line : report.splits) out += "  " + line + "\n";
    for (const std::string& line : report.merges) out += "  " + line + "\n";
  }
  return out + time_line(progress) + "\n";
}

void run_lifetime(LifetimeFlags& flags, Session& session) {
  LifetimeReportOptions& o = flags.options;
  o.input = flags.input;
  o.read.vectors = flags.vectors;
  o.read.models_folder = models_folder();
  require(!flags.keep || Collection::exists(flags.input), Fault::argument,
          "--keep keeps the plot in a collection; " + flags.input + " is none");
  if (flags.keep) check_has_map(flags.input);
  check_new_files({flags.input, flags.vectors}, {{"--plot", flags.plot}}, flags.overwrite);
  const LifetimeReport report = lifetime_report(o, session.run(), language_notice(session));
  session.progress().finish();
  for (const std::string& note : report.notes) session.remark("note: " + note);
  if (!flags.plot.empty()) write_file(flags.plot, lifetime_svg(report, o.how.loss));
  if (flags.keep) keep_plots(flags.input, {{kLifetimePlot, lifetime_svg(report, o.how.loss)}});
  Json object{{"rows", report.rows},
              {"rows_left_out", report.left_out},
              {"loss", o.how.loss},
              {"confidence", o.how.confidence},
              {"every", name_of(report.every)},
              {"join", report.join},
              {"windows", report.found.windows},
              {"rows_a_model", report.found.rows_a_model},
              {"n_clusters", report.found.clusters}};
  object["measures"] = Json::array();
  for (const LossCurve& curve : report.found.curves) object["measures"].push_back(to_json(curve, o.how));
  object["clusters"] = Json::array();
  for (const ClusterFuture& c : report.clusters)
    object["clusters"].push_back({{"name", c.name},
                                  {"what", c.what},
                                  {"new_name", c.new_name},
                                  {"old_rows", c.old_rows},
                                  {"new_rows", c.new_rows},
                                  {"kept", c.kept}});
  object["splits"] = report.splits;
  object["merges"] = report.merges;
  object["notes"] = report.notes;
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, in_words(report, o.how, session.progress()));
}

}  // namespace

void add_lifetime(CLI::App& app, Session& session) {
  auto flags = std::make_shared<LifetimeFlags>();
  LifetimeReportOptions& o = flags->options;
  auto* verb = app.add_subcommand("lifetime", "How long models of these texts stay fit as time goes by");
  verb->footer(
      "A model is fitted on each window of time and judged on all later ones. What it loses there against a\n"
      "model that was fitted just before, on the same rows, is its regret; a model's age is the time "
      "between\n"
      "its window and the other. With --labels the model is a classifier and quality is accuracy. Always it "
      "is\n"
      "also k-means, judged by the share of rows that are like its clusters (unlike), by the margin between\n"
      "the nearest and the next centroid, and by whether nearest neighbours fall into one cluster "
      "(agreement).\n\n"
      "The answer is a time with an interval, or 'no such loss within what was seen', or 'not enough\n"
      "evidence'. It is tested on the past: what the first two thirds foretold, and what came. INPUT is a\n"
      "collection or a file of texts (which is embedded). Clusters are also found anew on the latest texts "
      "and\n"
      "matched with those of the oldest: which go on, split, merge, are born or died.\n\n"
      "Examples:\n"
      "  shoal lifetime news.csv --time date --plot lifetime.svg\n"
      "  shoal lifetime tickets.shoal --time created --labels team --loss 0.03 --json");
  verb->add_option("input", flags->input, "A collection or texts")->required()->type_name("INPUT");
  verb->add_option("--time", o.time, "Column that says when each row was")->required()->type_name("COLUMN");
  verb->add_option("--labels", o.labels, "Column of classes, to judge by accuracy too")->type_name("COLUMN");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.how), {{"n_clusters", "--clusters"}});
  verb->add_option("--plot", flags->plot, "Also draw the losses by age")->type_name("FILE.svg");
  verb->add_flag("--keep", flags->keep,
                 "Keep the plot in the collection: the report in its map.html shows it");
  verb->add_flag("--overwrite", flags->overwrite, "Replace the plot if it exists");
  verb->add_option("--vectors", flags->vectors,
                   "Vectors of the rows, where INPUT is a table; made there if absent")
      ->type_name("FILE");
  add_model_option(*verb, o.read.model);
  add_reading(*verb, session, o.read.read);
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_lifetime(*flags, session); });
}

}  // namespace shoal::cli
