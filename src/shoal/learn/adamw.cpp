#include "shoal/learn/adamw.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

AdamW::AdamW(const Parameters& parameters, const AdamWOptions& options) : options_(options) {
  check_options(options);
  for (Index i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    means_.add(p.name, Matrix(p.value.rows(), p.value.cols()));
    squares_.add(p.name, Matrix(p.value.rows(), p.value.cols()));
  }
}

void AdamW::step(Parameters& parameters, double factor) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double rate = options_.learning_rate * factor;
  const auto b1 = static_cast<float>(options_.beta1), b2 = static_cast<float>(options_.beta2),
             rest1 = static_cast<float>(1 - options_.beta1), rest2 = static_cast<float>(1 - options_.beta2),
             epsilon = static_cast<float>(options_.epsilon);
  const auto far = static_cast<float>(rate / (1 - std::pow(options_.beta1, t)));
  const auto root = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
  for (Index i = 0; i < parameters.size(); ++i) {
    Parameter& p = parameters[i];
    const auto kept = static_cast<float>(1 - (p.decays ? rate * options_.weight_decay : 0));
    float *value = p.value.data(), *mean = means_[i].value.data(), *square = squares_[i].value.data();
    const float* gradient = p.gradient.data();
    const Index n = p.value.rows() * p.value.cols();
    for (Index j = 0; j < n; ++j) {
      mean[j] = b1 * mean[j] + rest1 * gradient[j];
      square[j] = b2 * square[j] + rest2 * gradient[j] * gradient[j];
      value[j] = kept * value[j] - far * mean[j] / (std::sqrt(square[j]) / root + epsilon);
    }
  }
}

void AdamW::save(ArchiveWriter& out, std::string_view prefix) const {
  means_.save(out, std::string(prefix) + " mean");
  squares_.save(out, std::string(prefix) + " square");
  const auto steps = static_cast<std::int64_t>(steps_);
  out.add(std::string(prefix) + " steps", std::span<const std::int64_t>(&steps, 1));
}

void AdamW::load(const ArchiveReader& in, std::string_view prefix) {
  means_.load(in, std::string(prefix) + " mean");
  squares_.load(in, std::string(prefix) + " square");
  const auto steps = in.integers(std::string(prefix) + " steps");
  require(steps.size() == 1 && steps[0] >= 0, Fault::format,
          in.path().string() + ": it does not say how many steps were made");
  steps_ = static_cast<Index>(steps[0]);
}

}  // namespace shoal
