#include "shoal/linear/minimise.h"

#include <LBFGS.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using Vector = ::Eigen::VectorXd;

/// Thrown and caught in this file only: the way out of the library's loop.
struct Done {};

constexpr int kTrials = 20;  // of one line search; as many in a row without a lower point: rounding decides

/// Values this near to each other, relative, are told apart by the gradients at both points: the trapezoid
/// rule is exact for a quadratic, and sums of float products round their value far more than their slope.
constexpr double kNear = 1e-6;

/// Stands between the library and the objective; keeps the lowest point.
struct Watched {
  const Objective& objective;
  double tol;
  Index most;
  std::vector<double> lowest, lowest_gradient;
  Minimum best;
  int since_lowest = 0;

  double compared(const Vector& x, const Vector& gradient, double value) const {
    if (lowest.empty() || !(std::abs(value - best.value) <= kNear * std::abs(best.value))) return value;
    double rise = 0;
    for (std::size_t i = 0; i < lowest.size(); ++i) {
      const auto at = static_cast<::Eigen::Index>(i);
      rise += (x[at] - lowest[i]) * (gradient[at] + lowest_gradient[i]) / 2;
    }
    return best.value + rise;
  }

  double operator()(const Vector& x, Vector& gradient) {
    const auto n = static_cast<std::size_t>(x.size());
    const Slope slope = objective({x.data(), n}, {gradient.data(), n});
    if (best.evaluations == 0 && !std::isfinite(slope.value))
      throw Error(Fault::data, "the loss is not finite at the start; scale the rows down");
    const double value = compared(x, gradient, slope.value);
    // A point that is flat enough is the answer, even where rounding put a lower value elsewhere.
    const bool enough = slope.steepness <= tol;
    if (best.evaluations++ == 0 || value < best.value || enough) {
      lowest.assign(x.data(), x.data() + n);
      lowest_gradient.assign(gradient.data(), gradient.data() + n);
      best.value = value, best.steepness = slope.steepness;
      since_lowest = 0;
    }
    if (enough || ++since_lowest > kTrials) {
      best.converged = true;
      throw Done{};
    }
    if (best.evaluations >= most) throw Done{};
    // Infinities and NaNs would lead the line search astray; a large number sends it back.
    return std::isfinite(value) ? value : std::numeric_limits<double>::max();
  }
};

}  // namespace

Minimum minimise(std::vector<double>& x, const Objective& objective, const MinimiseOptions& options) {
  require(!x.empty(), Fault::argument, "there is nothing to minimise over");
  require(options.tol >= 0, Fault::argument, "tol is below 0");
  require(options.max_evaluations >= 1, Fault::argument, "max_evaluations is 0; allowed: 1 or more");
  require(options.history >= 1, Fault::argument, "history is 0; allowed: 1 or more");
  LBFGSpp::LBFGSParam<double> param;
  param.m = static_cast<int>(options.history);
  param.epsilon = param.epsilon_rel = 0;  // Watched decides
  param.linesearch = LBFGSpp::LBFGS_LINESEARCH_BACKTRACKING_STRONG_WOLFE;
  param.max_linesearch = kTrials;
  Watched watched{objective, options.tol, options.max_evaluations, {}, {}, {}, 0};
  Vector at = Vector::Map(x.data(), static_cast<::Eigen::Index>(x.size()));
  double value = 0;
  try {
    LBFGSpp::LBFGSSolver<double, LBFGSpp::LineSearchNocedalWright> solver(param);
    solver.minimize(watched, at, value);
  } catch (const Done&) {
  } catch (const Error&) {
    throw;
  } catch (const std::logic_error&) {  // no way down that rounding lets through: as low as it gets
    watched.best.converged = true;
  } catch (const std::runtime_error&) {
    watched.best.converged = true;
  }
  x = std::move(watched.lowest);
  return watched.best;
}

}  // namespace shoal
