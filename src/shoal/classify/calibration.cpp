#include "shoal/classify/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

double sigmoid(double z) {
  const double small = std::exp(-std::abs(z));
  return (z >= 0 ? 1 : small) / (1 + small);
}

}  // namespace

Isotonic Isotonic::fit(std::span<const double> x, std::span<const double> y) {
  std::vector<Index> order(x.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return x[i]; });
  struct Pool {
    double sum, count, first, last;
    double mean() const { return sum / count; }
  };
  std::vector<Pool> pools;
  for (Index at = 0; at < order.size();) {
    Pool pool{0, 0, x[order[at]], x[order[at]]};
    for (; at < order.size() && x[order[at]] == pool.first; ++at) pool.sum += y[order[at]], ++pool.count;
    while (!pools.empty() && pools.back().mean() >= pool.mean()) {
      pool = {pools.back().sum + pool.sum, pools.back().count + pool.count, pools.back().first, pool.last};
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  Isotonic out;
  for (const Pool& pool : pools) {
    out.x.push_back(pool.first), out.y.push_back(pool.mean());
    if (pool.last > pool.first) out.x.push_back(pool.last), out.y.push_back(pool.mean());
  }
  return out;
}

double Isotonic::operator()(double at) const {
  if (x.empty()) return at;
  const auto above = static_cast<Index>(std::ranges::upper_bound(x, at) - x.begin());
  if (above == 0) return y.front();
  if (above == x.size()) return y.back();
  const double share = (at - x[above - 1]) / (x[above] - x[above - 1]);
  return y[above - 1] + share * (y[above] - y[above - 1]);
}

std::vector<double> row_losses(HeadTask task, const Matrix& logits, const Truth& truth, double temperature) {
  std::vector<double> out;
  for (Index i = 0; i < logits.rows(); ++i) {
    const std::span<const float> z = logits[i];
    const std::uint8_t* is = truth[i];
    double loss = 0;
    if (task == HeadTask::multiclass) {
      const double most = static_cast<double>(std::ranges::max(z)) / temperature;
      double sum = 0, own = 0;
      for (Index c = 0; c < z.size(); ++c) {
        const double v = static_cast<double>(z[c]) / temperature;
        sum += std::exp(v - most);
        if (is[c]) own = v;
      }
      loss = most + std::log(sum) - own;
    } else {
      for (Index c = 0; c < z.size(); ++c) {
        const double v = static_cast<double>(z[c]) / temperature;
        const double cost = std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v)));
        loss += (is[c] ? cost - v : cost) / static_cast<double>(z.size());
      }
    }
    out.push_back(loss);
  }
  return out;
}

double log_loss(HeadTask task, const Matrix& logits, const Truth& truth, double temperature) {
  const std::vector<double> losses = row_losses(task, logits, truth, temperature);
  const double total = std::accumulate(losses.begin(), losses.end(), 0.0);
  return losses.empty() ? 0 : total / static_cast<double>(losses.size());
}

/// By golden sections of its logarithm. A few rows that are all right would ask for a temperature of 0 and be
/// told certain: the square of the logarithm, halved, counts like a loss of one row.
double best_temperature(HeadTask task, const Matrix& logits, const Truth& truth) {
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.05), high = std::log(20);
  const auto rows = static_cast<double>(std::max<Index>(1, logits.rows()));
  const auto at = [&](double log) {
    return log_loss(task, logits, truth, std::exp(log)) + log * log / (2 * rows);
  };
  double a = high - golden * (high - low), b = low + golden * (high - low), of_a = at(a), of_b = at(b);
  while (high - low > 1e-3) {
    if (of_a <= of_b) {
      high = b, b = a, of_b = of_a;
      a = high - golden * (high - low), of_a = at(a);
    } else {
      low = a, a = b, of_a = of_b;
      b = low + golden * (high - low), of_b = at(b);
    }
  }
  return std::exp((low + high) / 2);
}

Calibration Calibration::fit(CalibrationKind kind, HeadTask task, const Matrix& logits, const Truth& truth) {
  Calibration out;
  out.task_ = task;
  if (logits.rows() == 0) return out;
  out.kind_ = kind;
  if (kind == CalibrationKind::temperature) out.temperature_ = best_temperature(task, logits, truth);
  if (kind != CalibrationKind::isotonic) return out;
  Calibration plain;
  plain.task_ = task;
  Matrix said = logits;
  for (Index i = 0; i < said.rows(); ++i) plain.apply(said[i]);
  std::vector<double> x(said.rows()), y(said.rows());
  for (Index c = 0; c < said.cols(); ++c) {
    for (Index i = 0; i < said.rows(); ++i) x[i] = static_cast<double>(said[i][c]), y[i] = truth[i][c];
    const bool ever = std::ranges::find(y, 1.0) != y.end();
    out.curves_.push_back(ever ? Isotonic::fit(x, y) : Isotonic());
  }
  return out;
}

void Calibration::apply(std::span<float> logits) const {
  if (task_ == HeadTask::multiclass) {
    kernels().softmax(static_cast<float>(1 / temperature_), logits.data(), logits.size());
  } else {
    for (float& z : logits) z = static_cast<float>(sigmoid(static_cast<double>(z) / temperature_));
  }
  if (curves_.empty()) return;
  double sum = 0;
  std::vector<double> curved;
  for (Index c = 0; c < logits.size(); ++c) {
    curved.push_back(curves_[c](static_cast<double>(logits[c])));
    sum += curved.back();
  }
  if (task_ == HeadTask::multiclass) {
    if (sum <= 0) return;  // every curve says never: as the regression has it
    for (double& p : curved) p /= sum;
  }
  for (Index c = 0; c < logits.size(); ++c) logits[c] = static_cast<float>(curved[c]);
}

void Calibration::grow(Index labels) {
  if (!curves_.empty()) curves_.resize(labels);
}

void Calibration::save(ArchiveWriter& out) const {
  out.meta("calibration", name_of(kind_));
  out.meta("task", name_of(task_));
  out.add("temperature", std::span<const double>(&temperature_, 1));
  std::vector<double> points;
  std::vector<std::int64_t> sizes;
  for (const Isotonic& curve : curves_) {
    sizes.push_back(static_cast<std::int64_t>(curve.x.size()));
    points.insert(points.end(), curve.x.begin(), curve.x.end());
    points.insert(points.end(), curve.y.begin(), curve.y.end());
  }
  out.add("curve_sizes", std::span<const std::int64_t>(sizes));
  out.add("curve_points", std::span<const double>(points));
}

Calibration Calibration::load(const ArchiveReader& in, Index labels) {
  Calibration out;
  const auto kind = named<CalibrationKind>(in.meta("calibration"));
  const auto task = named<HeadTask>(in.meta("task"));
  const auto damaged = [&](bool ok) {
    require(ok, Fault::format, in.path().string() + ": the calibration is damaged");
  };
  damaged(kind && task);
  out.kind_ = *kind, out.task_ = *task;
  out.temperature_ = in.doubles("temperature", 1)[0];
  damaged(out.temperature_ > 0 && std::isfinite(out.temperature_));
  const auto sizes = in.integers("curve_sizes");
  damaged(sizes.empty() || sizes.size() == labels);
  const std::vector<double> points = in.doubles("curve_points", in.tensor("curve_points").count());
  Index at = 0;
  for (const std::int64_t size : sizes) {
    damaged(size >= 0 && static_cast<Index>(size) <= (points.size() - at) / 2);
    const auto n = static_cast<Index>(size);
    const auto from = points.begin() + static_cast<std::ptrdiff_t>(at);
    out.curves_.push_back({{from, from + size}, {from + size, from + 2 * size}});
    damaged(std::ranges::is_sorted(out.curves_.back().x));
    at += 2 * n;
  }
  damaged(at == points.size());
  return out;
}

Reliability reliability(std::span<const double> confidence, std::span<const std::uint8_t> right,
                        Index n_bins) {
  Reliability out{std::vector<ReliabilityBin>(n_bins), 0};
  for (Index i = 0; i < confidence.size(); ++i) {
    const double place = confidence[i] * static_cast<double>(n_bins);
    ReliabilityBin& bin = out.bins[std::min(n_bins - 1, static_cast<Index>(std::max(0.0, place)))];
    bin.confidence += confidence[i], bin.accuracy += right[i], ++bin.count;
  }
  for (ReliabilityBin& bin : out.bins) {
    if (bin.count == 0) continue;
    const auto n = static_cast<double>(bin.count);
    bin.confidence /= n, bin.accuracy /= n;
    out.error += n / static_cast<double>(confidence.size()) * std::abs(bin.confidence - bin.accuracy);
  }
  return out;
}

}  // namespace shoal
