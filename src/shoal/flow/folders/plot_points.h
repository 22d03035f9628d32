#pragma once

#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/flow/folders/cluster_vectors.h"

namespace shoal {

/// The name of the method for people: "t-SNE", "UMAP".
const char* title_of(PlotMethod method);

/// A place in the plane for each row, by the method with its defaults; no rows for PlotMethod::none.
Matrix plot_points(const Rows& x, PlotMethod method, Metric metric, Seed seed, const Run& run);

}  // namespace shoal
