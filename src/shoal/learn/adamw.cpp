#include "shoal/learn/adamw.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

AdamW::AdamW(const Parameters& parameters, const AdamWOptions& options) : options_(options) {
  check_options(options);
  for (Index i = 0; i < parameters.size(); ++i) {
    const Matrix& gradient = parameters[i].gradient;
    names_.push_back(parameters[i].name);
    means_.emplace_back(gradient.rows(), gradient.cols());
    squares_.emplace_back(gradient.rows(), gradient.cols());
  }
}

void AdamW::step(Parameters& parameters, double factor, const Run& run) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double rate = options_.learning_rate * factor;
  AdamStep step{.beta1 = static_cast<float>(options_.beta1),
                .beta2 = static_cast<float>(options_.beta2),
                .rest1 = static_cast<float>(1 - options_.beta1),
                .rest2 = static_cast<float>(1 - options_.beta2),
                .epsilon = static_cast<float>(options_.epsilon),
                .far = static_cast<float>(rate / (1 - std::pow(options_.beta1, t))),
                .root = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)))};
  const Kernels& k = kernels();
  for (Index i = 0; i < parameters.size(); ++i) {
    Parameter& p = parameters[i];
    if (!p.learns) continue;
    step.kept = static_cast<float>(1 - (p.decays ? rate * options_.weight_decay : 0));
    const Index cols = p.value.cols();
    constexpr Index kPart = 1 << 16;
    for_chunks(run.quiet(), p.value.rows(), std::max<Index>(1, kPart / std::max<Index>(cols, 1)),
               [&](Index, Index first, Index last) {
                 for (Index row = first; row < last; ++row) {
                   // What has never had a gradient has means of 0, and only decays.
                   if (!p.table.empty() && p.table[row] == TableRow::never) {
                     if (step.kept != 1) k.scale(step.kept, p.value[row].data(), cols);
                     continue;
                   }
                   k.adam(step, p.gradient[row].data(), means_[i][row].data(), squares_[i][row].data(),
                          p.value[row].data(), cols);
                 }
               });
  }
}

void AdamW::save(ArchiveWriter& out, std::string_view prefix) const {
  const auto put = [&](const std::vector<Matrix>& all, const char* what) {
    for (Index i = 0; i < all.size(); ++i)
      if (all[i].rows() > 0)
        out.lend(std::string(prefix) + " " + what + " " + names_[i], all[i].view(),
                 {all[i].rows(), all[i].cols()});
  };
  put(means_, "mean");
  put(squares_, "square");
  const auto steps = static_cast<std::int64_t>(steps_);
  out.add(std::string(prefix) + " steps", std::span<const std::int64_t>(&steps, 1));
}

void AdamW::load(const ArchiveReader& in, std::string_view prefix) {
  const auto get = [&](std::vector<Matrix>& all, const char* what) {
    for (Index i = 0; i < all.size(); ++i)
      if (all[i].rows() > 0)
        all[i] = in.matrix(std::string(prefix) + " " + what + " " + names_[i], all[i].rows(), all[i].cols());
  };
  get(means_, "mean");
  get(squares_, "square");
  const auto steps = in.integers(std::string(prefix) + " steps");
  require(steps.size() == 1 && steps[0] >= 0, Fault::format,
          in.path().string() + ": it does not say how many steps were made");
  steps_ = static_cast<Index>(steps[0]);
}

}  // namespace shoal
