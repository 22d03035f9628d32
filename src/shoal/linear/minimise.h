#pragma once

#include <functional>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// What an objective says about a point.
struct Slope {
  double value = 0;
  double steepness = 0;  ///< compared to MinimiseOptions::tol: the largest |partial derivative|, for one
};

/// The value at `x`; the partial derivatives go to `gradient`. May throw: the exception passes.
using Objective = std::function<Slope(std::span<const double> x, std::span<double> gradient)>;

struct MinimiseOptions {
  double tol = 1e-4;             ///< done at the first point that is no steeper, >= 0
  Index max_evaluations = 1000;  ///< of the objective, >= 1
  Index history = 10;            ///< steps that shape the next one, >= 1
};

struct Minimum {
  double value = 0;
  double steepness = 0;
  Index evaluations = 0;   ///< of the objective
  bool converged = false;  ///< no steeper than tol, or flat to the precision of the objective
};

/// Finds a minimum of a smooth function by L-BFGS (Liu, Nocedal 1989) with a line search to the strong Wolfe
/// conditions; `x` is the start and becomes the lowest point seen. In the calling thread, in double, without
/// any randomness: same objective, same bits. Error(argument) on an option out of range or an empty x;
/// Error(data) if the objective is not finite at the start.
Minimum minimise(std::vector<double>& x, const Objective& objective, const MinimiseOptions& options = {});

}  // namespace shoal
