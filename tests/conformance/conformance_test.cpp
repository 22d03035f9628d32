// Every stage, asked everything. A new stage: its header, and its name in `Stages`.
#include <sys/wait.h>

#include <cstdlib>

#include "examples/skeleton/unit_variance.h"
#include "shoal/classify/cluster_classifier.h"
#include "shoal/classify/logistic.h"
#include "shoal/cluster/density/dbscan.h"
#include "shoal/cluster/density/hdbscan.h"
#include "shoal/cluster/kmeans/kmeans.h"
#include "shoal/cluster/kmeans/minibatch_kmeans.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/cluster/kmeans/vmf_mixture.h"
#include "shoal/cluster/linkage/agglomerative.h"
#include "shoal/cluster/som/som.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/standardise.h"
#include "shoal/reduce/tsne/tsne.h"
#include "shoal/reduce/umap/umap.h"
#include "tests/conformance/checks.h"

namespace shoal::conformance {
namespace {

/// A stage that learns from labels, given labels that follow the groups of `sample`.
template <class S>
struct Taught {
  using Options = typename S::Options;
  static constexpr std::string_view kind = S::kind;
  S stage;

  static Taught fit(const Rows& x, const Options& options = {}, const Run& run = {}) {
    Labels labels{std::vector<Label>(x.rows()), 3};
    for (Index i = 0; i < x.rows(); ++i) labels.of[i] = static_cast<Label>(i % 3);
    return {S::fit(x, labels, options, run)};
  }
  Labels predict(const Rows& x, const Run& run = {}) const { return stage.predict(x, run); }
  Matrix transform(const Rows& x, const Run& run = {}) const requires Transformer<S> {
    return stage.transform(x, run);
  }
  void save(ArchiveWriter& out) const { stage.save(out); }
  static Taught load(const ArchiveReader& in) { return {S::load(in)}; }
};

/// A map with the rows that it was fitted on beside it, so that it can place new ones.
struct PlacingUmap {
  using Options = Umap::Options;
  static constexpr std::string_view kind = "placing_umap";
  Umap umap;
  Matrix training;

  static PlacingUmap fit(const Rows& x, const Options& options = {}, const Run& run = {}) {
    return {Umap::fit(x, options, run), x.to_matrix()};
  }
  Matrix transform(const Rows& x, const Run& run = {}) const { return umap.transform(x, training, run); }
  void save(ArchiveWriter& out) const {
    ArchiveWriter part(Umap::kind);
    umap.save(part);
    out.add_part("umap", part);
    out.add("training", training.view());
  }
  static PlacingUmap load(const ArchiveReader& in) {
    check_kind(in, kind);
    return {Umap::load(in.part("umap")), in.matrix("training")};
  }
};

/// A stage with other options than the defaults: what `choose` says.
template <class S, typename S::Options (*choose)()>
struct With {
  using Options = typename S::Options;
  static constexpr std::string_view kind = S::kind;
  static constexpr auto chosen = choose;
  S stage;

  static With fit(const Rows& x, const Options& options = choose(), const Run& run = {}) {
    return {S::fit(x, options, run)};
  }
  const Labels& labels() const requires Clusterer<S> { return stage.labels(); }
  Labels predict(const Rows& x, const Run& run = {}) const requires Predictor<S> {
    return stage.predict(x, run);
  }
  Matrix transform(const Rows& x, const Run& run = {}) const requires Transformer<S> {
    return stage.transform(x, run);
  }
  void save(ArchiveWriter& out) const { stage.save(out); }
  static With load(const ArchiveReader& in) { return {S::load(in)}; }
};

SphericalKMeansOptions parallel_start() {
  return {.n_clusters = 5, .n_init = 2, .init = KMeansInit::kmeans_parallel};
}
KMeansOptions kmeans_parallel_start() {
  return {.n_clusters = 7, .tol = 0, .init = KMeansInit::kmeans_parallel};
}
MiniBatchKMeansOptions cosine_batches() {
  return {.n_clusters = 9, .metric = Metric::cosine, .batch_size = 300, .init = KMeansInit::kmeans_parallel};
}
VmfMixtureOptions shared_kappa() { return {.n_clusters = 4, .shared_kappa = true, .max_iter = 20}; }
AgglomerativeOptions linked(Linkage linkage) {
  return {.n_clusters = 9, .linkage = linkage, .metric = Metric::euclidean};
}
AgglomerativeOptions ward() { return linked(Linkage::ward); }
AgglomerativeOptions complete() { return linked(Linkage::complete); }
AgglomerativeOptions single() { return linked(Linkage::single); }
AgglomerativeOptions centroid() { return linked(Linkage::centroid); }
AgglomerativeOptions euclidean_average() { return linked(Linkage::average); }
AgglomerativeOptions threshold() {
  return {.n_clusters = {}, .distance_threshold = 0.4, .linkage = Linkage::average, .metric = Metric::cosine};
}
DbscanOptions euclidean_dbscan() { return {.eps = 2.2, .min_samples = 4, .metric = Metric::euclidean}; }
HdbscanOptions leaves() {
  return {.min_cluster_size = 8,
          .min_samples = 3,
          .metric = Metric::euclidean,
          .cluster_selection_method = ClusterSelection::leaf};
}
SomOptions hexagons() {
  return {.grid_rows = 4,
          .grid_cols = 6,
          .topology = SomTopology::hexagonal,
          .metric = Metric::cosine,
          .n_epochs = 8};
}
SomOptions drawn_units() { return {.grid_rows = 1, .grid_cols = 7, .n_epochs = 8, .init = SomInit::sample}; }
PcaOptions three_components() { return {.n_components = 3}; }
StandardiseOptions only_scaled() { return {.with_mean = false}; }
UmapOptions euclidean_umap() { return {.n_neighbors = 6, .metric = Metric::euclidean, .n_epochs = 30}; }
UmapOptions densities() { return {.n_neighbors = 8, .n_epochs = 30, .dens_lambda = 2}; }
TsneOptions euclidean_tsne() {
  return {.perplexity = 9,
          .metric = Metric::euclidean,
          .n_iter = 40,
          .early_exaggeration_iter = 10,
          .init = TsneInit::random};
}
LogisticOptions weak_and_balanced() { return {.c = 50, .balanced = true}; }
CentroidFeaturesOptions euclidean_features() { return {.metric = Metric::euclidean}; }
ClusterClassifierOptions by_distance() {
  return {.rule = ClassifierRule::nearest, .metric = Metric::euclidean, .unlike_quantile = 0.9};
}

using Stages = testing::Types<
    SphericalKMeans, With<SphericalKMeans, parallel_start>, KMeans, With<KMeans, kmeans_parallel_start>,
    MiniBatchKMeans, With<MiniBatchKMeans, cosine_batches>, VmfMixture, With<VmfMixture, shared_kappa>,
    Agglomerative, With<Agglomerative, ward>, With<Agglomerative, complete>, With<Agglomerative, single>,
    With<Agglomerative, centroid>, With<Agglomerative, euclidean_average>, With<Agglomerative, threshold>,
    Dbscan, With<Dbscan, euclidean_dbscan>, Hdbscan, With<Hdbscan, leaves>, Som, With<Som, hexagons>,
    With<Som, drawn_units>, Pca, With<Pca, three_components>, Standardise, With<Standardise, only_scaled>,
    Umap, PlacingUmap, With<PlacingUmap, euclidean_umap>, With<PlacingUmap, densities>, Tsne,
    With<Tsne, euclidean_tsne>, Taught<Logistic>, With<Taught<Logistic>, weak_and_balanced>,
    Taught<CentroidFeatures>, With<Taught<CentroidFeatures>, euclidean_features>, Taught<ClusterClassifier>,
    With<Taught<ClusterClassifier>, by_distance>, UnitVariance>;

/// The kind of stage and, as there are several of most, its number in the list.
struct StageNames {
  template <class S>
  static std::string GetName(int number) {
    return std::string(S::kind) + "_" + std::to_string(number);
  }
};

template <class S>
class Conformance : public testing::Test {};
TYPED_TEST_SUITE(Conformance, Stages, StageNames);

TYPED_TEST(Conformance, SameBitsForAnyThreads) { check_threads<TypeParam>(); }
TYPED_TEST(Conformance, FittingTwiceIsFittingOnce) { check_twice<TypeParam>(); }
TYPED_TEST(Conformance, TrainingRowsKeepTheirLabels) { check_training_rows<TypeParam>(); }
TYPED_TEST(Conformance, SavedAndLoadedIsTheSame) { check_saving<TypeParam>(); }
TYPED_TEST(Conformance, ACutFileIsAFormatError) { check_cut_files<TypeParam>(); }
TYPED_TEST(Conformance, ASliceIsASliceOfAll) { check_slices<TypeParam>(); }
TYPED_TEST(Conformance, MappedIsInMemory) { check_mapped<TypeParam>(); }
TYPED_TEST(Conformance, Float16IsItsValues) { check_halves<TypeParam>(); }
TYPED_TEST(Conformance, ABadRowIsNamed) { check_not_finite<TypeParam>(); }
TYPED_TEST(Conformance, AnyShapeFitsOrIsExplained) { check_shapes<TypeParam>(); }
TYPED_TEST(Conformance, NoNewRowsAndOtherColumns) { check_no_new_rows<TypeParam>(); }
TYPED_TEST(Conformance, ClustersUpToTheDistinctRows) { check_cluster_counts<TypeParam>(); }
TYPED_TEST(Conformance, AnotherSpaceIsRefused) { check_space<TypeParam>(); }
TYPED_TEST(Conformance, AStopIsHeard) { check_cancel<TypeParam>(); }

/// For the next test only: writes the level that is at work and a hash of all answers.
TYPED_TEST(Conformance, DISABLED_WriteAnswers) {
  const Matrix x = sample();
  const std::string all = answers(TypeParam::fit(x), x);
  std::ofstream(std::getenv("SHOAL_CONFORMANCE_OUT"))
      << kernels().level << ' ' << sha256(std::as_bytes(std::span(all.data(), all.size())));
}

TYPED_TEST(Conformance, SameBitsAtEveryLevel) {
  const ScratchFolder folder;
  const std::string suite = testing::UnitTest::GetInstance()->current_test_info()->test_suite_name();
  std::string expect;
  for (const Kernels* level : levels()) {
    const std::string command =
        std::string("SHOAL_LEVEL=") + level->level + " SHOAL_CONFORMANCE_OUT=" + (folder / "out").string() +
        " " + fs::read_symlink("/proc/self/exe").string() +
        " --gtest_also_run_disabled_tests --gtest_filter=" + suite + ".DISABLED_WriteAnswers > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::istringstream line(bytes_of(folder / "out"));
    std::string at, hash;
    line >> at >> hash;
    EXPECT_EQ(at, level->level) << "the level was not forced";
    ASSERT_EQ(hash.size(), 64u);
    if (expect.empty()) expect = hash;
    EXPECT_EQ(hash, expect) << at << " gives other bits than " << levels()[0]->level;
  }
}

}  // namespace
}  // namespace shoal::conformance
