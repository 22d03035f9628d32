#pragma once

#include <string_view>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"
#include "shoal/near/exact.h"

namespace shoal {

struct UmapOptions {
  Index n_neighbors = 15;
  Metric metric = Metric::cosine;
  float min_dist = 0.1f;
  float spread = 1.0f;
  std::optional<Index> n_epochs;  ///< absent: 500 up to 10,000 rows, 200 above, as umap-learn
  float learning_rate = 1.0f;
  Index negative_sample_rate = 5;
  Seed seed{42};
};

/// McInnes, Healy, Melville, arXiv:1802.03426, laid out in 2-D. Deterministic for any number of threads.
class Umap {
 public:
  using Options = UmapOptions;
  static constexpr std::string_view kind = "umap";
  static Umap fit(const Rows& x, const Options& options = {}, const Run& run = {});
  const Matrix& embedding() const;  ///< rows x 2
  void save(Writer& out) const;
  static Umap load(const Reader& in);

 private:
  Options options_;
  Space space_;
  Matrix embedding_;
};

}  // namespace shoal
