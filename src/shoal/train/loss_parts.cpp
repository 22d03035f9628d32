#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {

double product_of(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double length_of(std::span<const float> x) { return std::sqrt(product_of(x, x)); }

double PairSlope::cosine() {
  own_a_ = own_b_ = other_ = shift_ = 0;
  const double a = length_of(a_), b = length_of(b_);
  if (a == 0 || b == 0) return 0;
  const double value = product_of(a_, b_) / (a * b);
  own_a_ = -value / (a * a);
  own_b_ = -value / (b * b);
  other_ = 1 / (a * b);
  return value;
}

double PairSlope::distance(LossDistance kind) {
  if (kind == LossDistance::euclidean) return shifted_euclidean(0);
  if (kind == LossDistance::cosine) {
    const double value = 1 - cosine();
    own_a_ = -own_a_;
    own_b_ = -own_b_;
    other_ = -other_;
    return value;
  }
  double sum = 0;
  for (Index i = 0; i < a_.size(); ++i) {
    const double gap = static_cast<double>(a_[i]) - static_cast<double>(b_[i]);
    sum += gap * gap;
  }
  own_a_ = own_b_ = 2;
  other_ = -2;
  shift_ = 0;
  return sum;
}

double PairSlope::shifted_euclidean(double shift) {
  double sum = 0;
  for (Index i = 0; i < a_.size(); ++i) {
    const double gap = static_cast<double>(a_[i]) - static_cast<double>(b_[i]) + shift;
    sum += gap * gap;
  }
  const double value = std::sqrt(sum), by = value == 0 ? 0 : 1 / value;
  own_a_ = own_b_ = by;
  other_ = -by;
  shift_ = shift * by;
  return value;
}

void PairSlope::add(double factor, std::span<double> to_a, std::span<double> to_b) const {
  if (factor == 0) return;
  for (Index i = 0; i < a_.size(); ++i) {
    const double a = static_cast<double>(a_[i]), b = static_cast<double>(b_[i]);
    to_a[i] += factor * (own_a_ * a + other_ * b + shift_);
    to_b[i] += factor * (own_b_ * b + other_ * a - shift_);
  }
}

Matrix unit_length(MatrixView x, std::vector<double>& lengths, const Run& run) {
  Matrix out(x.rows, x.cols);
  lengths.assign(x.rows, 0);
  for_chunks(run.quiet(), x.rows, 64, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      lengths[i] = length_of(x[i]);
      if (lengths[i] == 0) continue;
      for (Index j = 0; j < x.cols; ++j)
        out[i][j] = static_cast<float>(static_cast<double>(x[i][j]) / lengths[i]);
    }
  });
  return out;
}

void unit_back(std::span<const float> unit, double length, std::span<const double> slope,
               std::span<float> out) {
  double along = 0;
  for (Index i = 0; i < unit.size(); ++i) along += static_cast<double>(unit[i]) * slope[i];
  for (Index i = 0; i < unit.size(); ++i)
    out[i] = length == 0 ? 0 : static_cast<float>((slope[i] - static_cast<double>(unit[i]) * along) / length);
}

}  // namespace shoal
