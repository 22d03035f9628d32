#pragma once

#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/map/arrange_names.h"
#include "shoal/map/dense_view.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// A map as a drawing: the dense part of the points within `frame`, lines of equal density below them.
struct MapDrawing {
  MapDrawing(MatrixView points, const Frame& frame);

  MapBox view;
  Frame frame;
  double scale = 1;  ///< units of the drawing a unit of the points, on both axes
  double x(double v) const;
  double y(double v) const;
  /// How many points with a place are not drawn, since they lie outside the frame.
  Index hidden() const;
  /// Elements of SVG: <path class="k"> for each level.
  std::string density() const;
  /// For each label `<path class="p" stroke=colors[label]>` with its name as a tooltip, noise in grey below.
  /// Where parts lie over each other they are mixed.
  std::string dots(const Labels& labels, const std::vector<std::string>& colors,
                   const std::vector<std::string>& names, const std::string& grey) const;
  /// <text class="..."> for each line of a name.
  static std::string text(const PlacedName& name, const char* kind, const std::string& fill);

 private:
  double point_size() const;

  MatrixView points_;
};

/// What a picture for print shows.
struct PictureData {
  std::string title;
  std::string made_by;  ///< below the map
  MatrixView points;    ///< rows x 2
  Labels labels;
  std::vector<ClusterRecord> clusters;  ///< by label
  std::vector<GroupRecord> groups;
  bool dark = false;
};

/// The map as SVG, 1600 units wide: the same first view, density, colours and places of names as on the page,
/// names of groups and of clusters that touch nowhere. Fonts are named by their generic family. Equal input
/// gives equal bytes. Error(argument) as densest_places.
std::string map_picture(const PictureData& data);

}  // namespace shoal
