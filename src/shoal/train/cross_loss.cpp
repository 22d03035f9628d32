#include "shoal/train/cross_loss.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/names.h"

namespace shoal {
namespace {

/// log(1 + exp(z)) without overflow.
double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

std::string targets_instead(CrossLoss kind, double target, Index labels) {
  if (!std::isfinite(target)) return "finite numbers";
  if (kind == CrossLoss::bce && (target < 0 || target > 1)) return "0..1";
  const bool is_label = target >= 0 && target == std::floor(target) && target < static_cast<double>(labels);
  if (kind == CrossLoss::ce && !is_label) return "whole numbers 0.." + std::to_string(labels - 1);
  return {};
}

CrossLossValue cross_loss(CrossLoss kind, MatrixView logits, MatrixView targets, double positive_weight) {
  const Index pairs = logits.rows, labels = logits.cols;
  require(pairs > 0, Fault::argument, "a loss of no pairs was asked for");
  require(targets.rows == pairs && targets.cols == 1, Fault::argument,
          std::to_string(targets.rows) + " x " + std::to_string(targets.cols) + " targets for " +
              std::to_string(pairs) + " pairs; each has one");
  require(kind == CrossLoss::ce ? labels > 1 : labels == 1, Fault::argument,
          std::string(name_of(kind)) + " is of " + (kind == CrossLoss::ce ? "several labels" : "one label") +
              "; the model has " + std::to_string(labels));
  CrossLossValue out{.loss = 0, .slope = Matrix(pairs, labels)};
  const double share = 1 / static_cast<double>(pairs);
  std::vector<double> powers(labels);
  for (Index i = 0; i < pairs; ++i) {
    const auto target = static_cast<double>(targets[i][0]);
    const auto z = static_cast<double>(logits[i][0]);
    if (const std::string allowed = targets_instead(kind, target, labels); !allowed.empty())
      throw Error(Fault::data, std::string(name_of(kind)) + ": the target of row " + std::to_string(i) +
                                   " is " + std::to_string(target) + "; allowed: " + allowed);
    if (kind == CrossLoss::bce) {
      const double weight = positive_weight * target;
      out.loss += share * ((1 - target) * softplus(z) + weight * softplus(-z));
      out.slope[i][0] = static_cast<float>(share * ((1 - target) * sigmoid(z) - weight * sigmoid(-z)));
    } else if (kind == CrossLoss::mse) {
      out.loss += share * (z - target) * (z - target);
      out.slope[i][0] = static_cast<float>(share * 2 * (z - target));
    } else {
      const auto right = static_cast<Index>(target);
      const auto most = static_cast<double>(*std::ranges::max_element(logits[i]));
      double sum = 0;
      for (Index c = 0; c < labels; ++c)
        sum += powers[c] = std::exp(static_cast<double>(logits[i][c]) - most);
      out.loss += share * (std::log(sum) + most - static_cast<double>(logits[i][right]));
      for (Index c = 0; c < labels; ++c)
        out.slope[i][c] = static_cast<float>(share * (powers[c] / sum - (c == right ? 1 : 0)));
    }
  }
  return out;
}

}  // namespace shoal
