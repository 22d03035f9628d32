#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"
#include "shoal/watch/pair_sums_impl.h"

namespace shoal {
namespace {

constexpr Index kBlock = 128;   // rows of pairs at once
constexpr Index kDeals = 1024;  // deals at once

/// All pairs' values of a kernel for some rows against all. A constant is taken off, which no statistic
/// minds, so that floats keep their digits for what differs.
class Pairs {
 public:
  explicit Pairs(Matrix rows) : rows_(std::move(rows)), packed_(Packed::rows(rows_)) {
    for (Index i = 0; i < rows_.rows(); ++i)
      squared_.push_back(kernels().dot(rows_[i].data(), rows_[i].data(), rows_.cols()));
    double sum = 0;
    for (const float s : squared_) sum += static_cast<double>(s);
    mean_squared_ = sum / static_cast<double>(std::max<Index>(1, squared_.size()));
  }
  Index rows() const { return rows_.rows(); }

  /// Products of rows [first, last) with all.
  Matrix products(Index first, Index last) const {
    Matrix out(last - first, rows());
    multiply(rows_.view().slice(first, last - first), packed_, {}, Activation::none, out.span());
    return out;
  }
  void values(const PairKernel& kind, Index row, std::span<const float> products,
              std::span<float> out) const {
    const Index n = rows();
    if (kind.test == DriftTest::covariance_shift) {
      for (Index j = 0; j < n; ++j) out[j] = products[j] * products[j];
      return;
    }
    for (Index j = 0; j < n; ++j) out[j] = std::max(0.0f, squared_[row] + squared_[j] - 2 * products[j]);
    out[row] = 0;
    if (kind.test == DriftTest::energy) {
      const auto usual = static_cast<float>(std::sqrt(2 * mean_squared_));
      for (Index j = 0; j < n; ++j) out[j] = usual - std::sqrt(out[j]);
      return;
    }
    const auto scale = static_cast<float>(-0.5 / (kind.scale * kind.scale));
    for (Index j = 0; j < n; ++j) out[j] *= scale;
    kernels().exp(out.data(), out.data(), n);
    const auto usual = static_cast<float>(std::exp(-0.5));
    for (Index j = 0; j < n; ++j) out[j] -= usual;
  }

 private:
  Matrix rows_;
  Packed packed_;
  std::vector<float> squared_;
  double mean_squared_ = 0;
};

Matrix gathered(const Matrix& x, const std::vector<std::vector<Index>>& units, std::vector<Index>& unit_of) {
  Index n = 0;
  for (const auto& unit : units) n += unit.size();
  Matrix out(n, x.cols());
  unit_of.clear();
  for (Index u = 0; u < units.size(); ++u)
    for (const Index i : units[u]) {
      std::ranges::copy(x[i], out[unit_of.size()].begin());
      unit_of.push_back(u);
    }
  return out;
}

/// within: sums over ordered pairs of each side, rows with themselves left out. 0 where a side has no rows,
/// which says nothing.
double statistic(double old_within, double new_within, double between, double n_old, double n_new) {
  if (n_old == 0 || n_new == 0) return 0;
  const double a = n_old > 1 ? old_within / (n_old * (n_old - 1)) : 0;
  const double b = n_new > 1 ? new_within / (n_new * (n_new - 1)) : 0;
  return a + b - 2 * between / (n_old * n_new);
}

}  // namespace

std::vector<PairKernel> pair_kernels(const std::vector<DriftTest>& tests, double bandwidth) {
  std::vector<PairKernel> out;
  for (const DriftTest test : tests)
    if (test == DriftTest::mmd || test == DriftTest::energy || test == DriftTest::covariance_shift)
      out.push_back({test, bandwidth});
  return out;
}

PairSums pair_sums(const Matrix& x, const std::vector<std::vector<Index>>& units,
                   const std::vector<PairKernel>& kinds, const Run& run) {
  std::vector<Index> unit_of;
  const Pairs pairs(gathered(x, units, unit_of));
  std::vector<Index> begin(units.size() + 1);
  for (Index u = 0; u < units.size(); ++u) begin[u + 1] = begin[u] + units[u].size();
  PairSums out;
  out.units = units.size();
  out.between.assign(kinds.size(), std::vector<double>(units.size() * units.size()));
  out.own.assign(kinds.size(), std::vector<double>(units.size()));
  for_chunks(
      run, units.size(), 1,
      [&](Index, Index u, Index) {
        std::vector<float> values(pairs.rows());
        for (Index first = begin[u]; first < begin[u + 1]; first += kBlock) {
          const Index last = std::min(first + kBlock, begin[u + 1]);
          const Matrix products = pairs.products(first, last);
          for (Index row = first; row < last; ++row)
            for (Index k = 0; k < kinds.size(); ++k) {
              pairs.values(kinds[k], row, products[row - first], values);
              for (Index v = 0; v < units.size(); ++v)
                out.between[k][u * units.size() + v] +=
                    static_cast<double>(kernels().sum(values.data() + begin[v], begin[v + 1] - begin[v]));
              out.own[k][u] += static_cast<double>(values[row]);
            }
        }
      },
      "pairs");
  return out;
}

std::vector<std::vector<double>> pair_statistics(const PairSums& sums, const std::vector<Index>& which,
                                                 const std::vector<std::vector<Index>>& units,
                                                 const BlockDeals& deals, const Run& run) {
  std::vector<std::vector<double>> out(sums.between.size(), std::vector<double>(deals.count));
  for (Index k = 0; k < out.size(); ++k) {
    // The sums of the units that take part, side by side.
    std::vector<double> among(which.size() * which.size());
    for (Index a = 0; a < which.size(); ++a)
      for (Index b = 0; b < which.size(); ++b)
        among[a * which.size() + b] = sums.between[k][which[a] * sums.units + which[b]];
    for_chunks(run, deals.count, 16, [&](Index, Index first, Index last) {
      for (Index deal = first; deal < last; ++deal) {
        double within[2] = {}, rows[2] = {}, between = 0;
        for (Index a = 0; a < which.size(); ++a) {
          const bool old = deals.on_old(deal, a);
          rows[old] += static_cast<double>(units[a].size());
          within[old] -= sums.own[k][which[a]];
          double to[2] = {};
          for (Index b = 0; b < which.size(); ++b) to[deals.on_old(deal, b)] += among[a * which.size() + b];
          within[old] += to[old];
          if (old) between += to[0];
        }
        out[k][deal] = statistic(within[1], within[0], between, rows[1], rows[0]);
      }
    });
  }
  return out;
}

std::vector<std::vector<double>> pair_statistics(const Matrix& x,
                                                 const std::vector<std::vector<Index>>& units,
                                                 const std::vector<PairKernel>& kinds,
                                                 const BlockDeals& deals, const Run& run) {
  std::vector<Index> unit_of;
  const Pairs pairs(gathered(x, units, unit_of));
  const Index n = pairs.rows();
  std::vector<std::vector<double>> out(kinds.size(), std::vector<double>(deals.count));
  for (Index from = 0; from < deals.count; from += kDeals) {
    const Index count = std::min(kDeals, deals.count - from);
    Matrix sides(n, count);
    std::vector<double> rows(count);
    for (Index i = 0; i < n; ++i)
      for (Index p = 0; p < count; ++p) {
        sides[i][p] = deals.on_old(from + p, unit_of[i]) ? 1.0f : 0.0f;
        rows[p] += static_cast<double>(sides[i][p]);
      }
    const Packed packed = Packed::columns(sides.view());
    // Of each kernel and deal: sums within the old side, between, within the new side.
    const Index width = 3 * count;
    const std::vector<double> sums = fold_chunks(
        run, n, kBlock, std::vector<double>(),
        [&](Index first, Index last) {
          std::vector<double> part(kinds.size() * width);
          Matrix values(last - first, n), to_old(last - first, count);
          const Matrix products = pairs.products(first, last);
          for (Index k = 0; k < kinds.size(); ++k) {
            double* within_old = part.data() + k * width;
            double *between = within_old + count, *within_new = between + count;
            std::vector<double> all(last - first);
            for (Index i = first; i < last; ++i) {
              const auto row = values[i - first];
              pairs.values(kinds[k], i, products[i - first], row);
              row[i] = 0;  // no pair with itself
              for (const float v : row) all[i - first] += static_cast<double>(v);
            }
            multiply(values.view(), packed, {}, Activation::none, to_old.span());
            for (Index i = first; i < last; ++i) {
              const auto side = sides[i];
              const auto near_old = to_old[i - first];
              for (Index p = 0; p < count; ++p) {
                const double s = static_cast<double>(side[p]), old = static_cast<double>(near_old[p]);
                within_old[p] += s * old;
                between[p] += (1 - s) * old;
                within_new[p] += (1 - s) * (all[i - first] - old);
              }
            }
          }
          return part;
        },
        [](std::vector<double>& total, std::vector<double>&& part) {
          if (total.empty()) return total.swap(part);
          for (Index i = 0; i < total.size(); ++i) total[i] += part[i];
        });
    for (Index k = 0; k < kinds.size(); ++k)
      for (Index p = 0; p < count; ++p) {
        const double* at = sums.data() + k * width + p;
        out[k][from + p] =
            statistic(at[0], at[2 * count], at[count], rows[p], static_cast<double>(n) - rows[p]);
      }
  }
  return out;
}

}  // namespace shoal
