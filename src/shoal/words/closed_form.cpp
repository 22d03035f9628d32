#include "shoal/words/closed_form.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

/// A + A^T without the diagonal: of each word the others with their sums, ascending.
std::vector<std::vector<std::pair<std::uint32_t, double>>> sums_of(const WordContexts& contexts) {
  std::vector<std::vector<std::pair<std::uint32_t, double>>> of(contexts.words);
  for (Index t = 0; t < contexts.size(); ++t) {
    const auto words = contexts.words_of(t);
    const auto weights = contexts.weights_of(t);
    for (Index j = 0; j < words.size(); ++j) {
      of[contexts.target[t]].emplace_back(words[j], weights[j]);
      of[words[j]].emplace_back(contexts.target[t], weights[j]);
    }
  }
  for (auto& row : of) {
    std::ranges::stable_sort(row, {}, [](const auto& entry) { return entry.first; });
    Index kept = 0;
    for (Index i = 0; i < row.size(); ++i) {
      if (kept > 0 && row[kept - 1].first == row[i].first)
        row[kept - 1].second += row[i].second;
      else
        row[kept++] = row[i];
    }
    row.resize(kept);
  }
  return of;
}

}  // namespace

SparseRows positive_information(const WordContexts& contexts, double shift) {
  const auto rows = sums_of(contexts);
  std::vector<double> totals(rows.size());
  double all = 0;
  for (Index i = 0; i < rows.size(); ++i) {
    for (const auto& [j, sum] : rows[i]) totals[i] += sum;
    all += totals[i];
  }
  SparseRows out;
  out.cols = rows.size();
  for (Index i = 0; i < rows.size(); ++i) {
    for (const auto& [j, sum] : rows[i]) {
      const double information = std::log(sum * all / (totals[i] * totals[j])) - shift;
      if (!(information > 0)) continue;
      out.columns.push_back(j);
      out.values.push_back(static_cast<float>(information));
    }
    out.starts.push_back(out.columns.size());
  }
  return out;
}

Matrix closed_form(const WordContexts& contexts, const ClosedFormOptions& options, Seed seed,
                   const Run& run) {
  check_options(options);
  const SparseRows x = positive_information(contexts, options.shift);
  require(
      !x.values.empty(), Fault::data,
      "no word has a context from which it could be told where it belongs; descriptions need at least two "
      "words of the vocabulary");
  const TruncatedSvd svd = truncated_svd(x, options.svd_dims, seed, run);
  const Index dims = svd.components.cols();
  Matrix out(x.rows(), dims);
  for_chunks(run.quiet(), x.rows(), 256, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
        kernels().axpy(x.values[e], svd.components[x.columns[e]].data(), out[i].data(), dims);
  });
  // x V is U S.
  if (options.svd_power != 1)
    for (Index c = 0; c < dims; ++c) {
      const auto by = static_cast<float>(std::pow(svd.singular_values[c], options.svd_power - 1));
      for (Index i = 0; i < x.rows(); ++i) out[i][c] *= by;
    }
  unit_rows(out.span());
  std::vector<double> mean(dims);
  double known = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    if (x.starts[i] == x.starts[i + 1]) continue;
    ++known;
    for (Index c = 0; c < dims; ++c) mean[c] += static_cast<double>(out[i][c]);
  }
  for (Index i = 0; i < x.rows(); ++i)
    if (x.starts[i] != x.starts[i + 1])
      for (Index c = 0; c < dims; ++c) out[i][c] -= static_cast<float>(mean[c] / known);
  unit_rows(out.span());
  return out;
}

}  // namespace shoal
