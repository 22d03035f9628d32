#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// Something that each row has and the page can colour and filter by, beside the clusters and the user's
/// column.
struct PageLayer {
  std::string name;
  std::vector<std::string> order;  ///< its values as they are to be listed and coloured, from low to high
  std::function<Texts(Index first, Index count)> values;  ///< of rows [first, first + count)
};

/// A picture that the page's report shows: SVG, as of map/svg.h.
struct PagePlot {
  std::string title, svg;
};

/// All that map.html shows. A row with the label kNoise is in no cluster.
struct PageData {
  std::string title;
  std::string made_by;  ///< "shoal 0.3.0, all-MiniLM-L6-v2, spherical k-means, 100 clusters"
  Matrix points;        ///< rows x 2
  Labels labels;
  std::vector<ClusterRecord> clusters;  ///< by label
  std::vector<GroupRecord> groups;
  /// Bytes of texts that the page may hold. If all are no more, all are whole; else the longest are cut to
  /// one length that fits, never below 400 bytes, and the page says which. The column has the same budget for
  /// itself. A megabyte of plain text adds about half a megabyte to the file.
  Index text_budget = Index{64} << 20;
  /// Texts of rows [first, first + count): asked for in order, once if they fit into the budget, else
  /// once more, and held only
  /// compressed.
  std::function<Texts(Index first, Index count)> texts;
  /// One user column to colour and filter by (may be absent: empty name).
  std::string column_name;
  std::function<Texts(Index first, Index count)> column;
  std::vector<std::string> column_order;  ///< its values as they are to be listed; empty: most frequent first
  std::vector<PageLayer> layers;
  std::string report;           ///< JSON of how the clusters were found and judged; empty: not shown
  std::vector<PagePlot> plots;  ///< in the report
};

/// Writes the self-contained page: the built template with the data spliced in, gzip + base64. Whole or not
/// at all. Each name stands at the densest place of its rows. The page is put together in memory.
/// Error(argument) if parts do not fit together or the report is not JSON.
void write_page(const std::filesystem::path& path, const PageData& data);

}  // namespace shoal
