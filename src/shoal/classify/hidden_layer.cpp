#include "shoal/classify/hidden_layer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;
constexpr const char *kWeight = "hidden_weight", *kBias = "hidden_bias";

}  // namespace

Rows HiddenLayer::apply(const Rows& x, const Run& run) const {
  if (empty()) return x;
  Matrix out(x.rows(), weight.rows());
  const Packed packed = Packed::rows(weight.view());
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    multiply(x.block(first, last - first, scratch), packed, bias, Activation::relu,
             out.span().slice(first, last - first));
  });
  return Rows(std::move(out));
}

void HiddenLayer::save(ArchiveWriter& out) const {
  if (empty()) return;
  out.add(kWeight, weight);
  out.add(kBias, std::span<const float>(bias));
}

HiddenLayer HiddenLayer::load(const ArchiveReader& in) {
  HiddenLayer out;
  if (!in.has(kWeight)) return out;
  out.weight = in.matrix(kWeight);
  out.bias = in.floats(kBias, out.weight.rows());
  return out;
}

}  // namespace shoal
