#pragma once

#include <filesystem>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/model_folder.h"
#include "shoal/linear/product.h"

namespace shoal {

/// The steps after pooling, with their weights. Each row is worked on alone.
class AfterPooling {
 public:
  /// Error(format) naming file and tensor if a weight is missing or of another shape.
  static AfterPooling load(const std::vector<HeadStep>& steps);

  /// x: texts x inputs of the first step; returns texts x outputs of the last.
  Matrix apply(Matrix x) const;
  /// Weight files read, in order.
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  struct Step {
    HeadStep what;
    Packed weight;                    ///< of dense
    Packed residual;                  ///< of dense whose residual changes the width
    std::vector<float> scale, shift;  ///< of layer_norm; shift: bias of dense
  };
  static Matrix dense(const Step& step, const Matrix& x);

  std::vector<Step> steps_;
  std::vector<std::filesystem::path> files_;
};

/// Divides a row by its length, but by no less than 10^-12, as torch's normalize does: zeros stay zeros.
void normalise(std::span<float> row);

}  // namespace shoal
