#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/run.h"
#include "shoal/flow/stage_file.h"
#include "shoal/reduce/group_centering.h"
#include "shoal/store/collection/collection.h"
#include "shoal/tokenize/language.h"

namespace shoal {

/// What `neutral` is where the texts' languages are meant.
inline constexpr const char* kLanguage = "language";

/// The languages of the collection's texts, most frequent first, from its `sampled_rows`.
std::vector<LanguageCount> languages_in(const Collection& collection, const Run& run);

/// The column whose values `neutral` means: of that name; or for "language" one called language or lang
/// (upper or lower case alike), and if there is none "": languages are detected. Error(argument) listing the
/// columns if there is no such column.
std::string neutral_column(const Collection& collection, const std::string& neutral);

/// Gives each row its group and keeps them as the collection's labels kNeutralGroups, with their names. Rows
/// without a value, or in no language that is known, have none. Error(data) if there are fewer than two
/// groups, or more than 1,000. Step "groups", in rows.
void find_groups(Collection& collection, const std::string& neutral, const Run& run);
/// Learns the groups' means from the collection's vectors, and keeps them in kNeutralFile. Step "neutral".
void learn_neutral(Collection& collection, const std::string& neutral, const Run& run);
/// Forgets both, if they are there.
void drop_neutral(Collection& collection);

/// The collection's vectors as its map sees them: without the groups' means, if it is neutral to something.
/// Mapped; nothing is copied. Error(data) if it does not have a vector for each row yet.
Rows map_vectors(const Collection& collection);
/// The same as the encoder made them.
Rows raw_vectors(const Collection& collection);

/// The groups of another collection's rows: by the column of that name, if it has one; else by their
/// languages, if groups have languages. Error(argument) if neither is there.
std::vector<Label> groups_of(const GroupCentering& stage, const Collection& collection, const Run& run);
/// The group of a text by its language; kNoise if there is none.
Label group_of(const GroupCentering& stage, const std::string& text);

}  // namespace shoal
