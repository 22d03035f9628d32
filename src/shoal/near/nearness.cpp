#include "shoal/near/nearness_impl.h"

#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;  // also a chunk: batches of a stream are short

}  // namespace

Nearest largest(std::span<const float> values) {
  constexpr Index kLanes = 16;
  const Index n = values.size();
  const float* v = values.data();
  float best = v[0];
  if (n >= kLanes) {
    float lane[kLanes];
    std::copy_n(v, kLanes, lane);
    Index i = kLanes;
    for (; i + kLanes <= n; i += kLanes)
      for (Index l = 0; l < kLanes; ++l) lane[l] = lane[l] < v[i + l] ? v[i + l] : lane[l];
    for (; i < n; ++i) lane[0] = lane[0] < v[i] ? v[i] : lane[0];
    best = *std::max_element(lane, lane + kLanes);
  } else {
    best = *std::max_element(v, v + n);
  }
  return {static_cast<Label>(std::find(v, v + n, best) - v), best};
}

// A chain of dims products is off by at most dims roundings of |x||c|, the squared lengths by as many of
// theirs: together dims (|x| + |c|)^2. Twice that leaves room for the few roundings around them and for those
// of squared_distance.
Nearness::Nearness(Metric metric, Index dims)
    : metric_(metric), rounding_(static_cast<float>(2 * (static_cast<double>(dims) + 4) * 0x1p-24)) {}

void Nearness::use(const Matrix& centers) {
  centers_ = &centers;
  packed_ = Packed::rows(centers.view());
  if (metric_ == Metric::cosine) return;
  bias_.resize(centers.rows());
  lengths_.resize(centers.rows());
  for (Index c = 0; c < centers.rows(); ++c) {
    double squared = 0;
    for (const float v : centers[c]) squared += static_cast<double>(v) * v;
    bias_[c] = static_cast<float>(-squared / 2);
    lengths_[c] = static_cast<float>(std::sqrt(squared) * (1 + 1e-6));
  }
}

Nearest Nearness::nearest(std::span<const float> x, float squared_length,
                          std::span<const float> scores) const {
  Nearest best = largest(scores);
  if (metric_ == Metric::cosine) return best;
  const float length = std::sqrt(squared_length) * (1 + 1e-6f);
  const float off = slack(length, static_cast<Index>(best.label));
  const float most = off - 2 * best.closeness;
  best.closeness = -(most + squared_length + off);
  int several = 0;
  for (Index c = 0; c < scores.size(); ++c) several += -2 * scores[c] - slack(length, c) <= most;
  if (several > 1) best = nearest_of(x, length, scores, most);
  return best;
}

Nearest Nearness::nearest_of(std::span<const float> x, float length, std::span<const float> scores,
                             float most) const {
  Nearest best;
  for (Index c = 0; c < scores.size(); ++c) {
    if (-2 * scores[c] - slack(length, c) > most) continue;
    const float here = closeness(x, static_cast<Label>(c));
    if (best.label == kNoise || here > best.closeness) best = {static_cast<Label>(c), here};
  }
  return best;
}

float Nearness::closeness(std::span<const float> x, Label center) const {
  const float* c = (*centers_)[static_cast<Index>(center)].data();
  return metric_ == Metric::cosine ? kernels().dot(x.data(), c, x.size())
                                   : -kernels().squared_distance(x.data(), c, x.size());
}

Labels label_rows(const MetricRows& rows, const Matrix& centers, const Run& run, std::string_view step) {
  Nearness nearness(rows.metric(), rows.cols());
  nearness.use(centers);
  Labels labels{std::vector<Label>(rows.rows(), kNoise), centers.rows()};
  for_chunks(
      run, rows.rows(), kBlock,
      [&](Index, Index first, Index last) {
        RowScratch scratch;
        Matrix scores;
        const MatrixView x = rows.block(first, last - first, scratch);
        nearness.for_scores(x, scores, [&](Index r, std::span<const float> values) {
          const Index row = first + r;
          if (!rows.zero(row))
            labels.of[row] = nearness.nearest(x[r], rows.squared_length(row), values).label;
        });
      },
      step);
  return labels;
}

Matrix distances(const MetricRows& rows, const Matrix& centers, const Run& run) {
  Nearness nearness(rows.metric(), rows.cols());
  nearness.use(centers);
  Matrix out(rows.rows(), centers.rows());
  const auto cosines = [&](MatrixView x, Index first, Matrix& scores) {
    nearness.for_scores(x, scores, [&](Index r, std::span<const float> values) {
      for (Index c = 0; c < values.size(); ++c)
        out[first + r][c] = rows.zero(first + r) ? 1 : std::clamp(1 - values[c], 0.0f, 2.0f);
    });
  };
  const auto lengths = [&](MatrixView x, Index first) {
    for (Index r = 0; r < x.rows; ++r)
      for (Index c = 0; c < centers.rows(); ++c)
        out[first + r][c] = std::sqrt(-nearness.closeness(x[r], static_cast<Label>(c))) / rows.frame().scale;
  };
  for_chunks(
      run, rows.rows(), kBlock,
      [&](Index, Index first, Index last) {
        RowScratch scratch;
        Matrix scores;
        const MatrixView x = rows.block(first, last - first, scratch);
        if (rows.metric() == Metric::cosine)
          cosines(x, first, scores);
        else
          lengths(x, first);
      },
      "distances to clusters");
  return out;
}

}  // namespace shoal
