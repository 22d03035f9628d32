#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// Plots as one SVG file each, which any browser opens: light or dark as the reader's system is, with the
/// numbers readable as tooltips. Equal input gives equal bytes.

/// Text as it may stand in SVG and HTML, in attributes too; control characters, which XML does not know,
/// become spaces.
std::string escaped(const std::string& text);

struct PlotText {
  std::string title, x_label, y_label;
  /// Of curves: what places on the x axis are called, ascending, as periods are; as many are written as there
  /// is room for. Empty: the axis has numbers.
  std::vector<std::pair<double, std::string>> x_names = {};
};

/// A curve; `marked` is drawn as a dot with its value: a place in x.
struct PlotCurve {
  std::string name;
  std::vector<double> x, y;  ///< as many; a y that is not finite breaks the line
  std::optional<Index> marked;
  std::optional<double> level = {};  ///< a dashed line across, as a threshold
};
/// One panel a curve, under each other, on a common x axis, each with its own scale.
/// Error(argument) if x and y differ in length.
std::string curves_svg(const PlotText& text, const std::vector<PlotCurve>& curves);

/// A bar: how much of a thing.
struct Bar {
  std::string name;
  double value = 0;  ///< >= 0
};
/// Bars beside each other; names are written as far as there is room, and all are tooltips.
std::string bars_svg(const PlotText& text, const std::vector<Bar>& bars);

/// So many bars of equal width from the smallest to the largest finite value; those of 0..n_bins - 1 rows.
/// Values that are not finite are left out. Error(argument) for 0 bins.
std::string histogram_svg(const PlotText& text, const std::vector<double>& values, Index n_bins = 40);

/// A square of counts: rows are what is true, columns what is said; darker cells are a larger share of their
/// row, and numbers are tooltips. names: of rows and columns, as many as both; written where there is room.
/// Below stand the commonest confusions in words. Error(argument) if a row is not as long as there are names.
std::string confusion_svg(const PlotText& text, const std::vector<std::vector<Index>>& counts,
                          const std::vector<std::string>& names);

/// How sure, from 0 to 1, against how often right, with an interval of the latter.
struct SurePoint {
  double sure = 0, right = 0, low = 0, high = 1;
  Index count = 0;  ///< a larger dot; none: not drawn
};
/// Dots beside the diagonal, on which what is said comes true as often as it says.
std::string reliability_svg(const PlotText& text, const std::vector<SurePoint>& points);

/// The dense part of the points (rows x 2) coloured by label, noise in grey, lines of equal density below,
/// the names of clusters at their densest places, inside the frame and without touching; of more names than
/// find room, those of the largest clusters. names: one a label, or empty. `grey` is what the tooltip calls
/// noise. Error(argument) as densest_places.
std::string scatter_svg(const PlotText& text, MatrixView points, const Labels& labels,
                        const std::vector<std::string>& names, const std::string& grey = "noise");

}  // namespace shoal
