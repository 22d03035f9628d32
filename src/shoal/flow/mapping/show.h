#pragma once

#include <filesystem>
#include <string>

#include "shoal/store/collection/collection.h"

namespace shoal {

/// The name of a collection: its folder's, without ending.
std::string name_of_collection(const std::filesystem::path& folder);

struct ShowOptions {
  std::string title;  ///< empty: the collection's name
  /// A user column to colour by; empty: the first with 2 to 200 different values, if any. Of numbers, dates
  /// and times with many values the page has ranges (value_bins).
  std::string color;
};

/// The column that the page colours by: `wanted`, or the first with few values if that is empty; "" if there
/// is none. Error(argument) listing the columns if `wanted` is none of them.
std::string color_column(const Collection& collection, const std::string& wanted);

/// Writes the page again after something that it shows was changed, with the options of the last map; title:
/// empty, the last one's. What was to be drawn is drawn again by the next map if this does not come to its
/// end, from begin_change on.
void redraw_page(Collection& collection, const std::string& title = {});
void begin_change(Collection& collection);
/// Whether a change was begun, and its page not drawn.
bool is_stale(const Collection& collection);

/// Writes map.html into the collection. Error(argument) if `color` is no column of it.
void write_map_page(const Collection& collection, const ShowOptions& options);

}  // namespace shoal
