#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/metric.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What `VmfMixture::fit` may be told.
struct VmfMixtureOptions {
  static constexpr Metric metric = Metric::cosine;  ///< by which rows are compared
  Index n_clusters = 8;                             ///< components, 1..distinct directions
  bool shared_kappa = false;                        ///< one concentration for all components
  Index max_iter = 100;                             ///< most rounds of EM, >= 1
  double tol = 1e-4;            ///< stop when the mean log likelihood of a row grows by less, >= 0
  std::optional<Index> n_init;  ///< starts of the spherical k-means that EM starts from, the best kept, >= 1;
                                ///< absent: default_n_init
  Seed seed{42};
};
template <class V>
void fields(VmfMixtureOptions& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "components", at_least(1));
  visit("shared_kappa", o.shared_kappa, "one concentration for all components");
  visit("max_iter", o.max_iter, "most rounds of EM", at_least(1));
  visit("tol", o.tol, "stop when the mean log likelihood of a row grows by less", at_least(0));
  visit("n_init", o.n_init,
        "starts of the spherical k-means before EM, the best kept; none: 10 on few rows, fewer on many",
        at_least(1));
  visit("seed", o.seed, "start of all randomness");
}

/// A mixture of von Mises-Fisher distributions, the normal distributions of directions: soft clusters on the
/// unit sphere, fitted by EM (Banerjee, Dhillon, Ghosh, Sra, JMLR 6, 2005) from the labels of
/// SphericalKMeans.
///
///   VmfMixture mixture = VmfMixture::fit(rows, {.n_clusters = 20});
///   mixture.memberships(rows);  // how probable each component is for each row
///
/// Concentrations start from (r d - r^3) / (1 - r^2), r the length of a component's mean, and are brought to
/// the maximum by Newton's method (Sra 2012). They stay within 1e-6..1e5: equal rows would make them
/// infinite. Densities are taken against the area of the sphere in d dimensions, in double. Memberships below
/// e^-60 of the largest are 0.
/// A row of zeros points nowhere: its label is kNoise, its memberships are 0, and it counts in no sum.
/// A component that loses all rows keeps its direction and concentration; its share goes to 0.
class VmfMixture {
 public:
  using Options = VmfMixtureOptions;
  static constexpr std::string_view kind = "vmf_mixture";
  static constexpr std::string_view title = "von Mises-Fisher mixture";  ///< for people

  /// O(n k d) a round. Errors as SphericalKMeans::fit.
  static VmfMixture fit(const Rows& x, const Options& options = {}, const Run& run = {});

  const Labels& labels() const& { return labels_; }  ///< the most probable component, ties by the smaller id
  Labels labels() && { return std::move(labels_); }
  /// Equals labels() on the training rows. Error(data) as fit, or for another dimension or space.
  Labels predict(const Rows& x, const Run& run = {}) const;
  /// How probable each component is for each row: rows x n_clusters, rows sum to 1. Errors as predict.
  Matrix memberships(const Rows& x, const Run& run = {}) const;
  Matrix transform(const Rows& x, const Run& run = {}) const { return memberships(x, run); }
  /// Sum of the log densities of the rows. Errors as predict.
  double log_likelihood(const Rows& x, const Run& run = {}) const;

  const Matrix& cluster_centers() const& { return centers_; }  ///< n_clusters x d, unit rows
  Matrix cluster_centers() && { return std::move(centers_); }
  const std::vector<double>& kappa() const& { return kappa_; }  ///< concentration of each component
  std::vector<double> kappa() && { return std::move(kappa_); }
  const std::vector<double>& proportions() const& { return shares_; }  ///< of the components, sum 1
  std::vector<double> proportions() && { return std::move(shares_); }
  double log_likelihood() const { return log_likelihood_; }  ///< of the training rows
  /// Bayesian information criterion of the training rows, smaller is better:
  /// -2 log likelihood + log(rows) (k (d - 1) + concentrations + k - 1).
  double bic() const;
  Index n_iter() const { return n_iter_; }  ///< rounds of EM
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static VmfMixture load(const ArchiveReader& in);  ///< Error(format) unless `in` holds what `save` writes

 private:
  VmfMixture() = default;
  friend class VmfRounds;  // vmf_mixture.cpp

  Options options_;
  Space space_;
  Matrix centers_;
  std::vector<double> kappa_, shares_;
  Labels labels_;
  double log_likelihood_ = 0;
  Index n_iter_ = 0;
};
static_assert(Clusterer<VmfMixture> && Predictor<VmfMixture> && Transformer<VmfMixture>);

}  // namespace shoal
