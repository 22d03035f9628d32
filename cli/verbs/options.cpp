#include <algorithm>
#include <filesystem>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/flow/texts/models.h"
#include "shoal/store/archive/archive.h"
#include "verbs/verbs.h"

namespace shoal::cli {

void add_shared(CLI::App& verb, Session& session) {
  OptionRef threads("threads", session.threads,
                    "threads to use; 0: as many as the machine has. Never changes the result",
                    between(0, 1024));
  add_options(verb, session, {threads});
  verb.add_flag("--json", session.json, "Answer with one JSON object on standard output");
  verb.add_flag("--quiet", session.quiet, "No progress and no remarks on standard error");
}

nlohmann::ordered_json made_json(const std::filesystem::path& out, std::string_view mark, Session& session) {
  auto object = nlohmann::ordered_json::parse(read_file(out / mark, std::size_t{1} << 30));
  object.erase("receipt");
  object["out"] = out.string();
  object["seconds_total"] = session.progress().seconds();
  return object;
}

std::string done_before(const std::filesystem::path& out) {
  return "done before: " + out.string() + " was made of the same input with the same options\n";
}

void add_reading(CLI::App& verb, Session& session, ReadOptions& options) {
  verb.add_option(
          "--text", options.text_columns,
          "Column that holds the texts; give it more than once to join several. Default: found by its name. "
          "The columns of JSONL are the keys of its first records, at most 1,000; values under other keys "
          "are passed over")
      ->type_name("COLUMN")
      ->take_all()
      ->allow_extra_args(false);
  session.flags[{&verb, "text_columns"}] = "--text";
  add_options(verb, session, option_refs(options));
}

void check_inputs(CLI::App& verb, const std::vector<std::string>& inputs) {
  if (inputs.size() < 2 || verb.count("--text") == 0) return;
  for (const std::string& input : inputs)
    if (input != "-" && !std::filesystem::exists(input))
      throw Error(Fault::file, input + ": no such file; to join several columns give --text more than once");
}

std::string given_reading(const CLI::App& verb) {
  ReadOptions options;
  if (verb.count("--text") > 0) return "--text";
  for (const OptionRef& option : option_refs(options))
    if (verb.count(flag_of(option.name)) > 0) return flag_of(option.name);
  return "";
}

void refuse_reading(const CLI::App& verb, const std::string& path, const std::string& kind) {
  const std::string flag = given_reading(verb);
  require(flag.empty(), Fault::argument, flag + " says how files of texts are read; " + path + " is " + kind);
}

void check_encoding(CLI::App& verb, const EncodeOptions& options) {
  require(verb.count("--overlap") == 0 || options.long_texts == LongTexts::chunk, Fault::argument,
          "--overlap is how many tokens the windows of --long chunk share; give both");
}

void add_model_option(CLI::App& verb, std::string& model) {
  model = kDefaultModel;
  verb.add_option(
          "--model", model,
          "Name from 'shoal model list', or a folder of sentence-transformers or of 'shoal ensemble fit'")
      ->type_name("NAME|DIR")
      ->capture_default_str();
}

std::string one_line(std::string text, std::size_t most) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  if (text.size() <= most) return text;
  return std::string(beginning_of(text, most)) + "...";
}

void keep_out_of(const std::filesystem::path& collection, const std::filesystem::path& out,
                 const char* flag) {
  std::error_code ignored;
  const auto folder = std::filesystem::canonical(collection, ignored);
  const auto target = std::filesystem::weakly_canonical(std::filesystem::absolute(out), ignored);
  for (auto at = target.parent_path(); at.has_relative_path(); at = at.parent_path())
    require(at != folder, Fault::argument,
            flag + (" " + out.string()) + " lies in the collection " + collection.string() +
                "; choose another place");
}

void check_new_files(const std::vector<std::filesystem::path>& inputs,
                     const std::vector<std::pair<const char*, std::string>>& files, bool overwrite) {
  for (const auto& [flag, file] : files) {
    if (file.empty()) continue;
    for (const auto& input : inputs) {
      if (input.empty() || input == "-") continue;
      std::error_code ignored;
      require(!std::filesystem::equivalent(input, file, ignored), Fault::argument,
              flag + (" " + file) + " is an input, which would be lost");
      keep_out_of(input, file, flag);
    }
    require(overwrite || !std::filesystem::exists(file), Fault::argument,
            flag + (" " + file) + " exists; --overwrite replaces it");
  }
}

std::filesystem::path beside_input(const std::filesystem::path& input, const char* ending) {
  if (input == "-") return std::string("standard-input") + ending;
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(input, ignored);
  constexpr std::string_view kKnown[] = {".npy", ".npz", ".safetensors", ".parquet", ".shoal",
                                         ".csv", ".tsv", ".jsonl",       ".txt"};
  const bool known = std::ranges::find(kKnown, path.extension().string()) != std::end(kKnown);
  return (known ? path.stem() : path.filename()).string() + ending;
}

namespace {

/// Options in a note as flags, or as their names.
std::string options_in(const std::string& note, bool flags) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t begin; (begin = note.find('\x01', at)) != note.npos;) {
    const std::size_t end = note.find('\x02', begin);
    if (end == note.npos) break;
    const std::string name = note.substr(begin + 1, end - begin - 1);
    out += note.substr(at, begin - at) + (flags ? flag_of(name) : name);
    at = end + 1;
  }
  return out + note.substr(at);
}

}  // namespace

void remark_report(const Session& session, const ReadReport& report) {
  for (const FileReading& reading : report.readings) {
    if (reading.remark.empty()) continue;
    const std::string others =
        reading.files > 1 ? " and " + counted(reading.files - 1, "file") + " after it" : "";
    session.remark("note: " + reading.file + others + ": " + reading.remark);
  }
  const auto say = [&](Index n, const std::string& noun, const std::string& what) {
    if (n > 0) session.remark("note: " + counted(n, noun) + " " + what);
  };
  say(report.blank_texts, "text", "is blank, the first at " + report.first_blank);
  if (report.equal_texts > 0) {
    std::string most;
    for (const EqualText& text : report.most_equal)
      most += (most.empty() ? "" : ", ") + with_commas(text.times) + " times \"" +
              one_line(text.beginning, 40) + "\"";
    session.remark("note: " + counted(report.equal_texts, "text") + " stood in an earlier row too: " + most);
  }
  say(report.repaired_utf8, "field", "held bytes that mean no character, which became U+FFFD");
  say(report.lone_surrogates, "JSON string", "held half a surrogate pair (\\ud800), which became U+FFFD");
  say(report.stray_quotes, "field", "had text behind the closing quote; it was kept");
  say(report.short_rows, "row", "had fewer fields than the header; the missing ones are empty");
  say(report.long_rows, "row", "had more fields than the header; the rest was joined to the last");
  for (const auto& note : report.notes) session.remark("note: " + options_in(note, true));
  Index others = report.unknown_values;
  for (const UnknownKey& unknown : report.unknown_keys) {
    session.remark("note: key \"" + unknown.key + "\" is no column, as none of the first records has it: " +
                   counted(unknown.values, "value") + " passed over, the first at " + unknown.first);
    others -= unknown.values;
  }
  say(others, "value", "under yet other keys passed over");
}

nlohmann::ordered_json to_json(const ReadReport& report) {
  auto unknown = nlohmann::ordered_json::array();
  for (const auto& [key, first, values] : report.unknown_keys)
    unknown.push_back({{"key", key}, {"first", first}, {"values", values}});
  auto notes = nlohmann::ordered_json::array();
  for (const std::string& note : report.notes) notes.push_back(options_in(note, false));
  return {{"rows", report.rows},
          {"empty_rows", report.empty_rows},
          {"blank_texts", report.blank_texts},
          {"equal_texts", report.equal_texts},
          {"repaired_utf8", report.repaired_utf8},
          {"lone_surrogates", report.lone_surrogates},
          {"stray_quotes", report.stray_quotes},
          {"short_rows", report.short_rows},
          {"long_rows", report.long_rows},
          {"unknown_values", report.unknown_values},
          {"unknown_keys", unknown},
          {"notes", notes}};
}

nlohmann::ordered_json to_json(const FileReading& reading) {
  nlohmann::ordered_json out{{"format", name_of(reading.format)}, {"encoding", reading.encoding}};
  out["compression"] = reading.compression.empty() ? "none" : reading.compression;
  if (reading.format == FileFormat::csv || reading.format == FileFormat::tsv) {
    out["delimiter"] = reading.delimiter;
    out["quote"] = reading.quote;
    out["escape"] = reading.escape;
    out["header"] = reading.header ? "yes" : "no";
  }
  out["skipped_lines"] = reading.skipped;
  return out;
}

void remark_converted(const Session& session, const std::string& type) {
  if (!type.empty()) session.remark("note: " + type + " converted to float32");
}

void add_word_options(CLI::App& verb, Session& session, CtfidfOptions& words, std::string& stop_words) {
  add_options(verb, session,
              only(option_refs(words), {"n_words", "max_ngram", "min_count", "language", "keep_markup",
                                        "keep_numbers", "bm25", "reduce_frequent_words"}),
              {{"n_words", "--words"}, {"max_ngram", "--ngrams"}, {"min_count", "--min-texts"}});
  verb.add_option("--stop-words", stop_words,
                  "Leave out the words of this file too; \"\" takes back those that the collection keeps")
      ->type_name("FILE");
}

void take_stop_words(const CLI::App& verb, const std::string& file, CtfidfOptions& words) {
  if (verb.count("--stop-words") == 0) return;
  words.more_stop_words.clear();
  if (!file.empty()) words.more_stop_words.push_back(read_file(file, std::size_t{1} << 24));
}

void remark_unknown(const Session& session, Index unknown, Index rows, Index first,
                    const std::string& example) {
  if (unknown == 0) return;
  session.remark(
      "note: " + with_commas(unknown) + " of " + counted(rows, "text") + (unknown == 1 ? " has" : " have") +
      " nothing that the model knows (no words, or signs that it was never shown), and lie where they "
      "lie by chance; the first is row " +
      std::to_string(first) + (example.empty() ? "" : ": \"" + one_line(example, 60) + "\""));
}

Notice language_notice(Session& session) {
  return [&session](const std::string& line) {
    session.progress().finish();
    session.remark("warning: " + line +
                   ". A multilingual model helps: 'make multilingual' brings one; then --model "
                   "multilingual-e5-small");
  };
}

void remark_cut(const Session& session, Index cut, Index rows, const EncodeOptions& options, Index limit) {
  if (cut == 0) return;
  session.remark("note: " + with_commas(cut) + " of " + counted(rows, "text") + (cut == 1 ? " is" : " are") +
                 " longer than " + (options.max_tokens ? "" : "the model's ") + counted(limit, "token") +
                 (options.max_tokens ? " (--max-tokens)" : "") +
                 (cut == 1 ? " and was cut; --long chunk reads it whole"
                           : " and were cut; --long chunk reads them whole"));
}

std::string time_line(const Progress& progress) {
  std::string out = "time: " + duration(progress.seconds());
  for (const auto& [step, seconds] : progress.steps())
    if (seconds >= 0.05) out += ", " + step + " " + duration(seconds);
  return out;
}

nlohmann::ordered_json to_json(const Progress& progress) {
  auto out = nlohmann::ordered_json::object();
  for (const auto& [step, seconds] : progress.steps()) out[step] = seconds;
  return out;
}

}  // namespace shoal::cli
