#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/words/prepare.h"
#include "verbs/verbs.h"
#include "verbs/words.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct PrepareFlags {
  PrepareOptions options;
  std::vector<std::string> inputs;
  std::string out, model, keep;
};

Json to_json(const Counted& counted) {
  Json out{{"count", counted.count}};
  if (counted.count > 0) out["first"] = one_line(counted.first, 200);
  return out;
}

Json shares_json(const PrepareReport& r) {
  Json out = Json::array();
  for (Index l = 0; l < r.layers.size(); ++l) {
    Json one{{"layer", r.layers[l]}};
    for (Index i = 0; i < kReceivers; ++i) one[std::string(kReceiverNames[i])] = r.shares[l][i];
    out.push_back(std::move(one));
  }
  return out;
}

Json to_json(const PrepareReport& r) {
  const DescriptionReport& c = r.cleaning;
  return {{"done_before", r.done_before},
          {"resumed", r.resumed},
          {"model", r.space},
          {"words", r.words},
          {"described_words", r.described},
          {"forms", r.forms},
          {"descriptions", r.descriptions},
          {"members", r.members},
          {"pairs", r.pairs},
          {"tokens", r.tokens},
          {"bytes", r.bytes},
          {"heads", heads_text(r.head_channels)},
          {"pair_heads", heads_text(r.pair_channels)},
          {"language", r.language},
          {"read", c.read},
          {"changed",
           {{"repaired", to_json(c.repaired)},
            {"markup", to_json(c.markup)},
            {"blanks", to_json(c.blanks)},
            {"merged_words", to_json(c.merged)},
            {"truncated", to_json(r.truncated)}}},
          {"left_out",
           {{"no_word", to_json(c.no_word)},
            {"no_description", to_json(c.no_description)},
            {"duplicates", to_json(c.duplicates)},
            {"not_in_vocabulary", to_json(r.vocabulary.rare)},
            {"word_missing", to_json(r.vocabulary.word_missing)},
            {"word_unknown", to_json(r.unknown)},
            {"word_cut_off", to_json(r.cut_off)},
            {"alone", to_json(r.alone)}}},
          {"keep_missing", r.vocabulary.kept_missing},
          {"attention_goes_to", shares_json(r)}};
}

void add_line(std::string& out, const Counted& counted, const std::string& what) {
  if (counted.count > 0)
    out += "  " + with_commas(counted.count) + " " + what + ", the first: " + one_line(counted.first, 100) +
           "\n";
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * share);
  return text;
}

std::string in_words(const PrepareReport& r, const std::string& out_file, const Progress& progress) {
  const DescriptionReport& c = r.cleaning;
  std::string out = counted(r.words, "word") + ", " + with_commas(r.described) + " of them described; " +
                    counted(r.descriptions, "description") + " of " + with_commas(c.read) + ", " +
                    counted(r.tokens, "token") + "; stop words of " +
                    (r.language == "none" ? "no language" : r.language) + "\n";
  std::string changed, left_out;
  add_line(changed, c.repaired, "with bytes that are no UTF-8");
  add_line(changed, c.markup, "with markup or addresses, taken out");
  add_line(changed, c.blanks, "with line ends, control characters or runs of blanks");
  add_line(changed, c.merged, "other ways to write a word");
  add_line(changed, r.truncated, "longer than the model takes");
  if (!changed.empty()) out += "changed:\n" + changed;
  add_line(left_out, c.no_word, "without a word");
  add_line(left_out, c.no_description, "without a description");
  add_line(left_out, c.duplicates, "twice there");
  add_line(left_out, r.vocabulary.rare, "of words outside the vocabulary");
  add_line(left_out, r.vocabulary.word_missing, "in which the word does not stand");
  add_line(left_out, r.unknown, "of words of which the model knows nothing");
  add_line(left_out, r.cut_off, "whose word stands behind what the model takes");
  add_line(left_out, r.alone, "with no other word of the vocabulary");
  if (!left_out.empty()) out += "left out:\n" + left_out;
  for (Index l = 0; l < r.layers.size(); ++l) {
    out += (l == 0 ? "a head word's attention goes to\n" : "") +
           ("  layer " + std::to_string(r.layers[l]) + ": ");
    for (Index i = 0; i < kReceivers; ++i)
      out += (i > 0 ? ", " : "") + std::string(kReceiverNames[i]) + " " + percent(r.shares[l][i]);
    out += "\n";
  }
  return out + time_line(progress) + "\n" + (r.done_before ? "done before: " : "wrote ") + out_file + ", " +
         with_commas(r.bytes) + " bytes\n";
}

void run_prepare(PrepareFlags& flags, CLI::App& verb, Session& session) {
  PrepareOptions& o = flags.options;
  o.descriptions.inputs.assign(flags.inputs.begin(), flags.inputs.end());
  o.out = flags.out;
  require(!flags.out.empty(), Fault::argument, "--out is empty; it names the file to make");
  bool wordnet = false;
  for (const auto& input : o.descriptions.inputs)
    wordnet = wordnet || std::filesystem::is_directory(input) ||
              (input == "wordnet" && !std::filesystem::exists(input));
  for (const char* flag : {"--examples", "--senses"})
    require(verb.count(flag) == 0 || wordnet, Fault::argument,
            flag + std::string(" is of WordNet; give wordnet, or its folder, as INPUT"));
  require(o.descriptions.examples != Examples::kept || !flags.keep.empty(), Fault::argument,
          "--examples kept is of the words of --keep, which is not given");
  const Run run = session.run();
  session.goes_on = [out = flags.out] { return std::filesystem::exists(out + ".part.json"); };
  if (!flags.keep.empty()) o.descriptions.keep = read_word_list(flags.keep);
  const Encoder encoder = load_model(flags.model, models_folder(), run);
  const PrepareReport report = prepare_words(encoder, o, run);
  session.progress().finish();
  if (report.vocabulary.kept_missing > 0)
    session.remark("note: " + with_commas(report.vocabulary.kept_missing) +
                   " words of --keep have no description, the first: " + report.vocabulary.first_missing);
  Json out = to_json(report);
  out["out"] = flags.out;
  out["seconds"] = to_json(session.progress());
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(report, flags.out, session.progress()));
}

}  // namespace

void add_words_prepare(CLI::App& words, Session& session) {
  auto flags = std::make_shared<PrepareFlags>();
  PrepareOptions& o = flags->options;
  auto* verb =
      words.add_subcommand("prepare", "From descriptions of words to the attention between their words");
  verb->footer(
      "Descriptions are WordNet's (of the Debian package wordnet-base, in $WNSEARCHDIR or a folder), JSON, "
      "or\n"
      "a table with the columns word and description: CSV, TSV, JSONL, Parquet. Several a word are welcome.\n"
      "A transformer reads each, and what its words give each other is kept. What a run that was stopped "
      "has\n"
      "done is kept in OUT.part.*, and the same command goes on from there.\n\n"
      "Examples:\n"
      "  shoal words prepare wordnet --out wordnet.safetensors\n"
      "  shoal words prepare wordnet --max-words 15000 --keep my-words.txt --senses 4 --examples kept --out "
      "w.safetensors\n"
      "  shoal words prepare glossary.json --out glossary.safetensors\n"
      "  shoal words prepare sentences.csv --head inside --language ru --model multilingual-e5-small --out "
      "ru.safetensors");
  verb->add_option("input", flags->inputs, "wordnet, a folder of WordNet, or files of descriptions")
      ->required()
      ->type_name("INPUT");
  verb->add_option("--out", flags->out, "Where the attention goes: .safetensors (docs/words.md)")
      ->required()
      ->type_name("FILE");
  verb->add_flag("--overwrite", o.overwrite, "Replace the file if it exists");
  add_model_option(*verb, flags->model);
  verb->add_option(
          "--keep", flags->keep,
          "Words that are in the vocabulary whatever their number: a line each, or a table's column word")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o.vocabulary));
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.descriptions));
  verb->add_option("--columns", o.descriptions.columns,
                   "Columns of word and description, in this order. Default: found by their names")
      ->type_name("COLUMN")
      ->delimiter(',');
  add_options(*verb, session, only(option_refs(o.encode), {"max_tokens", "prompt"}));
  add_options(*verb, session, option_refs(o.descriptions.read), {}, "Reading tables");
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_prepare(*flags, *verb, session); });
}

}  // namespace shoal::cli
