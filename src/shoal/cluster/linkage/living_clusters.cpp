#include <algorithm>
#include <cmath>

#include "shoal/cluster/linkage/living_clusters_impl.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr float kHalfUlp = 0x1p-24f;
constexpr double kGrid = 0x1p40;

/// A sum of term(0..n-1) in a fixed order: eight lanes, so that the compiler may use vectors.
template <class Term>
double sum(Index n, Term term) {
  constexpr Index kLanes = 8;
  double lane[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Index l = 0; l < kLanes; ++l) lane[l] += term(i + l);
  for (Index l = 0; i < n; ++i, ++l) lane[l] += term(i);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace

LivingClusters::LivingClusters(Points& points, Measure measure)
    : points_(points),
      measure_(measure),
      floats_(points.floats()),
      rounding_(kHalfUlp * static_cast<float>(points.cols() + 16)),
      name_(points.count()),
      place_(points.count()),
      into_(points.count()),
      size_(points.count()),
      mean_(points.count()) {
  for (const std::uint32_t point : points.of_rows()) ++size_[point];
  for (Index p = 0; p < points.count(); ++p) {
    name_[p] = into_[p] = static_cast<Name>(p);
    place_[p] = p;
    longest_ = std::max(
        longest_,
        std::sqrt(sum(cols(), [&](Index j) { return static_cast<double>(floats_[p][j]) * floats_[p][j]; })));
  }
  if (measure != Measure::ward) return;
  inverse_size_.resize(points.count());
  square_.resize(points.count());
  for (Index p = 0; p < points.count(); ++p) measure_place(p);
}

LivingClusters::Name LivingClusters::now(Name name) const {
  while (into_[name] != name) name = into_[name];
  return name;
}

void LivingClusters::join(Name a, Name b) {
  if (b < a) std::swap(a, b);
  const Index d = cols();
  const auto mean_of = [&](Name name) {
    std::unique_ptr<double[]> mean = std::move(mean_[name]);
    if (!mean) {
      mean = std::make_unique<double[]>(d);
      points_.read(name, {mean.get(), d});
    }
    return mean;
  };
  std::unique_ptr<double[]> mean = mean_of(a);
  const std::unique_ptr<double[]> other = mean_of(b);
  const double in_a = size_[a], in_b = size_[b];
  for (Index j = 0; j < d; ++j) mean[j] = (in_a * mean[j] + in_b * other[j]) / (in_a + in_b);
  const Index place = place_[a], hole = place_[b], last = count() - 1;
  std::transform(mean.get(), mean.get() + d, floats_[place].begin(),
                 [](double v) { return static_cast<float>(v); });
  mean_[a] = std::move(mean);
  size_[a] += size_[b];
  into_[b] = a;
  name_[hole] = name_[last];
  place_[name_[hole]] = hole;
  if (hole != last) std::ranges::copy(floats_[last], floats_[hole].begin());
  name_.pop_back();
  if (measure_ != Measure::ward) return;
  inverse_size_[hole] = inverse_size_[last];
  square_[hole] = square_[last];
  measure_place(place_[a]);
}

void LivingClusters::read_mean(Name name, std::span<double> out) const {
  if (mean_[name])
    std::copy_n(mean_[name].get(), cols(), out.begin());
  else
    points_.read(name, out);
}

double LivingClusters::distance(const double* p, Name a, const double* q, Name b) const {
  double d;
  if (measure_ == Measure::mean_cosine) {
    d = std::clamp(1 - sum(cols(), [=](Index j) { return p[j] * q[j]; }), 0.0, 2.0);
  } else {
    d = std::sqrt(sum(cols(), [=](Index j) { return (p[j] - q[j]) * (p[j] - q[j]); }));
    const double in_a = size_[a], in_b = size_[b];
    if (measure_ == Measure::ward) d *= std::sqrt(2 * in_a * in_b / (in_a + in_b));
  }
  return std::nearbyint(d * kGrid) / kGrid;
}

double LivingClusters::distance(std::span<const double> mean_a, Name a, Name b,
                                std::span<double> other) const {
  if (mean_[b]) return distance(mean_a.data(), a, mean_[b].get(), b);
  points_.read(b, other);
  return distance(mean_a.data(), a, other.data(), b);
}

void LivingClusters::measure_place(Index place) {
  inverse_size_[place] = 1 / static_cast<float>(size_[name_[place]]);
  square_[place] = static_cast<float>(
      sum(cols(), [&](Index j) { return static_cast<double>(floats_[place][j]) * floats_[place][j]; }));
}

void LivingClusters::products_to_scores(MatrixSpan products, Index first,
                                        std::span<const Index> queries) const {
  if (measure_ != Measure::ward) return;
  // -2 a b / (a + b) times the least that |p|^2 + |q|^2 - 2 p.q can be.
  std::vector<float> inverse(queries.size()), square(queries.size());
  for (Index c = 0; c < queries.size(); ++c) {
    inverse[c] = inverse_size_[queries[c]];
    square[c] = square_[queries[c]];
  }
  const float keep = 1 - 2 * rounding_;
  for (Index r = 0; r < products.rows; ++r) {
    float* const score = products[r].data();
    const float own_inverse = inverse_size_[first + r], own_square = square_[first + r];
    for (Index c = 0; c < products.cols; ++c)
      score[c] = 2 * (2 * score[c] - keep * (own_square + square[c])) / (own_inverse + inverse[c]);
  }
}

double LivingClusters::least_distance(float score) const {
  if (measure_ == Measure::mean_cosine) return 1 - static_cast<double>(score) - rounding_;
  return std::sqrt(std::max(0.0, -static_cast<double>(score))) * (1 - 16 * kHalfUlp);
}

double LivingClusters::least_beyond(float distance) const {
  // Three times what the scores are off by: the missing, the furthest listed, and that listed by its place.
  const double d = distance * (1 - 64 * static_cast<double>(kHalfUlp));
  if (measure_ == Measure::mean_cosine) return d - 3 * static_cast<double>(rounding_);
  return std::sqrt(std::max(0.0, d * d - 12 * rounding_ * longest_ * longest_));
}

double LivingClusters::least_distance(const float* a, const float* b) const {
  // Each float is off by half an ulp of the point's; the sum of squares is off by one for each addition.
  const double relative = static_cast<double>(cols() / 64 + 16) * kHalfUlp;
  const double between = std::sqrt(static_cast<double>(kernels().squared_distance(a, b, cols())));
  const double least = std::max(0.0, between * (1 - relative) - 4 * kHalfUlp * longest_);
  return measure_ == Measure::mean_cosine ? least * least / 2 : least;
}

}  // namespace shoal
