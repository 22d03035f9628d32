#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "session.h"
#include "shoal/encode/encoder.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/flow/texts/model_fit.h"
#include "shoal/read/source.h"
#include "verbs/flags.h"

namespace shoal::cli {

// The verbs, in the order of the help. Each is a file verbs/NAME.cpp with add_NAME, which adds the subcommand
// with its options and its work.
#define SHOAL_VERBS(verb)                                                                                  \
  verb(map) verb(embed) verb(cluster) verb(classify) verb(layout) verb(search) verb(personalise)           \
      verb(migrate) verb(ensemble) verb(train) verb(distil) verb(evaluate) verb(negatives) verb(score)     \
          verb(explain) verb(anomalies) verb(drift) verb(lifetime) verb(rename) verb(inspect) verb(export) \
              verb(words) verb(model)
#define SHOAL_DECLARE(name) void add_##name(CLI::App& app, Session& session);
SHOAL_VERBS(SHOAL_DECLARE)
#undef SHOAL_DECLARE

/// What the file `mark` of a folder that was just made tells of it, the folder, and the seconds that it took.
nlohmann::ordered_json made_json(const std::filesystem::path& out, std::string_view mark, Session& session);
/// The answer of a command whose result is there already.
std::string done_before(const std::filesystem::path& out);
/// --threads, --json, --quiet.
void add_shared(CLI::App& verb, Session& session);
/// --text, --format, --limit, --max-record.
void add_reading(CLI::App& verb, Session& session, ReadOptions& options);
/// Error(file) with a hint if an input that is not there looks like a second column of --text.
void check_inputs(CLI::App& verb, const std::vector<std::string>& inputs);
/// Error(argument) if one of them was given: `path` is `kind`, and nothing is read as texts.
void refuse_reading(const CLI::App& verb, const std::string& path, const std::string& kind);
/// The first of those options that was given; empty: none was.
std::string given_reading(const CLI::App& verb);
/// Error(argument) if one of them would do nothing.
void check_encoding(CLI::App& verb, const EncodeOptions& options);
/// --words, --ngrams, --min-texts, --language and others of how clusters are named; --stop-words FILE.
void add_word_options(CLI::App& verb, Session& session, CtfidfOptions& words, std::string& stop_words);
/// The words of the file, if one was given.
void take_stop_words(const CLI::App& verb, const std::string& file, CtfidfOptions& words);
/// --model.
void add_model_option(CLI::App& verb, std::string& model);

/// One line of at most `most` bytes, cut at a character.
std::string one_line(std::string text, std::size_t most);

/// Error(argument) if `out` lies in the collection: its own files are not to be written over.
void keep_out_of(const std::filesystem::path& collection, const std::filesystem::path& out,
                 const char* flag = "--out");

/// Error(argument) if one of these files that a verb will make (flag and path; none if that is empty) lies in
/// an input that is a collection, is one of the inputs itself, or is there although `overwrite` was not
/// given.
void check_new_files(const std::vector<std::filesystem::path>& inputs,
                     const std::vector<std::pair<const char*, std::string>>& files, bool overwrite);

/// The name of a file of vectors or texts without its ending, or of a folder, with `ending`: in the current
/// folder.
std::filesystem::path beside_input(const std::filesystem::path& input, const char* ending);

/// What the reader repaired, as remarks.
void remark_report(const Session& session, const ReadReport& report);
nlohmann::ordered_json to_json(const ReadReport& report);
nlohmann::ordered_json to_json(const FileReading& reading);  ///< how a file is written
/// The remark where vectors do not say which model made them.
inline constexpr const char* kAssumedSpace =
    "note: not all of these vectors say which model made them; they are taken to be of the same one";

/// That numbers of `type` became float32, as a remark; nothing if it is empty.
void remark_converted(const Session& session, const std::string& type);

/// That `cut` of `rows` texts were longer than the limit, as a remark.
void remark_cut(const Session& session, Index cut, Index rows, const EncodeOptions& options, Index limit);

/// That the tokenizer of the model knows nothing of some texts, with the first as an example, as a remark.
void remark_unknown(const Session& session, Index unknown, Index rows, Index first,
                    const std::string& example);
/// Says as a warning what a model does not know, and what would help.
Notice language_notice(Session& session);

/// "time: 12.3 s, load model 0.4 s, embed 11.9 s"
std::string time_line(const Progress& progress);
/// Seconds of each step.
nlohmann::ordered_json to_json(const Progress& progress);

}  // namespace shoal::cli
