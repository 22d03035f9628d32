#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A header's name as a column's: repaired to UTF-8, without spaces around.
std::string column_name(std::string_view header);

/// The names of all columns, each by column_name, and no two alike: an empty one becomes column_3 (its
/// position), a second "name" name_2; never one that is there already.
std::vector<std::string> unique_names(const std::vector<std::string>& header);

/// Whether a column of this name is taken for the text (upper or lower case alike): text, texts, description,
/// content, body, message, review, question, title, sentence, document, comment, utterance, query, headline.
bool is_text_name(std::string_view name);

/// Whether a value reads like prose: three words with a letter in each, or eight characters of a script that
/// is written without spaces (from U+2E80 on).
bool reads_like_prose(std::string_view utf8);

/// The columns' positions that hold the text: those named, else the only one there is, else the only one with
/// a text's name, else the only one of which more than half of the values (column-major: values[column][row])
/// that are not empty read like prose. Error(argument) listing the columns if a name is unknown or twice
/// there, or if none or several fit.
std::vector<Index> choose_text_columns(const std::string& file, const std::vector<std::string>& columns,
                                       const std::vector<std::string>& named,
                                       const std::vector<std::vector<std::string>>& values);

/// Whether the values will be needed by choose_text_columns.
bool names_decide(const std::vector<std::string>& columns, const std::vector<std::string>& named);

/// "id", "text" and "date" for messages; at most 20 names.
std::string list_names(const std::vector<std::string>& names);

}  // namespace shoal
