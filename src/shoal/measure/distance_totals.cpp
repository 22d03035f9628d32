#include "shoal/measure/distance_totals_impl.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"
#include "shoal/measure/double_product_impl.h"
#include "shoal/near/centroids_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;  // rows a chunk

// ---- cosine

constexpr double kRounding = 1e-12;  // a mean cosine distance below it is rounding: equal directions

/// products[c] = x.S_c of one row become the sums of its distances to the rows of c: |c| - x.S_c.
void distances_from_products(std::span<double> products, const Members& members, Label own,
                             double self_product) {
  for (Index c = 0; c < products.size(); ++c) {
    const auto size = static_cast<double>(members.sizes[c]);
    double total = size - products[c];
    if (c == static_cast<Index>(own))
      total -= 1 - self_product;  // of the row to itself; 1 for a row of zeros
    products[c] = total < kRounding * size ? 0 : total;
  }
}

void cosine_totals(const Rows& x, const Members& members, const Run& run, std::string_view step,
                   const UseTotals& use) {
  constexpr Index kBlock = 64;
  const Index cols = x.cols(), k = members.clusters();
  const MetricRows rows(x, Metric::cosine, run);
  const DoubleProduct sums(label_sums(rows, members.compact, run), k, cols);
  for_chunks(
      run, x.rows(), kGrain,
      [&](Index chunk, Index first, Index last) {
        std::vector<double> unit(kBlock * cols), products(kBlock * k);
        RowScratch scratch;
        for (Index at = first; at < last; at += kBlock) {
          const Index count = std::min(kBlock, last - at);
          for (Index r = 0; r < count; ++r)
            rows.read(at + r, std::span(unit).subspan(r * cols, cols), scratch);
          sums(unit, chunk_count(count, DoubleProduct::kRows) * DoubleProduct::kRows, products);
          for (Index r = 0; r < count; ++r) {
            const Label own = members.of(at + r);
            if (own == kNoise) continue;
            const auto row = std::span(unit).subspan(r * cols, cols);
            const auto totals = std::span(products).subspan(r * k, k);
            distances_from_products(totals, members, own,
                                    std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
            use(chunk, at + r, totals);
          }
        }
      },
      step);
}

// ---- euclidean

constexpr double kNear =
    1.0 / 16;  // of |x|^2 + |y|^2: a squared distance below it is computed from differences

/// The rows that are not noise, cluster by cluster, in each by row.
std::vector<std::uint32_t> by_cluster(const Members& members) {
  std::vector<Index> next(members.clusters());
  std::exclusive_scan(members.sizes.begin(), members.sizes.end(), next.begin(), Index{0});
  std::vector<std::uint32_t> order(members.rows);
  for (Index i = 0; i < members.compact.of.size(); ++i)
    if (members.of(i) != kNoise) order[next[members.of(i)]++] = static_cast<std::uint32_t>(i);
  return order;
}

/// Some rows beside each other, with their squared lengths.
struct Gathered {
  Gathered(Index most, Index cols) : rows(most, cols), squares(most) {}

  void fill(const MetricRows& x, std::span<const std::uint32_t> ids) {
    count = ids.size();
    for (Index r = 0; r < count; ++r) {
      std::ranges::copy(x.block(ids[r], 1, scratch)[0], rows[r].begin());
      squares[r] = x.squared_length(ids[r]);
    }
  }
  MatrixView view() const { return rows.view().slice(0, count); }

  Matrix rows;
  RowScratch scratch;
  std::vector<double> squares;
  Index count = 0;
};

double distance(const Gathered& a, Index i, const Gathered& b, Index j, float product) {
  const double squares = a.squares[i] + b.squares[j];
  double squared = squares - 2.0 * static_cast<double>(product);
  if (squared < kNear * squares)
    squared = kernels().squared_distance(a.rows[i].data(), b.rows[j].data(), a.rows.cols());
  return std::sqrt(squared);
}

/// Adds the distances of each of `some` to all `others`, whose clusters are `labels`.
void add_distances(const Gathered& some, const Gathered& others, std::span<const Label> labels,
                   Matrix& products, std::span<double> totals, Index clusters) {
  constexpr Index kStrip = 128;
  const Packed packed = Packed::rows(others.view());
  for (Index first = 0; first < some.count; first += kStrip) {
    const MatrixView strip = some.view().slice(first, std::min(kStrip, some.count - first));
    const MatrixSpan out{products.data(), strip.rows, others.count, others.count};
    multiply(strip, packed, {}, Activation::none, out);
    for (Index r = 0; r < strip.rows; ++r)
      for (Index j = 0; j < others.count; ++j)
        totals[(first + r) * clusters + static_cast<Index>(labels[j])] +=
            distance(some, first + r, others, j, out[r][j]);
  }
}

void euclidean_totals(const Rows& x, const Members& members, const Run& run, std::string_view step,
                      const UseTotals& use) {
  constexpr Index kBlock = 256;
  const Index k = members.clusters();
  const MetricRows rows(x, Metric::euclidean, frame_within_one({x}, run), run);
  const std::vector<std::uint32_t> order = by_cluster(members);
  std::vector<Label> labels;
  for (const std::uint32_t row : order) labels.push_back(members.of(row));
  for_chunks(
      run, order.size(), kGrain,
      [&](Index chunk, Index first, Index last) {
        std::vector<double> totals((last - first) * k);
        Gathered some(last - first, x.cols()), others(kBlock, x.cols());
        Matrix products(128, kBlock);
        some.fill(rows, std::span(order).subspan(first, last - first));
        for (Index at = 0; at < order.size(); at += kBlock) {
          check_stop(run);
          const Index count = std::min(kBlock, order.size() - at);
          others.fill(rows, std::span(order).subspan(at, count));
          add_distances(some, others, std::span(labels).subspan(at, count), products, totals, k);
        }
        for (double& total : totals) total /= rows.frame().scale;
        for (Index i = first; i < last; ++i)
          use(chunk, order[i], std::span(totals).subspan((i - first) * k, k));
      },
      step);
}

}  // namespace

Index total_chunks(const Members& members) { return chunk_count(members.compact.of.size(), kGrain); }

void for_distance_totals(const Rows& x, const Members& members, Metric metric, const Run& run,
                         std::string_view step, const UseTotals& use) {
  if (metric == Metric::cosine)
    cosine_totals(x, members, run, step, use);
  else
    euclidean_totals(x, members, run, step, use);
}

}  // namespace shoal
