// Every stage, asked everything. A new stage: its header, and its name in `Stages`.
#include <sys/wait.h>

#include <cstdlib>
#include <vector>

#include "examples/skeleton/unit_variance.h"
#include "shoal/classify/cluster_classifier.h"
#include "shoal/classify/head.h"
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

/// A head, given labels that follow the groups of `sample`; of several a row, label 0 stands at others too.
struct TaughtHead {
  using Options = HeadOptions;
  static constexpr std::string_view kind = Head::kind;
  Head head;

  static TaughtHead fit(const Rows& x, const Options& options = {}, const Run& run = {}) {
    LabelSets sets{{}, std::min<Index>(3, x.rows())};
    for (Index i = 0; i < x.rows(); ++i) {
      sets.of.push_back({static_cast<Label>(i % 3)});
      if (options.task == HeadTask::multilabel && i % 3 != 0 && i % 5 == 0)
        sets.of.back() = {0, sets.of.back()[0]};
    }
    return {Head::fit(x, sets, options, run)};
  }
  Labels predict(const Rows& x, const Run& run = {}) const { return head.predict(x, run); }
  Matrix transform(const Rows& x, const Run& run = {}) const { return head.predict_proba(x, run); }
  void save(ArchiveWriter& out) const { head.save(out); }
  static TaughtHead load(const ArchiveReader& in) { return {Head::load(in)}; }
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

/// With what options each stage is asked everything: the defaults, then others that take other ways.
template <class S>
std::vector<typename S::Options> option_sets() {
  return {{}};
}

template <>
std::vector<SphericalKMeansOptions> option_sets<SphericalKMeans>() {
  return {{}, {.n_clusters = 5, .n_init = 2, .init = KMeansInit::kmeans_parallel}};
}
template <>
std::vector<KMeansOptions> option_sets<KMeans>() {
  return {{}, {.n_clusters = 7, .tol = 0, .init = KMeansInit::kmeans_parallel}};
}
template <>
std::vector<MiniBatchKMeansOptions> option_sets<MiniBatchKMeans>() {
  return {
      {},
      {.n_clusters = 9, .metric = Metric::cosine, .batch_size = 300, .init = KMeansInit::kmeans_parallel}};
}
template <>
std::vector<VmfMixtureOptions> option_sets<VmfMixture>() {
  return {{}, {.n_clusters = 4, .shared_kappa = true, .max_iter = 20}};
}
template <>
std::vector<AgglomerativeOptions> option_sets<Agglomerative>() {
  std::vector<AgglomerativeOptions> sets{{}, {.n_clusters = {}, .distance_threshold = 0.4}};
  for (const Linkage linkage :
       {Linkage::average, Linkage::ward, Linkage::centroid, Linkage::single, Linkage::complete})
    sets.push_back({.n_clusters = 9, .linkage = linkage, .metric = Metric::euclidean});
  return sets;
}
template <>
std::vector<DbscanOptions> option_sets<Dbscan>() {
  return {{}, {.eps = 2.2, .min_samples = 4, .metric = Metric::euclidean}};
}
template <>
std::vector<HdbscanOptions> option_sets<Hdbscan>() {
  return {{},
          {.min_cluster_size = 8,
           .min_samples = 3,
           .metric = Metric::euclidean,
           .cluster_selection_method = ClusterSelection::leaf}};
}
template <>
std::vector<SomOptions> option_sets<Som>() {
  return {{},
          {.grid_rows = 4,
           .grid_cols = 6,
           .topology = SomTopology::hexagonal,
           .metric = Metric::cosine,
           .n_epochs = 8},
          {.grid_rows = 1, .grid_cols = 7, .n_epochs = 8, .init = SomInit::sample}};
}
template <>
std::vector<PcaOptions> option_sets<Pca>() {
  return {{}, {.n_components = 1}};
}
template <>
std::vector<StandardiseOptions> option_sets<Standardise>() {
  return {{}, {.with_mean = false}, {.with_std = false}};
}
template <>
std::vector<UmapOptions> option_sets<PlacingUmap>() {
  return {{},
          {.n_neighbors = 6, .metric = Metric::euclidean, .n_epochs = 20},
          {.n_neighbors = 8, .n_epochs = 20, .dens_lambda = 2}};
}
template <>
std::vector<TsneOptions> option_sets<Tsne>() {
  return {{},
          {.perplexity = 9,
           .metric = Metric::euclidean,
           .n_iter = 40,
           .early_exaggeration_iter = 10,
           .init = TsneInit::random}};
}
template <>
std::vector<LogisticOptions> option_sets<Taught<Logistic>>() {
  return {{}, {.c = 50, .balanced = true}};
}
template <>
std::vector<CentroidFeaturesOptions> option_sets<Taught<CentroidFeatures>>() {
  return {{}, {.metric = Metric::euclidean}};
}
template <>
std::vector<ClusterClassifierOptions> option_sets<Taught<ClusterClassifier>>() {
  return {{}, {.rule = ClassifierRule::nearest, .metric = Metric::euclidean, .unlike_quantile = 0.9}};
}

template <>
std::vector<HeadOptions> option_sets<TaughtHead>() {
  return {{},
          {.task = HeadTask::multilabel,
           .calibration = CalibrationKind::isotonic,
           .thresholds = ThresholdKind::per_label,
           .open_set = OpenSetScore::mahalanobis},
          {.head = HeadKind::mlp, .mlp = {.hidden = 20, .n_epochs = 3}}};
}

template <class S>
void with_each(void (*check)()) {
  int number = 0;
  for (const auto& options : option_sets<S>()) {
    SCOPED_TRACE("option set " + std::to_string(number++));
    asked<S>() = options;
    check();
  }
  asked<S>() = {};
}

using Stages = testing::Types<SphericalKMeans, KMeans, MiniBatchKMeans, VmfMixture, Agglomerative, Dbscan,
                              Hdbscan, Som, Pca, Standardise, Umap, PlacingUmap, Tsne, Taught<Logistic>,
                              Taught<CentroidFeatures>, Taught<ClusterClassifier>, TaughtHead, UnitVariance>;

struct StageNames {
  template <class S>
  static std::string GetName(int) {
    return std::string(S::kind);
  }
};

template <class S>
class Conformance : public testing::Test {};
TYPED_TEST_SUITE(Conformance, Stages, StageNames);

TYPED_TEST(Conformance, SameBitsForAnyThreads) { with_each<TypeParam>(check_threads<TypeParam>); }
TYPED_TEST(Conformance, FittingTwiceIsFittingOnce) { with_each<TypeParam>(check_twice<TypeParam>); }
TYPED_TEST(Conformance, TrainingRowsKeepTheirLabels) { with_each<TypeParam>(check_training_rows<TypeParam>); }
TYPED_TEST(Conformance, SavedAndLoadedIsTheSame) { with_each<TypeParam>(check_saving<TypeParam>); }
TYPED_TEST(Conformance, ACutFileIsAFormatError) { with_each<TypeParam>(check_cut_files<TypeParam>); }
TYPED_TEST(Conformance, ASliceIsASliceOfAll) { with_each<TypeParam>(check_slices<TypeParam>); }
TYPED_TEST(Conformance, MappedIsInMemory) { with_each<TypeParam>(check_mapped<TypeParam>); }
TYPED_TEST(Conformance, Float16IsItsValues) { with_each<TypeParam>(check_halves<TypeParam>); }
TYPED_TEST(Conformance, ABadRowIsNamed) { with_each<TypeParam>(check_not_finite<TypeParam>); }
TYPED_TEST(Conformance, AnyShapeFitsOrIsExplained) { with_each<TypeParam>(check_shapes<TypeParam>); }
TYPED_TEST(Conformance, NoNewRowsAndOtherColumns) { with_each<TypeParam>(check_no_new_rows<TypeParam>); }
TYPED_TEST(Conformance, ClustersUpToTheDistinctRows) {
  with_each<TypeParam>(check_cluster_counts<TypeParam>);
}
TYPED_TEST(Conformance, AnotherSpaceIsRefused) { with_each<TypeParam>(check_space<TypeParam>); }
TYPED_TEST(Conformance, AStopIsHeard) { with_each<TypeParam>(check_cancel<TypeParam>); }

/// For the next test only: writes the level that is at work and a hash of all answers.
TYPED_TEST(Conformance, DISABLED_WriteAnswers) {
  const Matrix x = sample();
  std::string all;
  for (const auto& options : option_sets<TypeParam>()) all += answers(TypeParam::fit(x, options), x);
  std::ofstream(std::getenv("SHOAL_CONFORMANCE_OUT"))
      << kernels().level << ' ' << sha256(std::as_bytes(std::span(all.data(), all.size())));
}

TYPED_TEST(Conformance, SameBitsAtEveryLevel) {
  const ScratchFolder folder;
  std::string expect;
  for (const Kernels* level : levels()) {
    const std::string command = std::string("SHOAL_LEVEL=") + level->level +
                                " SHOAL_CONFORMANCE_OUT=" + (folder / "out").string() + " " +
                                fs::read_symlink("/proc/self/exe").string() +
                                " --gtest_also_run_disabled_tests --gtest_filter=Conformance/" +
                                std::string(TypeParam::kind) + ".DISABLED_WriteAnswers > /dev/null";
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
