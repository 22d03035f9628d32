#include "shoal/adapt/gate.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "shoal/adapt/centers_impl.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr double kSlope = 4;
constexpr double kLeastDeviation = 0.05;
constexpr double kShare = 0.9;       // of texts that the wide gate lets in, and that the narrow one shuts out
constexpr double kPenalty = 0.1;     // over the root of the texts of the feedback
constexpr Index kMostClusters = 30;  // of the feedback's texts

float sigmoid(double z) { return static_cast<float>(1 / (1 + std::exp(-z))); }

/// Rows [x, memberships, 1], scaled so that the squares of each side add up to half.
void put_rows(const PlacedTexts& texts, Index first, Matrix& to) {
  const float scale = std::sqrt(0.5f / static_cast<float>(texts.x.rows));
  for (Index i = 0; i < texts.x.rows; ++i) {
    float* row = to[first + i].data();
    for (const float v : texts.x[i]) *row++ = scale * v;
    for (const float v : texts.memberships[i]) *row++ = scale * v;
    *row = scale;
  }
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<Index>(share * static_cast<double>(values.size() - 1))];
}

/// A ridge regression of +1 and -1, and what it says of rows that are left out of it.
class LeftOut {
 public:
  /// rows: scaled; the first n are the feedback's.
  LeftOut(const Matrix& rows, Index n, const Run& run) : n_(n), p_(rows.cols()) {
    const double penalty = kPenalty / std::sqrt(static_cast<double>(n));
    auto left = gram(Rows(rows), {}, run);
    for (Index j = 0; j + 1 < p_; ++j) left[j * p_ + j] += penalty;
    left[p_ * p_ - 1] += 1e-9;
    factor_ = Cholesky(std::move(left), p_, penalty);
    rule_.assign(p_, 0);
    const double side[] = {std::sqrt(0.5 / static_cast<double>(n)),
                           -std::sqrt(0.5 / static_cast<double>(rows.rows() - n))};
    for (Index i = 0; i < rows.rows(); ++i)
      for (Index j = 0; j < p_; ++j) rule_[j] += side[i >= n] * rows[i][j];
    factor_.solve_lower(rule_);
    factor_.solve_transposed(rule_);
  }

  const std::vector<double>& rule() const { return rule_; }

  /// Of the feedback's rows without the row, and without all of its label.
  void judge(const Matrix& rows, const std::vector<Label>& label, Index n_labels) {
    // Row i of `turned` is L^-1 a_i: its products are those of the hat matrix.
    Matrix inverse(p_, p_);
    std::vector<double> column(p_);
    for (Index j = 0; j < p_; ++j) {
      std::ranges::fill(column, 0.0);
      column[j] = 1;
      factor_.solve_lower(column);
      for (Index i = 0; i < p_; ++i) inverse[i][j] = static_cast<float>(column[i]);
    }
    Matrix turned(n_, p_);
    multiply(rows.view().slice(0, n_), Packed::rows(inverse), {}, Activation::none, turned.span());
    const double scale = std::sqrt(0.5 / static_cast<double>(n_));
    std::vector<double> off(n_);
    for (Index i = 0; i < n_; ++i) {
      double said = 0;
      for (Index j = 0; j < p_; ++j) said += rows[i][j] * rule_[j];
      off[i] = 1 - said / scale;
    }
    const auto product = [&](Index a, Index b) {
      return static_cast<double>(kernels().dot(turned[a].data(), turned[b].data(), p_));
    };
    std::vector<std::vector<Index>> members(n_labels);
    for (Index i = 0; i < n_; ++i) {
      inside.push_back(1 - off[i] / std::max(1e-3, 1 - product(i, i)));
      members[static_cast<Index>(label[i])].push_back(i);
    }
    for (const auto& block : members) {
      const Index b = block.size();
      if (b == 0) continue;
      std::vector<double> rest(b * b), errors(b);
      for (Index i = 0; i < b; ++i) {
        for (Index j = 0; j <= i; ++j) rest[i * b + j] = (i == j) - product(block[i], block[j]);
        errors[i] = off[block[i]];
      }
      const Cholesky without(std::move(rest), b, 1e-6);
      without.solve_lower(errors);
      without.solve_transposed(errors);
      for (const double e : errors) outside.push_back(1 - e);
    }
  }

  std::vector<double> inside, outside;

 private:
  Index n_, p_;
  Cholesky factor_;
  std::vector<double> rule_;
};

}  // namespace

FeedbackGate FeedbackGate::fit(const PlacedTexts& about, const PlacedTexts& others, Seed seed,
                               const Run& run) {
  const Index n = about.x.rows, d = about.x.cols, k = about.memberships.cols;
  require(n > 0 && others.x.rows > 0, Fault::data, "a gate needs texts of the feedback and others");
  Matrix rows(n + others.x.rows, d + k + 1);
  put_rows(about, 0, rows);
  put_rows(others, n, rows);
  LeftOut learnt(rows, n, run);
  const Index wanted = std::clamp<Index>(n / 10, std::min<Index>(2, n), kMostClusters);
  const UnitCenters clusters = unit_centers(about.x, wanted, seed, run);
  std::vector<Label> label = clusters.label;
  for (Label& l : label) l = std::max<Label>(l, 0);
  learnt.judge(rows, label, clusters.centers.rows());

  FeedbackGate gate;
  const auto& rule = learnt.rule();
  const auto middle = rule.begin() + static_cast<std::ptrdiff_t>(d);
  gate.of_x_.assign(rule.begin(), middle);
  gate.of_memberships_.assign(middle, rule.end() - 1);
  gate.constant_ = rule.back();
  double mean = 0, squares = 0;
  for (const double v : learnt.inside) mean += v;
  mean /= static_cast<double>(learnt.inside.size());
  for (const double v : learnt.inside) squares += (v - mean) * (v - mean);
  gate.deviation_ = std::max(kLeastDeviation, std::sqrt(squares / static_cast<double>(learnt.inside.size())));
  const double middle_text = quantile(learnt.inside, 0.5);
  gate.wide_ = std::min(middle_text, std::max(quantile(learnt.inside, 0.1), quantile(learnt.outside, 0.5)));
  gate.narrow_ = std::max(middle_text, quantile(learnt.outside, 0.95));
  return gate;
}

float FeedbackGate::nearness(std::span<const float> x, std::span<const float> memberships) const {
  const Kernels& k = kernels();
  return static_cast<float>(constant_) + k.dot(x.data(), of_x_.data(), x.size()) +
         k.dot(memberships.data(), of_memberships_.data(), memberships.size());
}

float FeedbackGate::wide(float nearness) const { return sigmoid(kSlope * (nearness - wide_) / deviation_); }
float FeedbackGate::narrow(float nearness) const {
  return sigmoid(kSlope * (nearness - narrow_) / deviation_);
}

void FeedbackGate::save(ArchiveWriter& out) const {
  out.add("gate.rule", std::span<const float>(of_x_));
  out.add("gate.memberships", std::span<const float>(of_memberships_));
  out.add("gate.thresholds", std::span<const double>(std::vector{constant_, wide_, narrow_, deviation_}));
}

FeedbackGate FeedbackGate::load(const ArchiveReader& in, Index dims, Index n_clusters) {
  FeedbackGate gate;
  gate.of_x_ = in.floats("gate.rule", dims);
  gate.of_memberships_ = in.floats("gate.memberships", n_clusters);
  const auto numbers = in.doubles("gate.thresholds", 4);
  const auto finite = [](double v) { return std::isfinite(v); };
  require(std::ranges::all_of(numbers, finite) && numbers[3] > 0 && std::ranges::all_of(gate.of_x_, finite) &&
              std::ranges::all_of(gate.of_memberships_, finite),
          Fault::format, in.path().string() + ": its gate holds what is no number");
  gate.constant_ = numbers[0], gate.wide_ = numbers[1], gate.narrow_ = numbers[2],
  gate.deviation_ = numbers[3];
  return gate;
}

}  // namespace shoal
