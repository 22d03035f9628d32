#include "shoal/flow/folders/plot_points.h"

#include "shoal/reduce/tsne/tsne.h"
#include "shoal/reduce/umap/umap.h"

namespace shoal {

const char* title_of(PlotMethod method) { return method == PlotMethod::tsne ? "t-SNE" : "UMAP"; }

Matrix plot_points(const Rows& x, PlotMethod method, Metric metric, Seed seed, const Run& run) {
  if (method == PlotMethod::umap) return Umap::fit(x, {.metric = metric, .seed = seed}, run).embedding();
  if (method == PlotMethod::tsne) return Tsne::fit(x, {.metric = metric, .seed = seed}, run).embedding();
  return {0, 2};
}

}  // namespace shoal
