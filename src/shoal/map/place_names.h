#pragma once

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// A place on the map, in the units of its points.
struct Place {
  float x = 0, y = 0;
};

/// The box that holds the middle 99.4 % of the finite points on each axis: heavy tails do not shrink the map.
/// points: rows x 2. No finite point: the unit box around 0. One place: a box of side 1 around it.
struct MapBox {
  Place low, high;
};
MapBox map_box(MatrixView points);

/// Where to write a name: the middle of the densest place of the points whose label is `label`, so that a
/// cluster of several islands is named on its largest one and never between them. Found on a grid of `cells`
/// x `cells` over `box`; the place is the median of the points in the fullest 3 x 3 cells, ties by the
/// smaller cell. One place for each label 0..labels.count - 1; the middle of the box for a label without
/// finite points. Rows without a finite point and kNoise take no part. Error(argument) if a label is out of
/// range or points and labels differ in length. O(rows log rows + count cells^2).
std::vector<Place> densest_places(MatrixView points, const Labels& labels, const MapBox& box, Index cells);

/// Where the names of clusters and of their groups are written; empty if there are no points.
struct NamePlaces {
  std::vector<Place> clusters, groups;
};
/// group_of: of each label. Error(argument) as above, or if a group is not one of 0..n_groups - 1.
NamePlaces place_names(MatrixView points, const Labels& labels, const std::vector<Label>& group_of,
                       Index n_groups);

}  // namespace shoal
