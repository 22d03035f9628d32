#include <cmath>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/watch/drift_report.h"
#include "shoal/flow/watch/online_report.h"
#include "shoal/store/archive/archive.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct DriftFlags {
  std::string old_input, new_input, vectors, new_vectors, tests, plot;
  bool overwrite = false, keep = false;
  DriftReportOptions options;
  bool online = false;
  OnlineOptions watch;
};

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
Json said(const std::optional<bool>& is_drift) { return is_drift ? Json(*is_drift ? 1 : 0) : Json(nullptr); }

Json to_json(const DriftStep& step, double alpha) {
  Json out = Json::object();
  if (!step.name.empty()) out["period"] = step.name, out["rows"] = step.rows;
  if (!step.problem.empty()) {
    out["problem"] = step.problem;
    return out;
  }
  const DriftResult& found = step.found;
  out["is_drift"] = said(found.is_drift);
  out["p_val"] = found.p_val;
  if (!step.name.empty()) out["corrected_p_val"] = step.corrected_p_val;
  out["threshold"] = alpha;
  out["enough_blocks"] = found.enough_blocks;
  out["smallest_p_val"] = found.smallest_p;
  out["permutations"] = found.deals;
  out["all_permutations"] = found.exact;
  out["old"] = {{"rows", found.old_rows}, {"blocks", found.old_blocks}};
  out["new"] = {{"rows", found.new_rows}, {"blocks", found.new_blocks}};
  out["pair_rows"] = found.pair_rows;
  out["old_pair_rows"] = found.old_pair_rows;
  out["tests"] = Json::array();
  for (const DriftTestResult& test : found.tests)
    out["tests"].push_back(
        {{"test", name_of(test.test)},
         {"is_drift",
          found.enough_blocks && !std::isnan(test.p_val) ? Json(test.p_val <= alpha ? 1 : 0) : Json(nullptr)},
         {"distance", number(test.distance)},
         {"threshold", number(test.threshold)},
         {"p_val", test.p_val}});
  out["clusters"] = Json::array();
  for (Index c = 0; c < found.clusters.size(); ++c) {
    const ClusterChange& change = found.clusters[c];
    out["clusters"].push_back({{"cluster", change.cluster},
                               {"name", step.clusters[c].name},
                               {"change", name_of(change.fate)},
                               {"old_rows", change.old_rows},
                               {"new_rows", change.new_rows},
                               {"old_share", change.old_share},
                               {"new_share", change.new_share},
                               {"p_val", change.p_val},
                               {"corrected_p_val", change.corrected_p_val},
                               {"examples", step.clusters[c].examples}});
  }
  return out;
}

std::string percent(double share) { return rounded(100 * share, "%.1f") + "%"; }

std::string changes_in_words(const DriftStep& step) {
  std::string out;
  for (Index c = 0; c < step.found.clusters.size(); ++c) {
    const ClusterChange& change = step.found.clusters[c];
    if (change.fate == ClusterFate::same) continue;
    out += std::string("  ") + name_of(change.fate) + ": " + step.clusters[c].name + ", " +
           percent(change.old_share) + " to " + percent(change.new_share) + " (p " +
           rounded(change.corrected_p_val) + ")\n";
    for (const std::string& text : step.clusters[c].examples) out += "      " + one_line(text, 100) + "\n";
  }
  return out;
}

std::string verdict(const std::optional<bool>& is_drift) {
  return !is_drift ? "not enough blocks" : *is_drift ? "drift" : "no drift";
}

std::string not_enough(const DriftReport& report, const DriftResult& found, double alpha) {
  return "not enough blocks: " + std::to_string(found.old_blocks) + " against " +
         std::to_string(found.new_blocks) + " " + report.unit + " allow " +
         counted(found.deals, "permutation") + ", and no p-value below " + rounded(found.smallest_p) +
         ", above " + rounded(alpha) + "\n";
}

std::string in_words(const DriftReport& report, double alpha, const Progress& progress) {
  std::string out;
  char line[160];
  if (report.steps.size() == 1 && report.steps[0].name.empty()) {
    const DriftStep& step = report.steps[0];
    const DriftResult& found = step.found;
    out += verdict(found.is_drift) + ": p " + rounded(found.p_val) +
           " of all tests together; smallest reachable " + rounded(found.smallest_p) + " (" +
           std::to_string(found.old_blocks) + " against " + std::to_string(found.new_blocks) + " " +
           report.unit + ", " + (found.exact ? "all " : "") + counted(found.deals, "permutation") + ")\n";
    if (!found.enough_blocks) out += not_enough(report, found, alpha);
    for (const DriftTestResult& test : found.tests) {
      if (std::isnan(test.p_val)) continue;  // a note says why
      std::snprintf(line, sizeof line, "  %-17s distance %-10s threshold %-10s p %s\n", name_of(test.test),
                    rounded(test.distance).c_str(), rounded(test.threshold).c_str(),
                    rounded(test.p_val).c_str());
      out += line;
    }
    const std::string changes = changes_in_words(step);
    out += changes.empty() && !found.clusters.empty() ? "  no cluster's share surely changed\n" : changes;
    return out + time_line(progress) + "\n";
  }
  out += verdict(report.is_drift) + ": the smallest p of all periods is " + rounded(report.p_val) +
         " (corrected for their number)\n";
  for (const DriftStep& step : report.steps) {
    if (!step.problem.empty()) {
      out += step.name + "  " + step.problem + "\n";
      continue;
    }
    std::snprintf(line, sizeof line, "%-16s %8s rows  p %-8s corrected %-8s %s\n", step.name.c_str(),
                  with_commas(step.rows).c_str(), rounded(step.found.p_val).c_str(),
                  rounded(step.corrected_p_val).c_str(),
                  !step.found.enough_blocks                     ? "not enough blocks"
                  : step.corrected_p_val <= alpha * (1 + 1e-12) ? "drift"
                                                                : "");
    out += line;
    if (step.found.enough_blocks && step.corrected_p_val <= alpha * (1 + 1e-12))
      out += changes_in_words(step);
  }
  return out + time_line(progress) + "\n";
}

void run_online(DriftFlags& flags, const CLI::App& verb, Session& session) {
  require(!flags.new_input.empty(), Fault::argument,
          "--online watches a stream against a reference: give both, OLD and NEW (- is standard input)");
  for (const char* flag : {"--keep", "--time", "--blocks", "--given", "--every", "--against", "--tests",
                           "--alpha", "--permutations", "--max-rows"})
    require(verb.count(flag) == 0, Fault::argument,
            std::string(flag) + " is for groups of rows; --online takes rows one by one");
  OnlineReportOptions o;
  o.reference = flags.old_input;
  o.stream = flags.new_input;
  o.stream_vectors = flags.new_vectors;
  o.how = flags.watch;
  o.how.seed = flags.options.drift.seed;
  if (flags.options.n_clusters) o.how.n_clusters = *flags.options.n_clusters;
  o.read = flags.options.read;
  o.read.vectors = flags.vectors;
  o.read.models_folder = models_folder();
  const bool live = flags.new_input == "-";
  const OnlineReport report =
      watch_stream(o, session.run(), language_notice(session), [&](const OnlineAlarm& alarm) {
        if (live)
          session.remark("drift at row " + std::to_string(alarm.row) + ": " + one_line(alarm.text, 100));
      });
  session.progress().finish();
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (!flags.plot.empty()) write_file(flags.plot, online_svg(report, o.how.method));
  const bool martingale = o.how.method == OnlineMethod::martingale;
  Json object{{"is_drift", report.alarms.empty() ? 0 : 1},
              {"time", report.alarms.empty() ? Json(nullptr) : Json(report.alarms.front().row)},
              {"test_stat", report.statistic.empty() ? Json(nullptr) : Json(report.statistic.back())},
              {"threshold", report.threshold},
              {"method", name_of(o.how.method)},
              {"ert", martingale ? Json(nullptr) : Json(o.how.run_length)},
              {"false_alarm", martingale ? Json(o.how.false_alarm) : Json(nullptr)},
              {"reference_rows", report.reference_rows},
              {"rows", report.rows},
              {"scores", report.scores}};
  object["alarms"] = Json::array();
  std::string text = std::string(report.alarms.empty() ? "no drift" : "drift") + " in " +
                     counted(report.rows, "row") + ": " + counted(report.alarms.size(), "alarm") +
                     (martingale ? "; a stream without change alarms with a chance of at most " +
                                       rounded(o.how.false_alarm) + ", ever"
                                 : "; a stream without change alarms once in " +
                                       with_commas(o.how.run_length) + " rows or less") +
                     "\n";
  for (const OnlineAlarm& alarm : report.alarms) {
    object["alarms"].push_back({{"time", alarm.row}, {"test_stat", alarm.statistic}, {"text", alarm.text}});
    text += "  row " + std::to_string(alarm.row) + "  " + one_line(alarm.text, 100) + "\n";
  }
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, text + time_line(session.progress()) + "\n");
}

void run_drift(DriftFlags& flags, const CLI::App& verb, Session& session) {
  check_new_files({flags.old_input, flags.new_input, flags.vectors, flags.new_vectors},
                  {{"--plot", flags.plot}}, flags.overwrite);
  if (flags.online) return run_online(flags, verb, session);
  for (const char* flag : {"--method", "--false-alarm", "--run-length"})
    require(verb.count(flag) == 0, Fault::argument, std::string(flag) + " is for streams: give --online too");
  DriftReportOptions& o = flags.options;
  o.old_input = flags.old_input;
  if (!flags.new_input.empty()) o.new_input = flags.new_input;
  require(!o.new_input || (verb.count("--every") == 0 && verb.count("--against") == 0), Fault::argument,
          "--every and --against are for the periods of one input; there are two");
  require(o.new_input || flags.new_vectors.empty(), Fault::argument,
          "--new-vectors are of the second input; there is one");
  require(!flags.keep || (!o.new_input && Collection::exists(flags.old_input)), Fault::argument,
          "--keep keeps the plot of a collection's periods in it: give one collection and --time");
  if (flags.keep) check_has_map(flags.old_input);
  o.drift.tests = drift_tests(flags.tests);
  o.read.vectors = flags.vectors;
  o.new_vectors = flags.new_vectors;
  o.read.models_folder = models_folder();
  const DriftReport report = drift_report(o, session.run(), language_notice(session));
  session.progress().finish();
  const double alpha = o.drift.alpha;
  if (report.each_row)
    session.remark(
        "warning: each row was taken for independent of all others. Texts of one day or source rarely are, "
        "and then false alarms are many: give --time COLUMN or --blocks COLUMN");
  for (const std::string& note : report.notes) session.remark("note: " + note);
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (!flags.plot.empty()) write_file(flags.plot, drift_svg(report, alpha));
  if (flags.keep) keep_plots(flags.old_input, {{kDriftPlot, drift_svg(report, alpha)}});
  Json object{{"is_drift", said(report.is_drift)}, {"p_val", report.p_val}, {"threshold", alpha}};
  object["blocks_are"] = report.unit;
  object["each_row_independent"] = report.each_row;
  object["rows_left_out"] = report.left_out;
  object["n_clusters"] = report.clusters;
  object["given"] = o.given.empty() ? Json(nullptr) : Json(o.given);
  object["bandwidth"] = report.bandwidth;
  if (o.new_input) {
    const Json step = to_json(report.steps[0], alpha);
    for (const auto& [key, value] : step.items()) object[key] = value;
  } else {
    object["against"] = name_of(o.against);
    object["periods"] = Json::array();
    for (const DriftStep& step : report.steps) object["periods"].push_back(to_json(step, alpha));
  }
  object["notes"] = report.notes;
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, in_words(report, alpha, session.progress()));
}

}  // namespace

void add_drift(CLI::App& app, Session& session) {
  auto flags = std::make_shared<DriftFlags>();
  DriftReportOptions& o = flags->options;
  auto* verb = app.add_subcommand("drift", "Whether texts have changed, how surely, and what grew or shrank");
  verb->footer(
      "OLD and NEW are collections, files of texts (which are embedded) or vectors. Two inputs: the new\n"
      "against the old. One input with --time: each period against the first, the one before, or the rest.\n"
      "\n"
      "p-values come from dealing whole blocks anew to the two sides: texts of one day or source resemble\n"
      "each other, and tests that take them for independent cry wolf. Blocks are the values of --blocks, "
      "else\n"
      "the days of --time (hours where periods are days), else the rows, with a warning. With few blocks "
      "all\n"
      "deals are tried; where even the smallest p-value that they allow is above --alpha the answer is 'not\n"
      "enough blocks'.\n\n"
      "Tests: mmd, g-test, hotelling (these three by default), mean-shift, covariance-shift, kl-gaussian,\n"
      "kl-clusters, energy, classifier. The p-value of all together is that of the smallest one, dealt "
      "alike.\n\n"
      "With --online the rows of NEW come one by one, from a file or standard input, and what is stated is "
      "how\n"
      "rarely a stream without change alarms. Rows must be exchangeable as long as nothing changes.\n\n"
      "Examples:\n"
      "  shoal drift january.csv june.csv --blocks day\n"
      "  shoal drift reviews.shoal --time date --every month --plot drift.svg\n"
      "  shoal drift old.npy new.npy --tests all --json\n"
      "  tail -f today.txt | shoal drift january.csv - --online");
  verb->add_option("old", flags->old_input, "A collection, texts or vectors: what was")
      ->required()
      ->type_name("OLD");
  verb->add_option("new", flags->new_input, "The same: what is now. Without it periods of OLD are compared")
      ->type_name("NEW");
  verb->add_option("--time", o.time, "Column that says when each row was")->type_name("COLUMN");
  verb->add_option("--blocks", o.blocks, "Column whose equal values belong together: a day, a source, a user")
      ->type_name("COLUMN");
  verb->add_option("--given", o.given,
                   "Take off what the context explains: topics, length, or a column of groups. What is still "
                   "found is no mere change in their mix")
      ->type_name("CONTEXT");
  add_options(*verb, session, option_refs(o), {{"n_clusters", "--clusters"}});
  verb->add_option("--tests", flags->tests, "Tests by name, parted by commas, or all")
      ->default_str("mmd,g-test,hotelling")
      ->type_name("NAMES");
  flags->tests = "mmd,g-test,hotelling";
  add_options(*verb, session, option_refs(o.drift));
  verb->add_option("--plot", flags->plot, "Also draw it: the tests over time, or the clusters' shares")
      ->type_name("FILE.svg");
  verb->add_flag("--keep", flags->keep,
                 "Keep the plot over time in the collection: the report in its map.html shows it");
  verb->add_flag("--overwrite", flags->overwrite, "Replace the plot if it exists");
  verb->add_option("--vectors", flags->vectors,
                   "Vectors of the rows of OLD, where it is a table; made there if absent")
      ->type_name("FILE");
  verb->add_option("--new-vectors", flags->new_vectors, "The same of NEW")->type_name("FILE");
  verb->add_flag("--online", flags->online,
                 "Watch the rows of NEW one by one against OLD, and say at which the stream has changed");
  add_options(*verb, session, only(option_refs(flags->watch), {"method", "false_alarm", "run_length"}), {},
              "Options of --online");
  add_model_option(*verb, o.read.model);
  add_reading(*verb, session, o.read.read);
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_drift(*flags, *verb, session); });
}

}  // namespace shoal::cli
