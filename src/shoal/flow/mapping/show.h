#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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

/// A plot that the page's report shows, as a file in the collection.
struct KeptPlot {
  const char *file, *title;
};
inline constexpr KeptPlot kDriftPlot{"drift.svg", "Drift over time"};
inline constexpr KeptPlot kLifetimePlot{"lifetime.svg", "How models of these texts grow old"};
inline constexpr KeptPlot kConfusionPlot{"confusion.svg", "What labels are taken for"};
inline constexpr KeptPlot kReliabilityPlot{"reliability.svg", "How often probabilities come true"};
inline constexpr std::array kKeptPlots{kDriftPlot, kLifetimePlot, kConfusionPlot, kReliabilityPlot};
/// Error(argument) if there is no map yet that could show something.
void check_has_map(const std::filesystem::path& collection);
/// Keeps them, or replaces them, and draws the page again. Error(argument) if there is no map yet.
void keep_plots(const std::filesystem::path& collection,
                const std::vector<std::pair<KeptPlot, std::string>>& svgs);
/// Removes one that is of other rows or clusters than there are now. A file of its name that keep_plot did
/// not write stays.
void forget_plot(Collection& collection, const KeptPlot& plot);
/// What was kept of anomalies, drift and lifetime: found by vectors that are others now.
void forget_found_by_vectors(Collection& collection);

/// Writes map.html into the collection. Error(argument) if `color` is no column of it.
void write_map_page(const Collection& collection, const ShowOptions& options);

}  // namespace shoal
