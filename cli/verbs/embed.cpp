#include "shoal/flow/texts/embed.h"

#include "shoal/flow/texts/models.h"
#include "shoal/flow/texts/token_attention.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct EmbedFlags {
  std::vector<std::string> inputs;
  std::string out, attention, model;
  bool overwrite = false;
  ReadOptions read;
  EncodeOptions encode;
  TokenAttentionOptions token_attention;
};

void run_attention(const EmbedFlags& flags, Session& session) {
  const Run run = session.run();
  run.progress("read", 0, 0);
  Source source({flags.inputs.begin(), flags.inputs.end()}, flags.read, run.stop);
  const Encoder encoder = load_model(flags.model, models_folder(), run);
  const TokenAttentionReport report = write_token_attention(
      source, encoder, flags.encode, flags.token_attention, flags.attention, flags.overwrite, run);
  session.progress().finish();
  remark_report(session, source.report());
  remark_cut(session, report.cut, report.texts, flags.encode,
             flags.encode.max_tokens.value_or(encoder.max_tokens()));
  session.answer({{"attention", flags.attention},
                  {"done_before", report.done_before},
                  {"texts", report.texts},
                  {"tokens", report.tokens},
                  {"numbers", report.numbers},
                  {"heads", heads_text(report.heads)},
                  {"type", name_of(flags.token_attention.type)},
                  {"model", encoder.space().id},
                  {"text_columns", source.text_columns()},
                  {"truncated_texts", report.cut},
                  {"read", to_json(source.report())},
                  {"seconds", to_json(session.progress())},
                  {"seconds_total", session.progress().seconds()}},
                 (report.done_before ? "done before: " : "wrote ") + counted(report.texts, "text") + ", " +
                     counted(report.tokens, "token") + ", " + counted(report.heads.size(), "head") +
                     (report.done_before ? " in " : " to ") + flags.attention + "\n" +
                     time_line(session.progress()) + "\n");
}

void run_embed(const EmbedFlags& flags, CLI::App& verb, Session& session) {
  check_inputs(verb, flags.inputs);
  const bool attention = verb.count("--attention") > 0;
  for (const char* flag : {"--attention-heads", "--attention-type"})
    require(attention || verb.count(flag) == 0, Fault::argument,
            flag + std::string(" is of --attention, which is not given"));
  if (attention) return run_attention(flags, session);
  require(verb.count("--out") > 0, Fault::argument,
          "--out is required: it names where the vectors go; or --attention, for attention instead");
  const Run run = session.run();
  session.goes_on = [out = flags.out] { return std::filesystem::exists(out + ".part.json"); };
  run.progress("read", 0, 0);
  Source source({flags.inputs.begin(), flags.inputs.end()}, flags.read, run.stop);
  const Encoder encoder = load_model(flags.model, models_folder(), run);
  const EmbedReport report =
      embed_file(source, encoder, flags.encode, flags.out, flags.overwrite, run, language_notice(session));
  session.progress().finish();
  remark_report(session, source.report());
  remark_unknown(session, report.unknown, report.rows, report.first_unknown, "");
  remark_cut(session, report.cut, report.rows, flags.encode,
             flags.encode.max_tokens.value_or(encoder.max_tokens()));
  session.answer({{"out", flags.out},
                  {"done_before", report.done_before},
                  {"rows", report.rows},
                  {"dims", report.dims},
                  {"resumed", report.resumed},
                  {"model", encoder.space().id},
                  {"text_columns", source.text_columns()},
                  {"truncated_texts", report.cut},
                  {"unknown_texts", report.unknown},
                  {"read", to_json(source.report())},
                  {"seconds", to_json(session.progress())},
                  {"seconds_total", session.progress().seconds()}},
                 (report.done_before ? "done before: " : "wrote ") + with_commas(report.rows) + " x " +
                     std::to_string(report.dims) + (report.done_before ? " in " : " to ") + flags.out + "\n" +
                     time_line(session.progress()) + "\n");
}

}  // namespace

void add_embed(CLI::App& app, Session& session) {
  auto flags = std::make_shared<EmbedFlags>();
  auto* verb = app.add_subcommand("embed", "From texts to vectors, a row a text");
  verb->footer(
      "Until all is done the work is kept in OUT.part.*, and the same command goes on from there. Of the "
      "same\n"
      "texts with the same options OUT is made once: its key is kept beside it, in .OUT.shoal.\n\n"
      "Examples:\n"
      "  shoal embed reviews.csv --text body --out reviews.npy\n"
      "  shoal embed a.jsonl b.jsonl --text title --text body --out both.safetensors\n"
      "  shoal embed reviews.parquet --out with-vectors.parquet    for DuckDB, pandas or a viewer\n"
      "  shoal embed reviews.csv --text body --attention heads.safetensors --attention-heads 1.9,2.mean");
  verb->add_option("input", flags->inputs, "CSV, TSV, JSONL, Parquet or plain lines; - is standard input")
      ->required()
      ->type_name("INPUT");
  verb->add_option(
          "--out", flags->out,
          "Where the vectors go, as float32: .npy, .safetensors, or .parquet, which has the texts and "
          "other columns too")
      ->type_name("FILE");
  verb->add_option(
          "--attention", flags->attention,
          "Instead of vectors, the attention between the tokens of each text: .safetensors, with the "
          "ids of the tokens and where they stand (docs/words.md)")
      ->type_name("FILE")
      ->excludes("--out");
  verb->add_flag("--overwrite", flags->overwrite, "Replace the file if it exists");
  add_model_option(*verb, flags->model);
  add_reading(*verb, session, flags->read);
  add_options(*verb, session, option_refs(flags->encode));
  add_options(*verb, session, option_refs(flags->token_attention));
  add_shared(*verb, session);
  verb->callback([verb, flags, &session] {
    check_encoding(*verb, flags->encode);
    run_embed(*flags, *verb, session);
  });
}

}  // namespace shoal::cli
