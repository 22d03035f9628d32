#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "shoal/core/chunks.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/product.h"
#include "shoal/measure/classification.h"
#include "shoal/watch/drift_statistics_impl.h"

namespace shoal {
namespace {

constexpr Index kDealsAtOnce = 32;
constexpr double kRidge = 1;
constexpr int kNewtonSteps = 4;
constexpr Index kFolds = 5;

Matrix selected(const Matrix& from, const std::vector<Index>& which) {
  if (from.rows() == 0) return {};
  Matrix out(which.size(), from.cols());
  for (Index i = 0; i < which.size(); ++i) std::ranges::copy(from[which[i]], out[i].begin());
  return out;
}

/// Calls each(deal, rows of the old side, rows of the new one, sums of the old side, sums of all).
template <class Each>
void for_deals(const UnitTables& tables, const Matrix& table, const BlockDeals& deals, const Run& run,
               const Each& each) {
  const Index units = tables.rows.size();
  const Packed packed = Packed::columns(table.view());
  std::vector<double> total(table.cols());
  for (Index u = 0; u < units; ++u)
    for (Index j = 0; j < total.size(); ++j) total[j] += static_cast<double>(table[u][j]);
  const double all_rows = std::accumulate(tables.rows.begin(), tables.rows.end(), 0.0);
  for_chunks(run, deals.count, kDealsAtOnce, [&](Index, Index first, Index last) {
    Matrix sides(last - first, units), sums(last - first, table.cols());
    for (Index deal = first; deal < last; ++deal)
      for (Index u = 0; u < units; ++u) sides[deal - first][u] = deals.on_old(deal, u) ? 1.0f : 0.0f;
    multiply(sides.view(), packed, {}, Activation::none, sums.span());
    for (Index deal = first; deal < last; ++deal) {
      double old_rows = 0;
      for (Index u = 0; u < units; ++u)
        if (deals.on_old(deal, u)) old_rows += tables.rows[u];
      each(deal, old_rows, all_rows - old_rows, sums[deal - first], std::span<const double>(total));
    }
  });
}

double squared_mean_shift(double n_old, double n_new, std::span<const float> old,
                          std::span<const double> total) {
  double out = 0;
  for (Index j = 0; j < old.size(); ++j) {
    const double in_old = static_cast<double>(old[j]);
    const double shift = in_old / n_old - (total[j] - in_old) / n_new;
    out += shift * shift;
  }
  return out;
}

double g_statistic(std::span<const float> old, std::span<const double> total) {
  double n_old = 0, n = 0, out = 0;
  for (Index c = 0; c < old.size(); ++c) n_old += static_cast<double>(old[c]), n += total[c];
  const double n_new = n - n_old;
  if (n_old <= 0 || n_new <= 0) return 0;
  for (Index c = 0; c < old.size(); ++c) {
    const double a = static_cast<double>(old[c]), b = total[c] - a;
    if (a > 0) out += a * std::log(a * n / (total[c] * n_old));
    if (b > 0) out += b * std::log(b * n / (total[c] * n_new));
  }
  return 2 * out;
}

/// Mean of both directions.
double kl_of_histograms(std::span<const float> old, std::span<const double> total) {
  double n_old = 0, n_new = 0, out = 0;
  for (Index c = 0; c < old.size(); ++c) {
    if (total[c] <= 0) continue;
    n_old += static_cast<double>(old[c]) + 0.5;
    n_new += total[c] - static_cast<double>(old[c]) + 0.5;
  }
  for (Index c = 0; c < old.size(); ++c) {
    if (total[c] <= 0) continue;
    const double p = (static_cast<double>(old[c]) + 0.5) / n_old;
    const double q = (total[c] - static_cast<double>(old[c]) + 0.5) / n_new;
    out += 0.5 * (p - q) * std::log(p / q);
  }
  return out;
}

struct Gaussian {
  std::vector<double> mean, covariance;  // q, q x q
  Cholesky root;
};

/// From sums of rows and of products, of n rows, shrunk towards the unit sphere, as which all rows together
/// look.
Gaussian gaussian_of(double n, Index q, const std::vector<double>& sums) {
  Gaussian out{std::vector<double>(q), std::vector<double>(q * q), {}};
  for (Index a = 0; a < q; ++a) out.mean[a] = sums[a] / n;
  const double kept = n / (n + static_cast<double>(q));
  Index at = q;
  for (Index a = 0; a < q; ++a)
    for (Index b = 0; b <= a; ++b, ++at) {
      double c = kept * (sums[at] / n - out.mean[a] * out.mean[b]);
      if (a == b) c += 1 - kept;
      out.covariance[a * q + b] = out.covariance[b * q + a] = c;
    }
  out.root = Cholesky(out.covariance, q, 1e-9);
  return out;
}

/// trace(to^-1 from) and the squared length of `between` in to^-1.
double trace_and_length(const Gaussian& to, const Gaussian& from, const std::vector<double>& between) {
  const Index q = between.size();
  double out = 0;
  std::vector<double> column(q);
  for (Index j = 0; j < q; ++j) {
    for (Index i = 0; i < q; ++i) column[i] = from.covariance[i * q + j];
    to.root.solve_lower(column);
    to.root.solve_transposed(column);
    out += column[j];
  }
  column = between;
  to.root.solve_lower(column);
  for (const double v : column) out += v * v;
  return out;
}

double kl_of_gaussians(double n_old, double n_new, Index q, std::span<const float> old,
                       std::span<const double> total) {
  std::vector<double> a(old.size()), b(old.size()), between(q);
  for (Index j = 0; j < old.size(); ++j) a[j] = static_cast<double>(old[j]), b[j] = total[j] - a[j];
  const Gaussian x = gaussian_of(n_old, q, a), y = gaussian_of(n_new, q, b);
  for (Index j = 0; j < q; ++j) between[j] = x.mean[j] - y.mean[j];
  return 0.25 * (trace_and_length(x, y, between) + trace_and_length(y, x, between)) -
         0.5 * static_cast<double>(q);
}

/// Coefficients and, last, the intercept of a ridge-penalised logistic regression.
std::vector<double> logistic_fit(const Matrix& z, const std::vector<Index>& rows,
                                 const std::vector<std::uint8_t>& old) {
  const Index d = z.cols() + 1;
  std::vector<double> w(d), hessian(d * d), gradient(d), x(d, 1.0);
  for (int step = 0; step < kNewtonSteps; ++step) {
    std::ranges::fill(hessian, 0.0);
    std::ranges::fill(gradient, 0.0);
    for (const Index i : rows) {
      double score = w[d - 1];
      for (Index j = 0; j + 1 < d; ++j) x[j] = static_cast<double>(z[i][j]), score += w[j] * x[j];
      const double p = 1 / (1 + std::exp(-score)), weight = std::max(1e-6, p * (1 - p));
      const double off = p - (old[i] ? 1 : 0);
      for (Index a = 0; a < d; ++a) {
        gradient[a] += off * x[a];
        const double wa = weight * x[a];
        for (Index b = 0; b <= a; ++b) hessian[a * d + b] += wa * x[b];
      }
    }
    for (Index a = 0; a + 1 < d; ++a) hessian[a * d + a] += kRidge, gradient[a] += kRidge * w[a];
    const Cholesky root(hessian, d, 1e-9);
    root.solve_lower(gradient);
    root.solve_transposed(gradient);
    double change = 0;
    for (Index a = 0; a < d; ++a) w[a] -= gradient[a], change = std::max(change, std::abs(gradient[a]));
    if (change < 1e-6) break;
  }
  return w;
}

}  // namespace

UnitTables UnitTables::select(const std::vector<Index>& which) const {
  UnitTables out;
  for (const Index u : which) out.rows.push_back(rows[u]);
  out.sums = selected(sums, which);
  out.white_sums = selected(white_sums, which);
  out.moments = selected(moments, which);
  out.components = components;
  out.histogram = selected(histogram, which);
  return out;
}

std::vector<double> table_statistics(DriftTest test, const UnitTables& tables, const BlockDeals& deals,
                                     const Run& run) {
  std::vector<double> out(deals.count);
  const Matrix& table = test == DriftTest::mean_shift    ? tables.sums
                        : test == DriftTest::hotelling   ? tables.white_sums
                        : test == DriftTest::kl_gaussian ? tables.moments
                                                         : tables.histogram;
  for_deals(
      tables, table, deals, run,
      [&](Index deal, double n_old, double n_new, std::span<const float> old, std::span<const double> total) {
        if (test == DriftTest::mean_shift)
          out[deal] = std::sqrt(squared_mean_shift(n_old, n_new, old, total));
        else if (test == DriftTest::hotelling)
          out[deal] = n_old * n_new / (n_old + n_new) * squared_mean_shift(n_old, n_new, old, total);
        else if (test == DriftTest::kl_gaussian)
          out[deal] = kl_of_gaussians(n_old, n_new, tables.components, old, total);
        else if (test == DriftTest::kl_clusters)
          out[deal] = kl_of_histograms(old, total);
        else
          out[deal] = g_statistic(old, total);
      });
  return out;
}

std::vector<std::vector<double>> share_shifts(const UnitTables& tables, const BlockDeals& deals,
                                              const Run& run) {
  std::vector<std::vector<double>> out(tables.histogram.cols(), std::vector<double>(deals.count));
  for_deals(
      tables, tables.histogram, deals, run,
      [&](Index deal, double n_old, double n_new, std::span<const float> old, std::span<const double> total) {
        for (Index c = 0; c < out.size(); ++c) {
          const double in_old = static_cast<double>(old[c]);
          // Blocks may differ in size: shares of few rows differ by chance.
          const double weight = std::sqrt(n_old * n_new / (n_old + n_new));
          out[c][deal] = weight * std::abs(in_old / n_old - (total[c] - in_old) / n_new);
        }
      });
  return out;
}

std::vector<double> classifier_statistics(const Matrix& z, const std::vector<Index>& unit_of,
                                          const BlockDeals& deals, const Run& run) {
  std::vector<double> out(deals.count);
  for_chunks(run, deals.count, 1, [&](Index, Index deal, Index) {
    Index units_on[2] = {}, rows_on[2] = {};
    for (Index u = 0; u < deals.blocks; ++u) ++units_on[deals.on_old(deal, u)];
    std::vector<std::uint8_t> old(z.rows());
    for (Index i = 0; i < z.rows(); ++i) ++rows_on[old[i] = deals.on_old(deal, unit_of[i])];
    const bool by_rows = std::min(units_on[0], units_on[1]) < 2;
    const Index folds =
        std::min({kFolds, by_rows ? rows_on[0] : units_on[0], by_rows ? rows_on[1] : units_on[1]});
    if (folds < 2) {
      out[deal] = 0.5;
      return;
    }
    // Units are dealt to the folds in turn, those of each side for themselves.
    std::vector<Index> fold(z.rows()), fold_of_unit(deals.blocks);
    Index next[2] = {};
    for (Index u = 0; u < deals.blocks; ++u) fold_of_unit[u] = next[deals.on_old(deal, u)]++ % folds;
    next[0] = next[1] = 0;
    for (Index i = 0; i < z.rows(); ++i)
      fold[i] = by_rows ? next[old[i]]++ % folds : fold_of_unit[unit_of[i]];
    double sum = 0;
    for (Index f = 0; f < folds; ++f) {
      std::vector<Index> rows;
      for (Index i = 0; i < z.rows(); ++i)
        if (fold[i] != f) rows.push_back(i);
      const std::vector<double> w = logistic_fit(z, rows, old);
      std::vector<double> of_old, of_new;
      for (Index i = 0; i < z.rows(); ++i) {
        if (fold[i] != f) continue;
        double score = 0;
        for (Index j = 0; j < z.cols(); ++j) score += w[j] * static_cast<double>(z[i][j]);
        (old[i] ? of_old : of_new).push_back(score);
      }
      sum += area_under_roc(of_old, of_new);
    }
    out[deal] = sum / static_cast<double>(folds);
  });
  return out;
}

}  // namespace shoal
