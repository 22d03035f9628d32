#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/read/source.h"
#include "shoal/words/descriptions.h"
#include "shoal/words/wordnet.h"

namespace shoal {

/// Whose examples of WordNet are descriptions too.
enum class Examples : std::uint8_t { all, kept, none };
constexpr auto names_of(Examples) { return std::array{"all", "kept", "none"}; }

struct DescriptionOptions {
  std::vector<std::filesystem::path> inputs;  ///< as read_descriptions
  std::vector<std::string> columns;           ///< of tables: those of word and description; empty: found
  ReadOptions read;
  std::vector<std::string> keep;  ///< words that the options for WordNet spare
  Examples examples = Examples::all;
  Index senses = 0;  ///< 0: all
};
template <class V>
void fields(DescriptionOptions& o, V&& visit) {
  visit("examples", o.examples,
        "of WordNet: whose example sentences are descriptions too: all words', those of --keep, or none");
  visit("senses", o.senses,
        "of WordNet: the first so many senses of a part of speech; words of --keep have all. 0: all",
        at_least(0));
}

/// Where WordNet is: $WNSEARCHDIR, $WNHOME/dict, else where Debian's wordnet-base has it.
std::filesystem::path wordnet_folder();
/// The folder's files. Error(file), Error(format).
WordNet load_wordnet(const std::filesystem::path& folder);

/// Descriptions of words from
///   wordnet               (if nothing of that name is there) or a folder with index.noun: WordNet's glosses
///   and
///                         examples
///   .json                 {"word": "description", "word": ["description", ...]}, or a list of objects with a
///   word
///                         and one or several descriptions
///   any table             CSV, TSV, JSONL, Parquet with columns of word and description; several rows a
///   word, or a
///                         list in a cell of JSON
/// wordnet: is set to the WordNet that was read, if one was. Error(data) naming file and entry of what has no
/// word or no description; Error(file), Error(format), Error(argument) as Source and place_columns.
Descriptions read_descriptions(const DescriptionOptions& options, DescriptionReport& report,
                               std::optional<WordNet>& wordnet, const Run& run);

/// The words of a file, one a line, or the column of a table called word; for options such as --keep.
std::vector<std::string> read_word_list(const std::filesystem::path& file);

}  // namespace shoal
