#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/learn/parameters.h"

namespace shoal {

struct AdamWOptions {
  double learning_rate = 1e-3;  ///< above 0
  double beta1 = 0.9;           ///< how long the mean of gradients remembers, 0..1
  double beta2 = 0.999;         ///< the same of their squares
  double epsilon = 1e-8;        ///< above 0
  double weight_decay = 0.01;   ///< share of a value that a step at rate 1 would take away, >= 0
};
template <class V>
void fields(AdamWOptions& o, V&& visit) {
  visit("learning_rate", o.learning_rate, "how far a step goes", above(0));
  visit("beta1", o.beta1, "how long the mean of gradients remembers", at_least(0).below(1));
  visit("beta2", o.beta2, "how long the mean of squared gradients remembers", at_least(0).below(1));
  visit("epsilon", o.epsilon, "added to the root of the mean squared gradient", above(0));
  visit("weight_decay", o.weight_decay, "how strongly values are drawn to 0", at_least(0));
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, as PyTorch has it): the value
/// first loses learning_rate * weight_decay of itself, then the step of Adam. In float, element by element:
/// the same bits everywhere.
class AdamW {
 public:
  /// Error(argument) on an option out of range.
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {});
  /// One step along the gradients. factor: of the learning rate, from a schedule.
  void step(Parameters& parameters, double factor = 1, const Run& run = {});
  Index steps() const { return steps_; }

  void save(ArchiveWriter& out, std::string_view prefix) const;
  void load(const ArchiveReader& in, std::string_view prefix);  ///< Error(format) if they do not fit

 private:
  AdamWOptions options_;
  std::vector<std::string> names_;
  std::vector<Matrix> means_, squares_;  // of each parameter that learns
  Index steps_ = 0;
};

}  // namespace shoal
