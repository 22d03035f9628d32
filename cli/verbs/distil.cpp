#include "shoal/flow/distil/distil.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/flow/texts/models.h"
#include "shoal/store/collection/collection.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const DistilReport& report) {
  return {{"out", report.out.string()},
          {"done_before", report.done_before},
          {"id", report.id},
          {"model", report.model},
          {"tokens", report.tokens},
          {"dims", report.dims},
          {"words", report.words},
          {"in_context", report.in_context},
          {"texts", report.texts},
          {"variance", report.variance},
          {"notes", report.notes}};
}

std::string in_words(const DistilReport& report, const Progress& progress) {
  if (report.done_before) return done_before(report.out);
  char share[16];
  std::snprintf(share, sizeof share, "%.1f", 100 * report.variance);
  std::string out = counted(report.tokens, "token") + " of " + std::to_string(report.dims) + " numbers, " +
                    share + "% of the variance\n";
  if (report.texts > 0) {
    out += "from " + counted(report.texts, "text") + ": " + counted(report.words, "word");
    if (report.in_context > 0) out += ", " + counted(report.in_context, "token") + " as means in context";
    out += "\n";
  }
  return out + time_line(progress) + "\nwrote " + report.out.string() + "; shoal embed TEXTS --model " +
         report.out.string() + "\n";
}

void run_distil(DistilOptions& o, CLI::App& verb, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the folder to make");
  check_inputs(verb, {o.corpus.begin(), o.corpus.end()});
  require(!o.corpus.empty() || given_reading(verb).empty(), Fault::argument,
          given_reading(verb) + " is of --corpus, which is not given");
  for (const auto& input : o.corpus)
    require(!Collection::exists(input), Fault::argument,
            input.string() + " is a collection; --corpus takes files of texts");
  const auto needs = [&](const char* flag, bool is_there, const char* other) {
    require(verb.count(flag) == 0 || is_there, Fault::argument, flag + std::string(" is of ") + other);
  };
  needs("--words", !o.corpus.empty(), "--corpus, which is not given");
  needs("--min-count", !o.corpus.empty(), "--corpus, which is not given");
  const bool words = o.vocabulary != VocabularyOf::tokenizer;
  needs("--words", words, "--vocabulary both and corpus");
  needs("--min-count", words, "--vocabulary both and corpus");
  needs("--min-contexts", o.context, "--context, which is not given");
  needs("--sif", o.weights != Weighting::none, "--weights zipf and sif");
  o.models_folder = models_folder();
  session.goes_on = [out = o.out] {
    return std::filesystem::exists((out.has_filename() ? out : out.parent_path()).string() +
                                   ".part.safetensors");
  };
  const DistilReport report = distil(o, session.run());
  session.progress().finish();
  for (const std::string& note : report.notes) session.remark("note: " + note);
  Json out = to_json(report);
  out["seconds"] = to_json(session.progress());
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(report, session.progress()));
}

}  // namespace

void add_distil(CLI::App& app, Session& session) {
  auto options = std::make_shared<DistilOptions>();
  DistilOptions& o = *options;
  auto* verb = app.add_subcommand(
      "distil", "From a transformer to a static model: far faster, at the speed of tokenisation");
  verb->footer(
      "A static model has a vector for each token, and a text's is their mean. Each token goes through the\n"
      "transformer once, as a text or, with --context, where it stands in the texts of a corpus. OUT is a\n"
      "model for --model of every verb, for Model2Vec and for sentence-transformers. What a run that was\n"
      "stopped has done is kept in OUT.part.safetensors, and the same command goes on from there.\n\n"
      "Examples:\n"
      "  shoal distil all-MiniLM-L6-v2 --out static\n"
      "  shoal distil all-MiniLM-L6-v2 --corpus reviews.csv --text body --context --out static\n"
      "  shoal embed reviews.csv --text body --model static --out reviews.npy");
  verb->add_option("model", o.model, "Name or folder of a transformer")->required()->type_name("NAME|DIR");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The folder to make")
      ->required()
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option_function<std::vector<std::string>>(
          "--corpus", [&o](const std::vector<std::string>& all) { o.corpus.assign(all.begin(), all.end()); },
          "CSV, TSV, JSONL, Parquet or plain lines: where words and their frequencies are from")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o));
  add_reading(*verb, session, o.read);
  add_shared(*verb, session);
  verb->callback([options, verb, &session] { run_distil(*options, *verb, session); });
}

}  // namespace shoal::cli
