#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/names.h"
#include "shoal/core/run.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

enum class ExportFormat : std::uint8_t { csv, jsonl, parquet };
constexpr auto names_of(ExportFormat) { return std::array{"csv", "jsonl", "parquet"}; }

/// Takes the next piece of output.
using Sink = std::function<void(std::string_view)>;

/// Writes every row: its number, text, the user's columns, cluster, cluster_name, group_name, x, y (empty or
/// null where a step is not done yet). A column of the user with the name of one before it or of these gets
/// " (2)" behind its name, or the first number that is free. CSV by RFC 4180 with line feeds; JSONL one
/// object a row, whose values are of the kinds that they had in JSONL or Parquet: numbers to the digit, true,
/// null, lists; a key that a row did not have is left out. Parquet: each column of the narrowest type that
/// all its values are of (ColumnTypes), the rows read twice. Rows stream by: memory does not grow with them.
/// Then the results `more`, by their names: NAME of a number, NAME_PART of several, NAME, NAME_name and
/// NAME_group_name of labels. Error(argument) if there is none of a name. `vectors`, for Parquet alone: a
/// last column "vector". Step "export", in rows. Returns whether all is known: each row has all of these.
bool export_rows(const Collection& collection, ExportFormat format, const Sink& sink, const Run& run,
                 const std::vector<std::string>& more = {}, bool vectors = false);

}  // namespace shoal
