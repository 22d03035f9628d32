#pragma once

#include <array>
#include <cstdint>

#include "shoal/core/matrix.h"

namespace shoal {

/// How the learning rate goes down over the steps.
enum class Schedule : std::uint8_t { constant, linear, cosine };
constexpr auto names_of(Schedule) { return std::array{"constant", "linear", "cosine"}; }

/// The factor of the learning rate at step 0..n_steps - 1: over the first share `warmup` of them it rises
/// from 0 to 1 (step i of w has i / w, as transformers has it; a single step is a whole one), then it stays,
/// or goes to 0 along a line or half a cosine.
double rate_factor(Schedule schedule, double warmup, Index step, Index n_steps);

}  // namespace shoal
