#pragma once

#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

struct PcaOptions {
  double variance = 0.95;             ///< share of variance to keep, (0, 1]; ignored if n_components is given
  std::optional<Index> n_components;  ///< exactly so many, 1..min(rows, cols)
};
template <class V>
void fields(PcaOptions& o, V&& visit) {
  visit("variance", o.variance, "share of variance to keep");
  visit("n_components", o.n_components, "keep exactly so many components");
}

/// Principal components by one exact pass over the covariance: memory O(d^2), whatever the number of rows.
class Pca {
 public:
  using Options = PcaOptions;
  static constexpr std::string_view kind = "pca";

  explicit Pca(Options options);                   ///< whole from the start; learns by `update`
  void update(const Rows& batch, const Run& run);  ///< empty: nothing happens; NaN: Error(data)
  static Pca fit(const Rows& x, const Options& options = {}, const Run& run = {});

  Matrix transform(const Rows& x, const Run& run = {}) const;  ///< rows x n_components
  Index n_components() const;
  const Matrix& components() const;                       ///< n_components x d
  const std::vector<double>& explained_variance() const;  ///< n_components, divided by n - 1
  double explained_variance_ratio() const;                ///< of all kept together
  const Space& space() const;

  void save(Writer& out) const;
  static Pca load(const Reader& in);

 private:
  void solve() const;
  Options options_;
  Index count_ = 0;
  std::vector<double> sums_, products_;  // about shift_
  std::vector<float> shift_;
  Space space_;
  struct Solution {
    Matrix components;
    std::vector<float> mean;
    std::vector<double> variance;
    double total = 0;
  };
  mutable std::shared_ptr<const Solution> solution_;
};

}  // namespace shoal
