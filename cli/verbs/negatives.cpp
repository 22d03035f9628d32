#include "shoal/flow/negatives/negatives.h"

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/encode/cross_encoder.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct NegativesFlags {
  std::string input, corpus, out, model, judge;
  NegativesOptions options;
};

constexpr int kCut = 70;  // bytes of a text that are shown

std::string number(double x) { return rounded(x, "%.4f"); }

Json to_json(const ScoreSummary& s) {
  return {{"count", s.count}, {"mean", s.mean}, {"median", s.median}, {"min", s.least}, {"max", s.largest}};
}

Json to_json(const NegativesReport& report, const NegativesFlags& flags) {
  Json out{{"out", flags.out}, {"rows", report.rows}, {"done_before", report.done_before}};
  if (report.done_before) return out;
  Json examples = Json::array();
  for (const FalseNegative& one : report.examples)
    examples.push_back({{"anchor", one.anchor},
                        {"positive", one.positive},
                        {"positive_score", one.positive_score},
                        {"passage", one.passage},
                        {"score", one.score}});
  const Mined& m = report.mined;
  out.update({{"anchors", report.anchors},
              {"pairs", report.pairs},
              {"passages", report.passages},
              {"left_out", report.blank},
              {"candidates", m.candidates},
              {"range_max", m.range_max},
              {"above_positive", m.nearer},
              {"above_positive_taken", m.nearer_taken},
              {"refused",
               {{"absolute_margin", m.by_absolute_margin},
                {"relative_margin", m.by_relative_margin},
                {"max_score", m.by_max_score},
                {"min_score", m.by_min_score}}},
              {"anchors_short", report.short_of},
              {"anchors_without", report.without},
              {"scores",
               {{"positive", to_json(report.positive)},
                {"negative", to_json(report.negative)},
                {"difference", to_json(report.difference)}}},
              {"examples", examples},
              {"truncated_texts", report.counts.cut},
              {"unknown_texts", report.counts.unknown}});
  return out;
}

std::string in_words(const NegativesReport& report, const NegativesFlags& flags, const Progress& progress) {
  if (report.done_before) return done_before(flags.out);
  const Mined& m = report.mined;
  std::string out = counted(report.anchors, "anchor") + " with " + counted(report.pairs, "positive") + ", " +
                    counted(report.passages, "passage") + "; the nearest " + with_commas(m.range_max) +
                    " looked at\n";
  out += "           count    mean  median     min     max\n";
  const auto line = [&](const char* name, const ScoreSummary& s) {
    const std::string n = with_commas(s.count);
    out += "  " + std::string(name) + std::string(n.size() < 6 ? 6 - n.size() : 0, ' ') + n;
    for (const double x : {s.mean, s.median, s.least, s.largest}) out += rounded(x, " %7.4f");
    out += "\n";
  };
  line("positive  ", report.positive);
  line("negative  ", report.negative);
  line("difference", report.difference);
  const auto refused = [&](Index n, const char* option) {
    if (n > 0) out += counted(n, "passage") + " refused by " + flag_of(option) + "\n";
  };
  refused(m.by_absolute_margin, "absolute_margin");
  refused(m.by_relative_margin, "relative_margin");
  refused(m.by_max_score, "max_score");
  refused(m.by_min_score, "min_score");
  if (m.nearer > 0) {
    out += with_commas(m.nearer) + " of " + with_commas(m.candidates) +
           " passages score above the anchor's own positive: false negatives, as it seems; " +
           with_commas(m.nearer_taken) + " of them became negatives\n";
    for (const FalseNegative& one : report.examples)
      out += "  " + number(static_cast<double>(one.score)) + " over " +
             number(static_cast<double>(one.positive_score)) + "  " + one_line(one.anchor, kCut) + "\n" +
             "      positive: " + one_line(one.positive, kCut) + "\n" +
             "      nearer:   " + one_line(one.passage, kCut) + "\n";
    if (m.nearer_taken > 0) out += "--relative-margin 0.05 leaves such out\n";
  }
  if (report.short_of > 0)
    out += counted(report.short_of, "anchor") + " with fewer negatives than wanted, " +
           with_commas(report.without) + " of them with none; a larger --range-max looks further\n";
  return out + time_line(progress) + "\nwrote " + counted(report.rows, "row") + " to " + flags.out + "\n";
}

/// Pairs are scored by a cross-encoder.
void set_judge(NegativesFlags& flags, const Run& run) {
  const auto folder = find_model(flags.judge, models_folder());
  require(is_cross_folder(folder), Fault::unsupported,
          "--judge " + flags.judge + " is no cross-encoder; 'shoal score --help' says which folders are");
  const CrossEncoder judge = CrossEncoder::load(folder, run);
  require(judge.labels().size() == 1, Fault::unsupported,
          "--judge " + flags.judge + " gives " + std::to_string(judge.labels().size()) +
              " scores a pair; a cross-encoder of one is needed");
  flags.options.judge_id = judge.id();
  flags.options.judge = [judge, run](const Texts& anchors, const Texts& passages) {
    const Matrix scores = judge.scores(anchors, passages, {}, run);
    return std::vector<float>(scores.data(), scores.data() + scores.rows());
  };
}

void run_negatives(NegativesFlags& flags, CLI::App& verb, Session& session) {
  NegativesOptions& o = flags.options;
  check_encoding(verb, o.encode);
  require(verb.count("--seed") == 0 || o.mine.sampling_strategy == NegativeSampling::random, Fault::argument,
          "--seed is of --sampling-strategy random");
  o.input = flags.input, o.corpus = flags.corpus, o.out = flags.out;
  if (is_cross_folder(find_model(flags.model, models_folder())))
    throw Error(Fault::unsupported, flags.model +
                                        " is a model that gives labels or scores, as cross-encoders are; it "
                                        "makes no vectors of single texts to search by");
  const Run run = session.run();
  if (!flags.judge.empty()) set_judge(flags, run);
  const Encoder encoder = load_model(flags.model, models_folder(), run);
  const NegativesReport report = write_negatives(encoder, o, run);
  session.progress().finish();
  if (!report.done_before) {
    remark_report(session, report.read);
    if (report.blank > 0)
      session.remark("note: " + counted(report.blank, "row") + " left out: no anchor or no positive");
  }
  Json out = to_json(report, flags);
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(report, flags, session.progress()));
}

}  // namespace

void add_negatives(CLI::App& app, Session& session) {
  auto flags = std::make_shared<NegativesFlags>();
  NegativesOptions& o = flags->options;
  auto* verb = app.add_subcommand("negatives", "Find hard negatives for training from pairs");
  verb->footer(
      "PAIRS is a table of anchors and positives; columns are found by name (anchor or query; positive or\n"
      "passage), or by order where there are two. The passages nearest to an anchor, among all positives and "
      "those\n"
      "of --corpus, become its negatives; never its own text nor one of its positives. Many of the nearest "
      "may "
      "be\n"
      "positives that nobody has marked: they are counted and shown, and margins keep them out.\n\n"
      "Examples:\n"
      "  shoal negatives pairs.csv --out triplets.csv --relative-margin 0.05\n"
      "  shoal negatives pairs.csv --out triplets.csv --judge ms-marco-MiniLM-L6-v2 --max-score 0.5\n"
      "  shoal negatives pairs.csv --corpus passages.txt --out tuples.jsonl --output-format n-tuple\n"
      "      --num-negatives 5 --range-min 10 --range-max 50 --sampling-strategy random");
  verb->add_option("pairs", flags->input, "A table of anchors and positives; - is standard input")
      ->required()
      ->type_name("PAIRS");
  add_model_option(*verb, flags->model);
  verb->add_option("--out", flags->out, "The table to make: .csv, .tsv or .jsonl")
      ->required()
      ->type_name("FILE");
  verb->add_option("--corpus", flags->corpus, "Further passages: a table with a column of texts, or lines")
      ->type_name("FILE");
  verb->add_option("--columns", o.columns, "The columns of anchors and of positives, parted by a comma")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("COLUMN,COLUMN");
  verb->add_option("--judge", flags->judge,
                   "A cross-encoder: margins and limits are of its scores. Default: of cosines")
      ->type_name("NAME|DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace the file if it exists");
  add_options(*verb, session, option_refs(o.mine));
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.encode));
  add_options(*verb, session, option_refs(o.prompts));
  add_options(*verb, session, option_refs(o.read));
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_negatives(*flags, *verb, session); });
}

}  // namespace shoal::cli
