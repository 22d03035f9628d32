#include "shoal/adapt/preferences.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/adapt/half_impl.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

ClusterPreferences::ClusterPreferences(Matrix centers, float temperature)
    : centers_(std::move(centers)), table_(centers_.rows(), centers_.rows()), temperature_(temperature) {
  round_to_half(centers_);
}

Matrix ClusterPreferences::memberships(MatrixView x) const {
  Matrix out(x.rows, centers_.rows());
  multiply(x, Packed::rows(centers_), {}, Activation::none, out.span());
  for (Index i = 0; i < x.rows; ++i) kernels().softmax(temperature_, out[i].data(), out.cols());
  return out;
}

std::vector<float> ClusterPreferences::ask(std::span<const float> membership) const {
  std::vector<float> out(table_.rows());
  for (Index c = 0; c < table_.rows(); ++c)
    out[c] = kernels().dot(table_[c].data(), membership.data(), membership.size());
  return out;
}

void ClusterPreferences::keep(const std::vector<double>& accepted, const std::vector<double>& rejected) {
  const Index k = table_.rows();
  for (Index c = 0; c < k; ++c)
    for (Index d = 0; d < k; ++d) {
      const double p = accepted[c * k + d] + accepted[d * k + c];
      const double n = rejected[c * k + d] + rejected[d * k + c];
      table_[c][d] = static_cast<float>((p - n) / (p + n + 1));
    }
  round_to_half(table_);
}

void ClusterPreferences::learn(MatrixView texts, const std::vector<JudgedPair>& pairs) {
  const Index k = table_.rows();
  const Matrix h = memberships(texts);
  std::vector<double> sums[2] = {std::vector<double>(k * k), std::vector<double>(k * k)};
  for (const JudgedPair& pair : pairs) {
    double* to = sums[pair.accepted ? 1 : 0].data();
    for (Index c = 0; c < k; ++c)
      if (const double x = h[pair.a][c]; x > 1e-6)
        for (Index d = 0; d < k; ++d) to[c * k + d] += x * h[pair.b][d];
  }
  keep(sums[1], sums[0]);
}

void ClusterPreferences::learn(MatrixView texts, const Labels& labels) {
  check_labels(labels, texts.rows);
  const Index k = table_.rows();
  const Matrix h = memberships(texts);
  std::vector<double> of(labels.count * k), all(k);
  for (Index i = 0; i < texts.rows; ++i) {
    if (labels.of[i] == kNoise) continue;
    for (Index c = 0; c < k; ++c) {
      of[static_cast<Index>(labels.of[i]) * k + c] += h[i][c];
      all[c] += h[i][c];
    }
  }
  std::vector<double> accepted(k * k), rejected(k * k);
  for (Index l = 0; l < labels.count; ++l)
    for (Index c = 0; c < k; ++c)
      for (Index d = 0; d < k; ++d) accepted[c * k + d] += of[l * k + c] * of[l * k + d] / 2;
  for (Index c = 0; c < k; ++c)
    for (Index d = 0; d < k; ++d)
      rejected[c * k + d] = std::max(0.0, all[c] * all[d] / 2 - accepted[c * k + d]);
  keep(accepted, rejected);
}

void ClusterPreferences::save(ArchiveWriter& out) const {
  out.add_half("centroids", centers_.view());
  out.add_half("preferences", table_.view());
  out.add("temperature", std::span<const float>(&temperature_, 1));
}

ClusterPreferences ClusterPreferences::load(const ArchiveReader& in, Index dims) {
  Matrix centers = finite_matrix(in, "centroids");
  require(centers.cols() == dims, Fault::format,
          in.path().string() + ": its centroids do not have its dimensions");
  const float temperature = in.floats("temperature", 1)[0];
  require(std::isfinite(temperature) && temperature > 0, Fault::format,
          in.path().string() + ": its temperature is no number above 0");
  ClusterPreferences out(std::move(centers), temperature);
  out.table_ = finite_matrix(in, "preferences");
  require(out.table_.rows() == out.centers_.rows() && out.table_.cols() == out.centers_.rows(), Fault::format,
          in.path().string() + ": its preferences are not between its centroids");
  return out;
}

}  // namespace shoal
