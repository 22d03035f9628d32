#include "shoal/measure/similarity.h"

#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr Index kGrain = 512;

double similarity(std::span<const float> a, std::span<const float> b, Similarity by) {
  double dot = 0, aa = 0, bb = 0, distance = 0;
  for (Index j = 0; j < a.size(); ++j) {
    const auto x = static_cast<double>(a[j]), y = static_cast<double>(b[j]);
    switch (by) {
      case Similarity::cosine:
        dot += x * y, aa += x * x, bb += y * y;
        break;
      case Similarity::dot:
        dot += x * y;
        break;
      case Similarity::manhattan:
        distance += std::abs(x - y);
        break;
      case Similarity::euclidean:
        distance += (x - y) * (x - y);
        break;
    }
  }
  switch (by) {
    case Similarity::cosine:
      return aa > 0 && bb > 0 ? dot / (std::sqrt(aa) * std::sqrt(bb)) : 0;
    case Similarity::dot:
      return dot;
    case Similarity::manhattan:
      return -distance;
    case Similarity::euclidean:
      break;
  }
  return -std::sqrt(distance);
}

}  // namespace

std::vector<double> pair_similarities(MatrixView a, MatrixView b, Similarity by, const Run& run) {
  require(a.rows == b.rows && a.cols == b.cols, Fault::argument,
          "pair_similarities: " + std::to_string(a.rows) + " x " + std::to_string(a.cols) + " and " +
              std::to_string(b.rows) + " x " + std::to_string(b.cols) + " vectors");
  std::vector<double> out(a.rows);
  for_chunks(run, a.rows, kGrain, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      out[i] = static_cast<double>(static_cast<float>(similarity(a[i], b[i], by)));
  });
  return out;
}

}  // namespace shoal
