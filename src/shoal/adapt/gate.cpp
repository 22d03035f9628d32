#include "shoal/adapt/gate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "shoal/adapt/centers_impl.h"
#include "shoal/adapt/half_impl.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr double kSlope = 4;
constexpr double kLeastDeviation = 0.02;  // of a cosine

float sigmoid(double z) { return static_cast<float>(1 / (1 + std::exp(-z))); }

/// Of each text: nearness with its own cluster, itself left out, and without its own cluster.
struct Nearnesses {
  std::vector<double> inside, outside;
};

Nearnesses nearnesses(MatrixView texts, const Matrix& sums, const std::vector<Label>& label) {
  const Index d = texts.cols;
  const Kernels& k = kernels();
  Matrix centers = sums;
  unit_rows(centers.span());
  Nearnesses out;
  std::vector<float> own(d);
  for (Index i = 0; i < texts.rows; ++i) {
    float others = -1;
    for (Index c = 0; c < centers.rows(); ++c)
      if (static_cast<Label>(c) != label[i])
        others = std::max(others, k.dot(texts[i].data(), centers[c].data(), d));
    const auto sum = sums[static_cast<Index>(label[i])];
    for (Index j = 0; j < d; ++j) own[j] = sum[j] - texts[i][j];
    const float length = std::sqrt(k.dot(own.data(), own.data(), d));
    const float near = length > 1e-3f ? k.dot(own.data(), texts[i].data(), d) / length : -1.0f;
    out.inside.push_back(std::max(near, others));
    out.outside.push_back(others);
  }
  return out;
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

}  // namespace

FeedbackGate FeedbackGate::fit(MatrixView texts, Index n_centroids, Seed seed, const Run& run) {
  require(texts.rows > 0, Fault::data, "a gate needs texts of the feedback");
  const Index wanted = std::clamp<Index>(texts.rows / 5, std::min<Index>(2, texts.rows), n_centroids);
  const UnitCenters found = unit_centers(texts, wanted, seed, run);
  Matrix sums(found.centers.rows(), texts.cols);
  for (Index i = 0; i < texts.rows; ++i)
    if (found.label[i] != kNoise)
      kernels().axpy(1, texts[i].data(), sums[static_cast<Index>(found.label[i])].data(), texts.cols);
  FeedbackGate gate;
  gate.centers_ = sums;
  unit_rows(gate.centers_.span());
  round_to_half(gate.centers_);
  std::vector<Label> label = found.label;
  for (Label& l : label) l = std::max<Label>(l, 0);
  Nearnesses near = nearnesses(texts, sums, label);
  if (found.centers.rows() == 1) near.outside = near.inside;
  gate.mean_ = mean_of(near.inside);
  double squares = 0;
  for (const double v : near.inside) squares += (v - gate.mean_) * (v - gate.mean_);
  gate.deviation_ = std::max(kLeastDeviation, std::sqrt(squares / static_cast<double>(texts.rows)));
  std::ranges::sort(near.outside);
  const auto at = static_cast<Index>(0.98 * static_cast<double>(near.outside.size() - 1));
  gate.least_ = std::max(gate.mean_, near.outside[at]);
  return gate;
}

float FeedbackGate::nearness(std::span<const float> x) const {
  float best = -1;
  for (Index c = 0; c < centers_.rows(); ++c)
    best = std::max(best, kernels().dot(x.data(), centers_[c].data(), x.size()));
  return best;
}

float FeedbackGate::wide(float nearness) const { return sigmoid(kSlope * (nearness - mean_) / deviation_); }
float FeedbackGate::narrow(float nearness) const {
  return sigmoid(kSlope * (nearness - least_) / deviation_);
}

void FeedbackGate::save(ArchiveWriter& out) const {
  add_half(out, "gate", centers_);
  out.add("gate.thresholds", std::span<const double>(std::vector{mean_, least_, deviation_}));
}

FeedbackGate FeedbackGate::load(const ArchiveReader& in, Index dims) {
  FeedbackGate gate;
  gate.centers_ = half_matrix(in, "gate");
  const auto thresholds = in.doubles("gate.thresholds", 3);
  require(gate.centers_.cols() == dims && gate.centers_.rows() > 0 && thresholds[2] > 0, Fault::format,
          in.path().string() + ": its gate does not fit its dimensions");
  gate.mean_ = thresholds[0], gate.least_ = thresholds[1], gate.deviation_ = thresholds[2];
  return gate;
}

}  // namespace shoal
