#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "shoal/core/error.h"
#include "shoal/flow/models.h"
#include "shoal/store/archive/archive.h"
#include "verbs/verbs.h"

namespace shoal::cli {

void add_shared(CLI::App& verb, Session& session) {
  verb.add_option("--threads", session.threads,
                  "Threads to use; 0: as many as the machine has. Never changes the result")
      ->check(whole_number(0, 1024))
      ->type_name("N");
  verb.add_flag("--json", session.json, "Answer with one JSON object on standard output");
  verb.add_flag("--quiet", session.quiet, "No progress and no remarks on standard error");
}

void add_choice(CLI::App& verb, const std::string& flag, const std::vector<std::string>& names,
                const std::function<void(std::size_t)>& choose, const std::string& help) {
  verb.add_option_function<std::string>(
          flag,
          [names, choose](const std::string& name) {
            choose(static_cast<std::size_t>(std::ranges::find(names, name) - names.begin()));
          },
          help)
      ->check(quietly(CLI::IsMember(names)))
      ->type_name("NAME");
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

CLI::Validator quietly(CLI::Validator validator) {
  const CLI::Validator number(  // CLI::Range lets it pass
      [](const std::string& value) {
        return std::isnan(std::strtod(value.c_str(), nullptr)) ? "'" + value + "' is no number" : "";
      },
      "");
  return (validator & number).description("");
}

CLI::Validator whole_number(std::uint64_t from, std::uint64_t to) {
  const auto problem = [from, to](const std::string& value) -> std::string {
    std::uint64_t n = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), n);
    const bool whole = end == value.data() + value.size();
    if (whole && fault == std::errc() && n >= from && n <= to) return {};
    const bool bounded = to < std::numeric_limits<std::uint64_t>::max();
    return "'" + value + "' is not a whole number from " + std::to_string(from) +
           (bounded || (whole && fault == std::errc::result_out_of_range) ? " to " + std::to_string(to) : "");
  };
  return CLI::Validator(problem, "");
}

void add_reading(CLI::App& verb, ReadOptions& options) {
  verb.add_option(
          "--text", options.text_columns,
          "Column that holds the texts; give it more than once to join several. Default: found by its name. "
          "The columns of JSONL are the keys of its first records, at most 1,000; values under other keys "
          "are passed over")
      ->type_name("COLUMN")
      ->take_all()
      ->allow_extra_args(false);
  add_choice(
      verb, "--format", {"csv", "tsv", "jsonl", "lines"},
      [&options](std::size_t chosen) { options.format = static_cast<FileFormat>(chosen); },
      "csv, tsv, jsonl or lines. Default: by the file's ending, then by content");
  verb.add_option("--limit", options.limit, "Read at most this many rows, over all files together")
      ->check(whole_number(1))
      ->type_name("N");
  verb.add_option("--max-record", options.max_record, "Longest row in bytes; a longer one is an error")
      ->check(whole_number(1))
      ->type_name("BYTES")
      ->capture_default_str();
}

void check_inputs(CLI::App& verb, const std::vector<std::string>& inputs) {
  if (inputs.size() < 2 || verb.count("--text") == 0) return;
  for (const std::string& input : inputs)
    if (input != "-" && !std::filesystem::exists(input))
      throw Error(Fault::file, input + ": no such file; to join several columns give --text more than once");
}

void refuse_reading(CLI::App& verb, const std::string& path, const std::string& kind) {
  for (const char* flag : {"--text", "--format", "--limit", "--max-record"}) {
    require(verb.count(flag) == 0, Fault::argument,
            std::string(flag) + " says how files of texts are read; " + path + " is " + kind);
  }
}

void add_encoding(CLI::App& verb, EncodeOptions& options) {
  add_choice(
      verb, "--long", {"truncate", "chunk"},
      [&options](std::size_t chosen) { options.long_texts = static_cast<LongTexts>(chosen); },
      "Texts over the model's limit: 'truncate' them (default), or 'chunk' into overlapping windows and "
      "pool");
  verb.add_option("--overlap", options.overlap, "Tokens that neighbouring windows share under --long chunk")
      ->check(whole_number(0))
      ->type_name("N")
      ->capture_default_str();
  verb.add_option("--max-tokens", options.max_tokens,
                  "Cut texts to this many tokens, at most the model's own limit")
      ->check(whole_number(1))
      ->type_name("N");
  verb.add_option("--prompt", options.prompt, "Name of one of the model's prompts to put before each text")
      ->type_name("NAME");
}

void check_encoding(CLI::App& verb, const EncodeOptions& options) {
  require(verb.count("--overlap") == 0 || options.long_texts == LongTexts::chunk, Fault::argument,
          "--overlap is of windows, and without --long chunk there are none");
}

void add_model_option(CLI::App& verb, std::string& model) {
  model = kDefaultModel;
  verb.add_option("--model", model, "Name from 'shoal model list', or a sentence-transformers folder")
      ->type_name("NAME|DIR")
      ->capture_default_str();
}

std::string one_line(std::string text, std::size_t most) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

void keep_out_of(const std::filesystem::path& collection, const std::filesystem::path& out) {
  std::error_code ignored;
  const auto folder = std::filesystem::canonical(collection, ignored);
  const auto target = std::filesystem::weakly_canonical(std::filesystem::absolute(out), ignored);
  for (auto at = target.parent_path(); at.has_relative_path(); at = at.parent_path())
    require(at != folder, Fault::argument,
            "--out " + out.string() + " lies in the collection " + collection.string() +
                "; choose another place");
}

std::filesystem::path beside_input(const std::filesystem::path& input, const char* ending) {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(input, ignored);
  const auto kind = path.extension();
  const bool known = kind == ".npy" || kind == ".safetensors" || kind == ".shoal";
  return (known ? path.stem() : path.filename()).string() + ending;
}

void remark_report(const Session& session, const ReadReport& report) {
  const auto say = [&](Index n, const std::string& noun, const std::string& what) {
    if (n > 0) session.remark("note: " + counted(n, noun) + " " + what);
  };
  say(report.repaired_utf8, "field", "held bytes that are not UTF-8, which became U+FFFD");
  say(report.short_rows, "row", "had fewer fields than the header; the missing ones are empty");
  say(report.long_rows, "row", "had more fields than the header; the rest was joined to the last");
  for (const auto& note : report.notes) session.remark("note: " + note);
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
  return {{"rows", report.rows},
          {"empty_rows", report.empty_rows},
          {"repaired_utf8", report.repaired_utf8},
          {"short_rows", report.short_rows},
          {"long_rows", report.long_rows},
          {"unknown_values", report.unknown_values},
          {"unknown_keys", unknown},
          {"notes", report.notes}};
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
