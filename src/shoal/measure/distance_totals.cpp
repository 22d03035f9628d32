#include "shoal/measure/distance_totals_impl.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/measure/double_product_impl.h"

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
  const DoubleProduct sums(cluster_sums(x, members, true, run), k, cols);
  for_chunks(
      run, x.rows(), kGrain,
      [&](Index chunk, Index first, Index last) {
        std::vector<double> unit(kBlock * cols), products(kBlock * k);
        Matrix scratch;
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView block = x.block(at, std::min(kBlock, last - at), scratch);
          for (Index r = 0; r < block.rows; ++r) unit_row(block[r], std::span(unit).subspan(r * cols, cols));
          sums(unit, chunk_count(block.rows, DoubleProduct::kRows) * DoubleProduct::kRows, products);
          for (Index r = 0; r < block.rows; ++r) {
            const Label own = members.of[at + r];
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
  for (Index i = 0; i < members.of.size(); ++i)
    if (members.of[i] != kNoise) order[next[members.of[i]]++] = static_cast<std::uint32_t>(i);
  return order;
}

/// Some rows moved by a shift, with their squared lengths.
struct Moved {
  Moved(Index most, Index cols) : rows(most, cols), squares(most) {}

  void fill(const Rows& x, std::span<const std::uint32_t> ids, std::span<const float> shift) {
    count = ids.size();
    for (Index r = 0; r < count; ++r) {
      const std::span<const float> from = x.block(ids[r], 1, scratch)[0];
      const std::span<float> to = rows[r];
      for (Index j = 0; j < to.size(); ++j) to[j] = from[j] - shift[j];
      squares[r] = kernels().dot(to.data(), to.data(), to.size());
    }
  }
  MatrixView view() const { return rows.view().slice(0, count); }

  Matrix rows, scratch;
  std::vector<double> squares;
  Index count = 0;
};

double distance(const Moved& a, Index i, const Moved& b, Index j, float product) {
  const double squares = a.squares[i] + b.squares[j];
  double squared = squares - 2.0 * static_cast<double>(product);
  if (squared < kNear * squares)
    squared = kernels().squared_distance(a.rows[i].data(), b.rows[j].data(), a.rows.cols());
  return std::sqrt(squared);
}

/// Adds the distances of each of `some` to all `others`, whose clusters are `labels`.
void add_distances(const Moved& some, const Moved& others, std::span<const Label> labels, Matrix& products,
                   std::span<double> totals, Index clusters) {
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
  const std::vector<double> means = column_means(x, run);
  const std::vector<float> shift(means.begin(), means.end());  // any shift will do: this one loses least
  const std::vector<std::uint32_t> order = by_cluster(members);
  std::vector<Label> labels;
  for (const std::uint32_t row : order) labels.push_back(members.of[row]);
  for_chunks(
      run, order.size(), kGrain,
      [&](Index chunk, Index first, Index last) {
        std::vector<double> totals((last - first) * k);
        Moved some(last - first, x.cols()), others(kBlock, x.cols());
        Matrix products(128, kBlock);
        some.fill(x, std::span(order).subspan(first, last - first), shift);
        for (Index at = 0; at < order.size(); at += kBlock) {
          check_stop(run);
          const Index count = std::min(kBlock, order.size() - at);
          others.fill(x, std::span(order).subspan(at, count), shift);
          add_distances(some, others, std::span(labels).subspan(at, count), products, totals, k);
        }
        for (Index i = first; i < last; ++i)
          use(chunk, order[i], std::span(totals).subspan((i - first) * k, k));
      },
      step);
}

}  // namespace

Index total_chunks(const Members& members) { return chunk_count(members.of.size(), kGrain); }

void for_distance_totals(const Rows& x, const Members& members, Metric metric, const Run& run,
                         std::string_view step, const UseTotals& use) {
  if (metric == Metric::cosine)
    cosine_totals(x, members, run, step, use);
  else
    euclidean_totals(x, members, run, step, use);
}

}  // namespace shoal
