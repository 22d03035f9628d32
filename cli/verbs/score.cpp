#include "shoal/flow/scoring/score_pairs.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string in_words(const ScorePairsReport& report, const ScorePairsOptions& o, const Progress& progress) {
  if (report.done_before)
    return "done before: " + with_commas(report.written) + " rows in " + o.out.string() + "\n";
  std::string out = counted(report.rows, "pair") + " of " + report.columns[0] + " and " + report.columns[1];
  out += report.cross ? ", scored by the cross-encoder " : ", cosines of the encoder ";
  out += report.model + "\n";
  if (o.rank)
    out += "ordered within " + counted(report.queries, "first text") +
           (o.top ? ", the best " + with_commas(*o.top) + " of each" : "") + "\n";
  return out + time_line(progress) + "\nwrote " + with_commas(report.written) + " rows to " + o.out.string() +
         "\n";
}

void run_score(ScorePairsOptions& o, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the file to make");
  o.models_folder = models_folder();
  const ScorePairsReport report = score_pairs(o, session.run());
  session.progress().finish();
  Json out{{"out", o.out.string()}, {"done_before", report.done_before}};
  out["rows"] = report.rows;
  out["written"] = report.written;
  if (!report.done_before) {
    remark_report(session, report.read);
    if (report.cut > 0)
      session.remark("note: " + counted(report.cut, report.cross ? "pair" : "text") + " of " +
                     (report.cross ? with_commas(report.rows) : "the pairs") +
                     " longer than the model's limit: cut");
    out["columns"] = report.columns;
    out["scores"] = report.scores;
    out["by"] = report.cross ? "cross-encoder" : "encoder";
    out["model"] = report.model;
    out["queries"] = report.queries;
    out[report.cross ? "truncated_pairs" : "truncated_texts"] = report.cut;
    out["read"] = to_json(report.read);
  }
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(report, o, session.progress()));
}

}  // namespace

void add_score(CLI::App& app, Session& session) {
  auto options = std::make_shared<ScorePairsOptions>();
  ScorePairsOptions& o = *options;
  auto* verb =
      app.add_subcommand("score", "How well two texts go together: a score for each pair of a table");
  verb->footer(
      "MODEL is a cross-encoder, which reads both texts at once: a folder of transformers' "
      "...ForSequence-\n"
      "Classification, or of sentence-transformers' CrossEncoder. With an encoder the score is the cosine of "
      "the\n"
      "two vectors. PAIRS is a table with two columns of texts: query and passage, sentence1 and sentence2, "
      "or\n"
      "others that --columns names. The table is written again, with a column score behind its own; a model "
      "of\n"
      "several labels adds score_LABEL for each. With --rank the rows of one query stand together, the best\n"
      "first.\n\n"
      "Examples:\n"
      "  shoal score ms-marco-MiniLM-L6-v2 candidates.csv --out scored.csv\n"
      "  shoal score ms-marco-MiniLM-L6-v2 candidates.csv --rank --top 10 --out best.csv\n"
      "  shoal score all-MiniLM-L6-v2 pairs.jsonl --columns question,duplicate --out scored.jsonl");
  verb->add_option("model", o.model, "Name or folder of a cross-encoder or an encoder")
      ->required()
      ->type_name("MODEL");
  verb->add_option_function<std::string>(
          "pairs", [&o](const std::string& path) { o.input = path; },
          "CSV, TSV, JSONL or Parquet; - is standard input")
      ->required()
      ->type_name("PAIRS");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The file to make: .csv or .jsonl")
      ->required()
      ->type_name("FILE");
  verb->add_option("--columns", o.columns, "The two columns of texts, parted by a comma. Default: found")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("COLUMN,COLUMN");
  verb->add_flag("--overwrite", o.overwrite, "Replace the file if it exists");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.score));
  add_options(*verb, session, option_refs(o.read));
  add_shared(*verb, session);
  verb->callback([options, &session] { run_score(*options, session); });
}

}  // namespace shoal::cli
