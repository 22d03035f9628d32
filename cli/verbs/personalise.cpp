
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/adapt/make_profile.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct PersonaliseFlags {
  std::string input, feedback, out, plot, vectors;
  MakeProfileOptions options;
};

std::string interval(const HeldOutGain& gain) {
  return rounded(gain.gain, "%+.3f") + " (95% interval " + rounded(gain.low(), "%+.3f") + " to " +
         rounded(gain.high(), "%+.3f") + ")";
}

std::string verdict(const PersonaliseReport& guard, Index keep) {
  const std::string top = "the first " + std::to_string(keep) + " hits";
  if (!guard.reason.empty())
    return "the profile changes nothing: " + guard.reason + ". Give more feedback.\n";
  switch (guard.trust) {
    case Trust::none:
      return "the profile changes nothing: feedback that was held out is not told better with it. More "
             "feedback "
             "may help.\n";
    case Trust::order:
      return "the profile changes the order below " + top +
             "; these stay as they are: held-out feedback does not "
             "prove that they should change.\n";
    case Trust::gentle:
      return "the profile changes the order of hits, and gently " + top + ".\n";
    case Trust::top:
      return "the profile changes the order of hits and " + top + ", which held-out feedback likes better.\n";
  }
  return "";
}

std::string conflicts_in_words(const MakeProfileReport& report) {
  const FeedbackConflicts& c = report.guard.conflicts;
  std::string out;
  if (c.outvoted > 0)
    out += "the feedback contradicts itself: " + counted(c.outvoted, "judgement") +
           " left out, since most judgements of the same pair say the opposite\n";
  if (c.undecided > 0)
    out += "the feedback contradicts itself: " + counted(c.undecided, "pair") +
           " left out, accepted as often as rejected\n";
  if (c.by_chain > 0)
    out += counted(c.by_chain, "rejected pair") +
           " kept whose two texts a chain of accepted pairs joins: right if texts can belong together for "
           "several reasons\n";
  if (c.repeated > 0) out += counted(c.repeated, "repeated judgement") + " counted once\n";
  if (c.with_self > 0) out += counted(c.with_self, "pair") + " of a text with itself left out\n";
  if (report.moved > 0)
    out += "the feedback contradicts itself: " + counted(report.moved, "text") +
           " left out, put into several folders\n";
  if (report.drawn > 0)
    out += "clicks reject nothing: " + counted(report.drawn, "pair") +
           " of the query and a random text stand in for rejected ones\n";
  return out;
}

std::string in_words(const MakeProfileReport& report, const PersonaliseFlags& flags,
                     const Progress& progress) {
  const PersonaliseReport& guard = report.guard;
  std::string out = guard.of_labels
                        ? with_commas(guard.texts) + " texts in " + with_commas(guard.labels) + " folders\n"
                        : with_commas(guard.accepted) + " accepted and " + with_commas(guard.rejected) +
                              " rejected pairs of " + with_commas(guard.texts) + " texts\n";
  out += conflicts_in_words(report);
  if (guard.order.n > 0)
    out += guard.of_labels
               ? "held-out texts: average precision " + short_number(guard.order.before, 4) + " -> " +
                     short_number(guard.order.after, 4) + ", " + interval(guard.order) + "\n"
               : "held-out pairs: accepted before rejected " + short_number(100 * guard.order.before, 4) +
                     "% -> " + short_number(100 * guard.order.after, 4) + "%, " + interval(guard.order) +
                     "\n";
  for (const auto& top : guard.tops)
    if (top.strength == report.top && !top.strength.none())
      out += "held-out texts: precision of the first " + std::to_string(flags.options.how.keep) + " " +
             short_number(top.precision.before, 4) + " -> " + short_number(top.precision.after, 4) + ", " +
             interval(top.precision) + "\n";
  out += verdict(guard, flags.options.how.keep);
  return out + time_line(progress) + "\nwrote " + flags.out + " (" +
         with_commas((report.bytes + 1023) / 1024) + " KB); shoal search ... --profile " + flags.out + "\n";
}

Json to_json(const HeldOutGain& gain) {
  if (gain.n == 0) return nullptr;
  return {{"before", gain.before}, {"after", gain.after}, {"gain", gain.gain},
          {"low", gain.low()},     {"high", gain.high()}, {"n", gain.n}};
}

Json to_json(const Strength& s) { return {{"map", s.map}, {"preferences", s.preferences}}; }

void run_personalise(PersonaliseFlags& flags, Session& session) {
  MakeProfileOptions& o = flags.options;
  o.input = flags.input;
  o.feedback = flags.feedback;
  o.out = flags.out;
  o.plot = flags.plot;
  o.read.vectors = flags.vectors;
  o.read.models_folder = models_folder();
  keep_out_of(flags.input, flags.out);
  check_new_files({flags.input, flags.feedback, flags.vectors}, {{"--plot", flags.plot}}, o.overwrite);
  const MakeProfileReport report = make_profile(o, session.run(), language_notice(session));
  session.progress().finish();
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (!flags.plot.empty() && report.curve.empty())
    session.remark("note: no learning curve: it needs at least 60 judged pairs, inside clusters of texts");
  const PersonaliseReport& guard = report.guard;
  Json object{{"out", flags.out},           {"bytes", report.bytes},     {"feedback", report.shape},
              {"rows", report.table_rows},  {"texts", guard.texts},      {"accepted", guard.accepted},
              {"rejected", guard.rejected}, {"folders", report.folders}, {"drawn", report.drawn}};
  object["conflicts"] = {{"outvoted", guard.conflicts.outvoted},   {"undecided", guard.conflicts.undecided},
                         {"by_chain", guard.conflicts.by_chain},   {"repeated", guard.conflicts.repeated},
                         {"with_self", guard.conflicts.with_self}, {"in_several_folders", report.moved}};
  object["trust"] = name_of(guard.trust);
  object["identity"] = guard.trust == Trust::none;
  object["reason"] = guard.reason;
  object["order"] = to_json(guard.order);
  object["top"] = to_json(report.top);
  object["tops"] = Json::array();
  for (const auto& top : guard.tops)
    object["tops"].push_back({{"strength", to_json(top.strength)}, {"precision", to_json(top.precision)}});
  object["curve"] = Json::array();
  for (const CurvePoint& point : report.curve)
    object["curve"].push_back({{"way", point.way},
                               {"pairs", point.pairs},
                               {"seen", point.seen},
                               {"unseen", point.unseen},
                               {"seen_before", point.seen_before},
                               {"unseen_before", point.unseen_before}});
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, in_words(report, flags, session.progress()));
}

}  // namespace

void add_personalise(CLI::App& app, Session& session) {
  auto flags = std::make_shared<PersonaliseFlags>();
  MakeProfileOptions& o = flags->options;
  auto* verb = app.add_subcommand("personalise", "From somebody's feedback to a profile that bends searches");
  verb->footer(
      "INPUT is what is searched: a collection, a file of texts (which is embedded) or vectors. FEEDBACK is "
      "a\n"
      "table with these columns:\n"
      "  row_a,row_b,accepted   two rows of INPUT, counted from 0, and 1 or 0\n"
      "  text_a,text_b,label    the same of texts\n"
      "  query,clicked          a question and the row that was chosen\n"
      "  row,folder             a row and where it was put; or text,folder\n\n"
      "The encoder and the vectors stay as they are: the profile is a file of a few hundred KB, used by\n"
      "'shoal search --profile' and 'shoal cluster --profile', and gone without it. Profiles add up: one of\n"
      "the tenant, one of the user. Questions far from all that the feedback was about are answered as\n"
      "before. Feedback that is held out says how far the profile may go, and whether it may at all.\n\n"
      "Examples:\n"
      "  shoal personalise reviews.shoal feedback.csv --out me.safetensors --plot curve.svg\n"
      "  shoal search reviews.shoal \"refund never arrived\" --profile me.safetensors");
  verb->add_option("input", flags->input, "A collection, texts or vectors")->required()->type_name("INPUT");
  verb->add_option("feedback", flags->feedback, "The table of feedback")->required()->type_name("FEEDBACK");
  verb->add_option("--out", flags->out, "The profile to make")->required()->type_name("FILE.safetensors");
  verb->add_flag("--overwrite", o.overwrite, "Replace the files if they exist");
  verb->add_option("--plot", flags->plot,
                   "Also draw a learning curve, seen and unseen clusters of texts apart, by ways of learning")
      ->type_name("FILE.svg");
  add_options(*verb, session, option_refs(o.how));
  verb->add_option("--model", o.read.model,
                   "Name or folder of the model. Default: the one that made the collection")
      ->type_name("NAME|DIR");
  verb->add_option("--vectors", flags->vectors, "Vectors of a file of texts. Default: kept beside it")
      ->type_name("FILE");
  add_reading(*verb, session, o.read.read);
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_personalise(*flags, session); });
}

}  // namespace shoal::cli
