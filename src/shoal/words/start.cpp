#include "shoal/words/start.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {
namespace {

constexpr Index kGrain = 256;

std::uint64_t hash_of(std::string_view word) {  // FNV-1a
  std::uint64_t out = 14695981039346656037ull;
  for (const char c : word) out = (out ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return out;
}

Matrix random_directions(const Texts& words, Index dims, Seed seed, const Run& run) {
  Matrix out(words.size(), dims);
  for_chunks(run.quiet(), words.size(), kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const Random random(seed.child(hash_of(words[i])));
      for (Index c = 0; c < dims; ++c) out[i][c] = static_cast<float>(random.normal(c));
    }
  });
  unit_rows(out.span());
  return out;
}

/// Corner i of a simplex has in coordinate k < i what makes it as far from corner k as from all before.
Matrix simplex(Index n, Index dims) {
  Matrix out(n, dims);
  const double cosine = n > 1 ? -1 / static_cast<double>(n - 1) : 1;
  std::vector<double> shared(std::min(n, dims));  // coordinate k of all corners after k
  double squares = 0;                             // of them, so far
  for (Index k = 0; k < std::min(n, dims); ++k) {
    const double own = std::sqrt(std::max(0.0, 1 - squares));
    out[k][k] = static_cast<float>(own);
    shared[k] = own > 0 ? (cosine - squares) / own : 0;
    for (Index i = k + 1; i < n; ++i) out[i][k] = static_cast<float>(shared[k]);
    squares += shared[k] * shared[k];
  }
  return out;
}

/// x (x^T x)^(-1/2), scaled to length 1.
void make_tight(Matrix& x, const Run& run) {
  const Index dims = x.cols();
  const std::vector<double> mean = column_means(Rows(x), run.quiet());
  for (Index i = 0; i < x.rows(); ++i)
    for (Index c = 0; c < dims; ++c) x[i][c] -= static_cast<float>(mean[c]);
  const EigenPairs pairs = symmetric_eigen(gram(Rows(x), {}, run.quiet()), dims);
  Matrix root(dims, dims);
  for (Index a = 0; a < dims; ++a)
    for (Index b = 0; b < dims; ++b) {
      double sum = 0;
      for (Index k = 0; k < dims; ++k)
        if (pairs.values[k] > 1e-9 * pairs.values[0])
          sum += pairs.vectors[k * dims + a] * pairs.vectors[k * dims + b] / std::sqrt(pairs.values[k]);
      root[a][b] = static_cast<float>(sum);
    }
  const Packed packed = Packed::rows(root);  // symmetric
  Matrix to(x.rows(), dims);
  for_chunks(run.quiet(), x.rows(), kGrain, [&](Index, Index first, Index last) {
    multiply(x.view().slice(first, last - first), packed, {}, Activation::none,
             to.span().slice(first, last - first));
  });
  unit_rows(to.span());
  x = std::move(to);
}

}  // namespace

Matrix start_words(const Texts& words, Index dims, WordStart start, Seed seed, const Run& run) {
  require(dims >= 1, Fault::argument, option_name("dims") + " is 0; allowed: 1 or more");
  const Index n = words.size();
  const bool room = dims + 1 >= n;
  require(start != WordStart::simplex || room, Fault::argument,
          option_name("start") + " is simplex, which needs " + std::to_string(n == 0 ? 0 : n - 1) +
              " dimensions for " + std::to_string(n) + " words; " + option_name("dims") + " is " +
              std::to_string(dims));
  if (start == WordStart::simplex || (start == WordStart::spread && room)) return simplex(n, dims);
  Matrix out = random_directions(words, dims, seed, run);
  if (start == WordStart::random || n <= 2) return out;
  constexpr int kTurns = 4;
  for (int turn = 0; turn < kTurns; ++turn) {
    check_stop(run);
    make_tight(out, run);
  }
  return out;
}

}  // namespace shoal
