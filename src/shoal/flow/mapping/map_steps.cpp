#include "shoal/flow/mapping/map_steps_impl.h"

#include <algorithm>

#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/mapping/clusters_before.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/names/name_clusters.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/preparation.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/texts/distinct_rows.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

constexpr std::string_view kVectors = "vectors.safetensors", kPca = "pca.safetensors",
                           kReduced = "reduced.safetensors", kUmap = "umap.safetensors",
                           kClusterer = "clusters.safetensors", kReport = "report.json", kPage = "map.html";

std::vector<Field> embed_options(const MapJob& job) {
  auto list = list_fields(job.options.encode);
  list.push_back({"model", std::string(model_of(job.encoder.space().id))});
  return list;
}

void embed(MapJob& job, const std::string& key) {
  // Vectors made with other options are of no use; a file begun under the model's old name is not gone on
  // with.
  const std::string made_with = key + " " + job.encoder.space().id;
  if (job.collection.manifest("vectors_key") != made_with) {
    job.collection.set_manifest("vectors", "0");
    job.collection.set_manifest("vectors_key", made_with);
  }
  forget_found_by_vectors(job.collection);
  embed_collection(job.encoder, job.options.encode, job.collection, job.run);
}

void reduce(MapJob& job) {
  const Rows vectors = map_vectors(job.collection);
  job.worth_keeping = false;
  const auto made = Preparation::fit(vectors, job.options.pca, false, job.collection.file(kReduced), job.run);
  job.worth_keeping = true;
  made.save(job.collection.folder());
}

Rows reduced(const MapJob& job) { return open_rows(job.collection.file(kReduced)); }

UmapOptions layout_options(const MapJob& job) {
  UmapOptions with_seed = job.options.umap;
  with_seed.seed = job.options.seed.child(2);
  return with_seed;
}

void lay_out(MapJob& job) {
  const Rows all = reduced(job);
  const Distinct distinct = job.options.unique ? distinct_rows(all) : Distinct{.rows = all, .of = {}};
  const Umap umap = Umap::fit(distinct.rows, layout_options(job), job.run);
  save_stage(umap, job.collection.file(kUmap));
  if (!job.options.unique) return job.collection.set_points(umap.embedding().view());
  Matrix points(all.rows(), 2);
  for (Index i = 0; i < all.rows(); ++i)
    std::ranges::copy(umap.embedding()[distinct.of[i]], points[i].begin());
  job.collection.set_points(points.view());
  job.laid_out = distinct.rows.rows();
}

/// As `cluster` writes it, but for what a collection has elsewhere: names and words.
std::string report_of(const MapJob& job, const Clustering& made, std::optional<Identities> identities) {
  const Pca pca = load_stage<Pca>(job.collection.file(kPca));
  ClusterReport report{.rows = job.collection.rows(),
                       .dims = job.encoder.space().dims,
                       .components = pca.n_components(),
                       .variance = pca.explained_variance_ratio(),
                       .found = made.findings,
                       .identities = std::move(identities)};
  for (const Index size : label_sizes(made.clusters.labels))
    report.clusters.push_back({.id = static_cast<Label>(report.clusters.size()), .size = size});
  return report_text(report_json(report, {.pca = job.options.pca,
                                          .clusters = job.options.clusters,
                                          .classifier = {},
                                          .seed = job.options.seed}));
}

void cluster(MapJob& job, const std::string& key) {
  forget_plot(job.collection, kDriftPlot);
  const auto strange = job.collection.result(kAnomalyResult);
  if (strange && strange->options.find("\"cluster\"") != std::string::npos)
    job.collection.drop_result(kAnomalyResult);  // a score of the clusters that were
  Clustering made = find_clusters(reduced(job), job.options.clusters, job.options.seed, job.run);
  save_clusterer(made.fitted, job.collection.file(kClusterer));
  std::optional<Identities> identities;
  if (job.options.keep_identities)
    identities = keep_numbers(job.collection, key, made);
  else
    forget_clusters_before(job.collection);
  write_file(job.collection.file(kReport), report_of(job, made, std::move(identities)));
  set_kept_labels(job.collection, key, made.clusters.labels);
}

void explain(MapJob& job) {
  name_clusters(job.collection, reduced(job), saved_method(job.collection.file(kClusterer)).metric(),
                job.options.words, job.run);
  job.names = apply_own_names(job.collection);
}

void page(MapJob& job) {
  if (job.run.progress) job.run.progress("page", 0, 1);
  write_map_page(job.collection, {.title = page_title(job.options), .color = job.options.color});
  if (job.run.progress) job.run.progress("page", 1, 1);
}

}  // namespace

std::vector<Step> map_steps(MapJob* job, bool neutral) {
  std::vector<Step> steps = {
      {.name = "embed",
       .needs = {kRows},
       .makes = {kVectors},
       .options = [job] { return embed_options(*job); },
       .run = [job](const auto& key) { embed(*job, key); },
       .version = kVectorsVersion},
      {.name = "pca",
       .needs = {kVectors},
       .makes = {kPca, kReduced},
       .options = [job] { return list_fields(job->options.pca); },
       .run = [job](const auto&) { reduce(*job); }},
      {.name = "layout",
       .needs = {kReduced},
       .makes = {kUmap, "points"},
       .options =
           [job] {
             auto list = list_fields(layout_options(*job));
             if (job->options.unique) list.push_back({"unique", true});
             return list;
           },
       .run = [job](const auto&) { lay_out(*job); }},
      {.name = "cluster",
       .needs = {kPca, kReduced},
       .makes = {kClusterer, kReport, "labels"},
       .options =
           [job] {
             auto list = list_clustering(job->options.clusters, job->collection.rows(), job->options.seed);
             list.push_back({"report", std::int64_t{kClustersVersion}});
             if (job->options.keep_identities) list.push_back({"keep_identities", true});
             return list;
           },
       .run = [job](const auto& key) { cluster(*job, key); }},
      {.name = "explain",
       .needs = {kRows, kReduced, kClusterer, "labels"},
       .makes = {"names"},
       .options =
           [job] {
             auto list = list_fields(job->options.words);
             for (const auto& given : job->options.words.more_stop_words)
               list.push_back({"stop word", given});
             return list;
           },
       .run = [job](const auto&) { explain(*job); }},
      {.name = "page",
       .needs = {kRows, kClusterer, kReport, "labels", "points", "names"},
       .makes = {kPage},
       .options =
           [job] {
             return std::vector<Field>{{"title", page_title(job->options)}, {"color", job->options.color}};
           },
       .run = [job](const auto&) { page(*job); }},
  };
  if (!neutral) return steps;
  // Groups before the vectors, so that a column of no use is told before hours of embedding.
  steps[1].needs = {kVectors, kNeutralGroups, kNeutralFile};
  steps.insert(
      steps.begin() + 1,
      {.name = "neutral",
       .needs = {kRows, kVectors, kNeutralGroups},
       .makes = {kNeutralFile},
       .options = [job] { return list_fields(GroupCenteringOptions{.column = job->options.neutral}); },
       .run =
           [job](const auto&) {
             forget_found_by_vectors(job->collection);
             learn_neutral(job->collection, job->options.neutral, job->run);
           }});
  steps.insert(steps.begin(),
               {.name = "groups",
                .needs = {kRows},
                .makes = {kNeutralGroups},
                .options =
                    [job] {
                      return std::vector<Field>{{"neutral", job->options.neutral}};
                    },
                .run = [job](const auto&) { find_groups(job->collection, job->options.neutral, job->run); }});
  return steps;
}

std::string page_title(const MapOptions& options) {
  return options.title.empty() ? name_of_collection(options.out) : options.title;
}

}  // namespace shoal
