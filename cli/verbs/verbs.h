#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "session.h"
#include "shoal/encode/encoder.h"
#include "shoal/read/source.h"

namespace shoal::cli {

// One function a verb: it adds the subcommand with its options and its work.
void add_map(CLI::App& app, Session& session);
void add_embed(CLI::App& app, Session& session);
void add_search(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);
void add_inspect(CLI::App& app, Session& session);
void add_export(CLI::App& app, Session& session);
void add_model(CLI::App& app, Session& session);
void add_cluster(CLI::App& app, Session& session);
void add_layout(CLI::App& app, Session& session);
void add_classify(CLI::App& app, Session& session);

/// The same check without its name in the help text.
CLI::Validator quietly(CLI::Validator validator);
/// Checks that a value is a whole number in [from, to], in decimal digits.
CLI::Validator whole_number(std::uint64_t from, std::uint64_t to = std::numeric_limits<std::uint64_t>::max());
/// An option that takes one of `names`; `choose` gets its place among them.
void add_choice(CLI::App& verb, const std::string& flag, const std::vector<std::string>& names,
                const std::function<void(std::size_t)>& choose, const std::string& help);
/// What the file `mark` of a folder that was just made tells of it, the folder, and the seconds that it took.
nlohmann::ordered_json made_json(const std::filesystem::path& out, std::string_view mark, Session& session);
/// --threads, --json, --quiet.
void add_shared(CLI::App& verb, Session& session);
/// --text, --format, --limit, --max-record.
void add_reading(CLI::App& verb, ReadOptions& options);
/// Error(file) with a hint if an input that is not there looks like a second column of --text.
void check_inputs(CLI::App& verb, const std::vector<std::string>& inputs);
/// Error(argument) if one of them was given: `path` is `kind`, and nothing is read as texts.
void refuse_reading(CLI::App& verb, const std::string& path, const std::string& kind);
/// --long, --overlap, --max-tokens, --prompt.
void add_encoding(CLI::App& verb, EncodeOptions& options);
/// Error(argument) if one of them would do nothing.
void check_encoding(CLI::App& verb, const EncodeOptions& options);
/// --model.
void add_model_option(CLI::App& verb, std::string& model);

/// One line of at most `most` bytes, cut at a character.
std::string one_line(std::string text, std::size_t most);

/// Error(argument) if `out` lies in the collection: its own files are not to be written over.
void keep_out_of(const std::filesystem::path& collection, const std::filesystem::path& out);

/// The name of a file of vectors without its ending, or of a folder, with `ending`: in the current folder.
std::filesystem::path beside_input(const std::filesystem::path& input, const char* ending);

/// What the reader repaired, as remarks.
void remark_report(const Session& session, const ReadReport& report);
nlohmann::ordered_json to_json(const ReadReport& report);
/// The remark where vectors do not say which model made them.
inline constexpr const char* kAssumedSpace =
    "note: not all of these vectors say which model made them; they are taken to be of the same one";

/// That `cut` of `rows` texts were longer than the limit, as a remark.
void remark_cut(const Session& session, Index cut, Index rows, const EncodeOptions& options, Index limit);

/// "time: 12.3 s, load model 0.4 s, embed 11.9 s"
std::string time_line(const Progress& progress);
/// Seconds of each step.
nlohmann::ordered_json to_json(const Progress& progress);

}  // namespace shoal::cli
