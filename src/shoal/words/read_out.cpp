#include "shoal/words/read_out.h"

#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

/// Of each word the weighted sum of its contexts' rows, as a unit vector.
Matrix context_sums(const Matrix& vectors, const WordContexts& contexts, const Run& run) {
  std::vector<std::vector<std::uint32_t>> targets(contexts.words);
  for (Index t = 0; t < contexts.size(); ++t)
    targets[contexts.target[t]].push_back(static_cast<std::uint32_t>(t));
  Matrix out(vectors.rows(), vectors.cols());
  for_chunks(run.quiet(), contexts.words, 64, [&](Index, Index first, Index last) {
    for (Index w = first; w < last; ++w)
      for (const Index t : targets[w]) {
        const auto words = contexts.words_of(t);
        const auto weights = contexts.weights_of(t);
        for (Index j = 0; j < words.size(); ++j)
          kernels().axpy(weights[j], vectors[words[j]].data(), out[w].data(), out.cols());
      }
  });
  unit_rows(out.span());
  return out;
}

void add(Matrix& to, const Matrix& from) {
  kernels().axpy(1.0f, from.data(), to.data(), from.rows() * from.cols());
}

}  // namespace

Matrix read_out(const Matrix& vectors, const WordContexts& contexts, WordReadOut which, const Run& run) {
  require(vectors.rows() == contexts.words, Fault::argument,
          "vectors and contexts are of different vocabularies");
  if (which == WordReadOut::own) return vectors;
  Matrix out = context_sums(vectors, contexts, run);
  if (which == WordReadOut::contexts) return out;
  if (which == WordReadOut::second_order) add(out, context_sums(out, contexts, run));
  add(out, vectors);
  unit_rows(out.span());
  return out;
}

Matrix beside(const Matrix& a, const Matrix& b, double share) {
  require(a.rows() == b.rows(), Fault::argument, "spaces of different vocabularies");
  Matrix out(a.rows(), a.cols() + b.cols());
  for (Index i = 0; i < a.rows(); ++i) {
    kernels().scaled(std::sqrt(share), a[i].data(), out[i].data(), a.cols());
    kernels().scaled(std::sqrt(1 - share), b[i].data(), out[i].data() + a.cols(), b.cols());
  }
  unit_rows(out.span());
  return out;
}

}  // namespace shoal
