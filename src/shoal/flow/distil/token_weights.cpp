#include "shoal/flow/distil/token_weights_impl.h"

#include <algorithm>
#include <cstdint>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/pca.h"

namespace shoal {

std::vector<double> weights_by_rank(Index rows, double a) {
  double sum = 0;
  for (Index i = 0; i < rows; ++i) sum += 1.0 / static_cast<double>(i + 2);
  std::vector<double> out(rows);
  for (Index i = 0; i < rows; ++i) out[i] = a / (a + 1.0 / static_cast<double>(i + 2) / sum);
  return out;
}

std::vector<double> weights_by_count(Index rows, double a, std::optional<Index> unknown,
                                     const CorpusPasses& passes, const Tokenizer& tokenizer, const Run& run) {
  std::vector<std::int64_t> times(rows);
  passes([&](const Texts& batch) {
    constexpr Index kGrain = 128;
    std::vector<Tokens> found(chunk_count(batch.size(), kGrain));
    for_chunks(run.quiet(), batch.size(), kGrain, [&](Index chunk, Index first, Index last) {
      found[chunk] = tokenizer.encode_plain(batch, first, last - first);
    });
    for (const Tokens& tokens : found)
      for (const std::uint32_t id : tokens.ids) ++times[id];
  });
  std::int64_t all = 0;
  for (Index i = 0; i < rows; ++i)
    if (i != unknown) all += times[i];
  std::vector<double> out(rows, 1.0);
  for (Index i = 0; i < rows && all > 0; ++i)
    out[i] = a / (a + static_cast<double>(times[i]) / static_cast<double>(all));
  return out;
}

void check_common(Index components, std::optional<Index> unknown, const CorpusPasses& passes,
                  const Tokenizer& tokenizer) {
  const Index needed = std::max<Index>(components, 2);
  Index found = 0;
  passes([&](const Texts& batch) {
    for (Index at = 0; at < batch.size() && found < needed; at += needed) {
      const Tokens tokens = tokenizer.encode_plain(batch, at, std::min(needed, batch.size() - at));
      for (Index i = 0; i < tokens.size(); ++i)
        found += std::ranges::any_of(tokens[i], [&](Index id) { return id != unknown; });
    }
  });
  require(found >= needed, Fault::argument,
          option_name("sentence_pca") + " is " + std::to_string(components) + "; it needs " +
              std::to_string(needed) + " texts of the corpus that have a token, and there are " +
              std::to_string(found));
}

void remove_common(Matrix& table, Index components, std::optional<Index> unknown, const CorpusPasses& passes,
                   const Tokenizer& tokenizer, const Run& run) {
  Pca pca({.n_components = components});
  passes([&](const Texts& batch) {
    Matrix means(batch.size(), table.cols());
    std::vector<std::uint8_t> any(batch.size());
    for_chunks(run.quiet(), batch.size(), 128, [&](Index, Index first, Index last) {
      const Tokens tokens = tokenizer.encode_plain(batch, first, last - first);
      for (Index i = 0; i < tokens.size(); ++i) {
        Index n = 0;
        const auto row = means[first + i];
        for (const std::uint32_t id : tokens[i])
          if (id != unknown) kernels().axpy(1.0f, table[id].data(), row.data(), row.size()), ++n;
        for (float& x : row) x /= static_cast<float>(std::max<Index>(n, 1));
        any[first + i] = n > 0;
      }
    });
    Index kept = 0;  // texts without a token say nothing
    for (Index i = 0; i < batch.size(); ++i)
      if (any[i]) std::copy_n(means[i].data(), means.cols(), means[kept++].data());
    if (kept > 0) pca.update(Rows(means.view().slice(0, kept)), run.quiet());
  });
  const Matrix& directions = pca.components();
  for_chunks(run.quiet(), table.rows(), 1024, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const auto row = table[i];
      kernels().axpy(-1.0f, pca.mean().data(), row.data(), row.size());
      for (Index c = 0; c < directions.rows(); ++c)
        kernels().axpy(-kernels().dot(row.data(), directions[c].data(), row.size()), directions[c].data(),
                       row.data(), row.size());
    }
  });
}

}  // namespace shoal
