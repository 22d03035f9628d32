#pragma once

#include <string_view>
#include <vector>

#include "shoal/read/sample_rows_impl.h"

namespace shoal {

/// True if the first `fields` cells all may be names of columns, each another one.
bool all_names(const SampleRow& row, Index fields);

/// True if a cell says by its name that a column holds text (is_text_name).
bool has_text_name(const SampleRow& row);

/// Votes for and against a header in rows[at].
bool is_header(const std::vector<SampleRow>& rows, std::size_t at, Index fields);

/// Where the table begins below lines of titles: at a row of names with rows alike below it. 0 if there are
/// no titles. `spaced`: spaces follow most delimiters, as in prose.
std::size_t below_titles(const std::vector<SampleRow>& rows, Index fields, bool spaced);

/// Whether the header has one name less than the rows have fields, since the first column numbers the rows.
bool lacks_first_name(const std::vector<SampleRow>& rows, Index fields);

}  // namespace shoal
