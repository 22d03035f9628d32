#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shoal/cluster/density/dbscan.h"
#include "shoal/cluster/density/hdbscan.h"
#include "shoal/cluster/kmeans/kmeans.h"
#include "shoal/cluster/kmeans/minibatch_kmeans.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/cluster/kmeans/vmf_mixture.h"
#include "shoal/cluster/linkage/agglomerative.h"
#include "shoal/cluster/som/som.h"

namespace shoal {

/// Any of the methods, chosen at run time. No method knows that this exists; a new one is added to this list
/// and nowhere else.
using AnyClusterer =
    std::variant<SphericalKMeans, KMeans, MiniBatchKMeans, Agglomerative, Dbscan, Hdbscan, Som, VmfMixture>;

namespace detail {
template <class Stages>
struct OptionsOf;
template <class... Stage>
struct OptionsOf<std::variant<Stage...>> {
  using type = std::variant<typename Stage::Options...>;
};
}  // namespace detail

/// A method with its options: which options it holds says which method is meant.
struct MethodOptions {
  detail::OptionsOf<AnyClusterer>::type of;

  std::string_view kind() const;
  std::string_view title() const;  ///< kind() for people: "spherical k-means"
  Metric metric() const;           ///< by which the method compares rows
  /// False for the methods that find it themselves, as agglomerative with a distance_threshold does.
  bool takes_n_clusters() const;
  void set_n_clusters(Index k);  ///< Error(argument) unless takes_n_clusters()
  void set_seed(Seed seed);      ///< nothing where the method has no randomness
  OptionRefs options();          ///< all of them, as `fields` has them
  /// Sets an option by its name. Error(argument) if the method has none of that name, or naming the option,
  /// the value and what is allowed.
  void set(std::string_view name, const std::string& value);
  std::vector<Field> list() const;
  void check() const;  ///< as check_options
};

/// All methods with their default options.
std::vector<MethodOptions> all_methods();
/// The one of that name.
std::optional<MethodOptions> method_named(std::string_view name);

AnyClusterer fit_clusterer(const Rows& x, const MethodOptions& options, const Run& run);
const Labels& labels_of(const AnyClusterer& clusterer);
Labels labels_of(AnyClusterer&& clusterer);
/// The whole history, of the method that has one.
const Dendrogram* dendrogram_of(const AnyClusterer& clusterer);
/// How far the method's own rule for new rows puts the training rows where its labels have them: 1 for those
/// that predict; measured for those that only place; empty for those that do neither.
std::optional<double> placement_of(const AnyClusterer& clusterer);

/// New rows by the method's own rule: its predict, which equals the labels on the training rows, or else its
/// place. Error(argument) for the method that has neither (dbscan); Error(data) as these.
Labels place_rows(const AnyClusterer& clusterer, const Rows& x, const Run& run);

void save_clusterer(const AnyClusterer& clusterer, const std::filesystem::path& path);
/// Error(format) if the file holds no clusterer.
AnyClusterer load_clusterer(const std::filesystem::path& path);

}  // namespace shoal
