#pragma once

/// The one door of the library: texts -> vectors -> fewer numbers, clusters, maps -> what they mean.
///
///   #include "shoal/shoal.h"
///   const auto encoder = shoal::Encoder::load(folder);
///   const shoal::Rows vectors = encoder.encode(texts);
///   const auto groups = shoal::SphericalKMeans::fit(vectors, {.n_clusters = 20});
///
/// Every function may throw shoal::Error and nothing else but std::bad_alloc; nothing prints or exits. A
/// const object may be used by many threads at once.

// The words that all others use.
#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/core/texts.h"

// Vectors and fitted stages on disk.
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"

// Texts to vectors, and pairs of texts to scores.
#include "shoal/encode/cross_encoder.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/text_attention.h"

// Better weights from pairs, triplets and labels.
#include "shoal/train/cross_trainer.h"
#include "shoal/train/trainer.h"

// Words by the attention in their descriptions.
#include "shoal/words/attention_file.h"
#include "shoal/words/choose_heads.h"
#include "shoal/words/closed_form.h"
#include "shoal/words/contexts.h"
#include "shoal/words/move.h"
#include "shoal/words/read_out.h"

// Nearest rows.
#include "shoal/near/exact.h"

// Vectors to fewer numbers.
#include "shoal/reduce/group_centering.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/standardise.h"
#include "shoal/reduce/tsne/tsne.h"
#include "shoal/reduce/umap/umap.h"

// Vectors to clusters: each method by itself, and any of them chosen at run time.
#include "shoal/cluster/density/dbscan.h"
#include "shoal/cluster/density/hdbscan.h"
#include "shoal/cluster/kmeans/kmeans.h"
#include "shoal/cluster/kmeans/minibatch_kmeans.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/cluster/kmeans/vmf_mixture.h"
#include "shoal/cluster/linkage/agglomerative.h"
#include "shoal/cluster/selection/methods.h"
#include "shoal/cluster/som/som.h"

// How good clusters are, how many there are, how far they come back.
#include "shoal/cluster/selection/choose.h"
#include "shoal/cluster/selection/stability.h"
#include "shoal/measure/agreement.h"
#include "shoal/measure/separation.h"
#include "shoal/measure/silhouette.h"

// Labels learnt from examples, and how well they are found.
#include "shoal/classify/head.h"
#include "shoal/classify/label_errors.h"
#include "shoal/measure/classification.h"

// How good a model's vectors are: for scored pairs, for pairs that belong together, for queries.
#include "shoal/measure/bootstrap.h"
#include "shoal/measure/rank_correlation.h"
#include "shoal/measure/ranking.h"
#include "shoal/measure/scored_pairs.h"
#include "shoal/measure/similarity.h"
#include "shoal/measure/word_spaces.h"

// New rows into old clusters.
#include "shoal/classify/cluster_classifier.h"
#include "shoal/classify/logistic.h"

// What a user wants: feedback into profiles.
#include "shoal/adapt/personalise.h"

// What clusters are about.
#include "shoal/explain/association.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/explain/exemplars.h"
#include "shoal/explain/medoids.h"
#include "shoal/explain/outcome.h"

// What is strange, what has changed, and how fast models grow old.
#include "shoal/watch/anomalies.h"
#include "shoal/watch/drift.h"
#include "shoal/watch/identities.h"
#include "shoal/watch/lifetime.h"
#include "shoal/watch/lifetime_fit.h"
#include "shoal/watch/online.h"
