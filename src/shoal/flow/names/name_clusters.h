#pragma once

#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// The words of the collection's texts, by label. Texts stream by once: memory does not grow with them. Step
/// "explain", in rows.
Ctfidf count_words(const Collection& collection, const Labels& labels, const CtfidfOptions& options,
                   const Run& run);

/// Clusters and groups of them as people read them.
struct DescribedClusters {
  std::vector<ClusterRecord> clusters;
  std::vector<GroupRecord> groups;
};

/// Size and typical rows of each cluster. With the collection whose texts the rows are also words and a name,
/// and clusters joined into groups by their centers (labels.count x d), with names too; more than 4,000
/// clusters are one group. Step "explain", in rows.
DescribedClusters describe_clusters(const Collection* collection, const Rows& vectors, const Labels& labels,
                                    const Matrix& centers, const Run& run, Metric metric = Metric::cosine,
                                    const CtfidfOptions& words = {});

/// Writes what describe_clusters finds of the collection's labels to it; centers are the centroids of the
/// labels by the metric.
void name_clusters(Collection& collection, const Rows& vectors, Metric metric, const CtfidfOptions& words,
                   const Run& run);

}  // namespace shoal
