#include "shoal/learn/mlp.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

/// Gradients of one part of a batch, as the parameters lie.
struct Part {
  double loss = 0;
  std::vector<Matrix> gradients;
};

}  // namespace

Mlp::Mlp(std::vector<Index> sizes, Parameters& parameters, Seed seed, std::string prefix)
    : sizes_(std::move(sizes)), first_(parameters.size()) {
  require(sizes_.size() >= 2 && std::ranges::find(sizes_, Index{0}) == sizes_.end(), Fault::argument,
          "a perceptron has inputs and outputs, and no layer of 0");
  for (Index l = 0; l + 1 < sizes_.size(); ++l) {
    const Index in = sizes_[l], out = sizes_[l + 1];
    const bool last = l + 2 == sizes_.size();
    const double range =
        last ? 1 / std::sqrt(static_cast<double>(in)) : std::sqrt(6 / static_cast<double>(in));
    const Random random(seed.child(l));
    Matrix weight(out, in);
    for (Index i = 0; i < out * in; ++i)
      weight.data()[i] = static_cast<float>(range * (2 * random.uniform(i) - 1));
    const std::string name = prefix + "layer" + std::to_string(l);
    parameters.add(name + ".weight", std::move(weight));
    parameters.add(name + ".bias", Matrix(1, out), false);
  }
}

Matrix Mlp::forward(MatrixView x, const Parameters& parameters, const Run& run) const {
  require(x.cols == sizes_.front(), Fault::argument,
          "rows of " + std::to_string(x.cols) + " numbers; the perceptron takes " +
              std::to_string(sizes_.front()));
  constexpr Index kGrain = 256;
  const Index layers = sizes_.size() - 1;
  std::vector<Packed> packed;
  for (Index l = 0; l < layers; ++l) packed.push_back(Packed::rows(parameters[first_ + 2 * l].value));
  Matrix out(x.rows, sizes_.back());
  for_chunks(run, x.rows, kGrain, [&](Index, Index first, Index last) {
    Matrix from;
    for (Index l = 0; l < layers; ++l) {
      const bool final_layer = l + 1 == layers;
      Matrix to(last - first, sizes_[l + 1]);
      multiply(l == 0 ? x.slice(first, last - first) : from.view(), packed[l],
               parameters[first_ + 2 * l + 1].value[0], final_layer ? Activation::none : Activation::relu,
               to.span());
      from = std::move(to);
    }
    std::copy_n(from.data(), from.rows() * from.cols(), out[first].data());
  });
  return out;
}

double Mlp::backward(MatrixView x, Parameters& parameters, const Loss& loss, const Dropout& dropout,
                     const Run& run) const {
  const Index layers = sizes_.size() - 1;
  const auto weight = [&](Index l) -> const Matrix& { return parameters[first_ + 2 * l].value; };
  std::vector<Packed> forward, back;
  for (Index l = 0; l < layers; ++l) {
    forward.push_back(Packed::rows(weight(l)));
    back.push_back(l == 0 ? Packed() : Packed::columns(weight(l).view()));
  }
  const auto kept = static_cast<float>(dropout.share < 1 ? 1 / (1 - dropout.share) : 0);

  const auto work = [&](Index first, Index last) {
    const Index n = last - first;
    std::vector<Matrix> after;  // of each layer, after max(0, x) and dropout
    for (Index l = 0; l < layers; ++l) {
      const bool final_layer = l + 1 == layers;
      Matrix to(n, sizes_[l + 1]);
      multiply(l == 0 ? x.slice(first, n) : after.back().view(), forward[l],
               parameters[first_ + 2 * l + 1].value[0], final_layer ? Activation::none : Activation::relu,
               to.span());
      if (!final_layer && dropout.share > 0) {
        const Random random(dropout.seed.child(l));
        for (Index i = 0; i < n * to.cols(); ++i)
          to.data()[i] *= random.uniform(first * to.cols() + i) < dropout.share ? 0 : kept;
      }
      after.push_back(std::move(to));
    }
    Part part;
    part.gradients.resize(2 * layers);
    part.loss = loss(first, after.back().span());
    Matrix slope = std::move(after.back());
    for (Index l = layers; l-- > 0;) {
      const MatrixView in = l == 0 ? x.slice(first, n) : after[l - 1].view();
      Matrix by_weight(sizes_[l + 1], sizes_[l]), by_bias(1, sizes_[l + 1]);
      multiply_transposed(slope.view(), in, by_weight.span());
      for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < sizes_[l + 1]; ++j) by_bias[0][j] += slope[i][j];
      part.gradients[2 * l] = std::move(by_weight);
      part.gradients[2 * l + 1] = std::move(by_bias);
      if (l == 0) break;
      Matrix before(n, sizes_[l]);
      multiply(slope.view(), back[l], {}, Activation::none, before.span());
      // What max(0, x) or dropout has set to 0 has no slope; what dropout kept was made larger.
      const float scale = dropout.share > 0 ? kept : 1;
      for (Index i = 0; i < n * sizes_[l]; ++i)
        before.data()[i] = after[l - 1].data()[i] > 0 ? before.data()[i] * scale : 0;
      slope = std::move(before);
    }
    return part;
  };
  const Part all = fold_chunks(run, x.rows, kPart, Part(), work, [](Part& total, Part&& part) {
    if (total.gradients.empty()) {
      total = std::move(part);
      return;
    }
    total.loss += part.loss;
    for (Index g = 0; g < part.gradients.size(); ++g)
      for (Index i = 0; i < part.gradients[g].rows() * part.gradients[g].cols(); ++i)
        total.gradients[g].data()[i] += part.gradients[g].data()[i];
  });
  for (Index g = 0; g < all.gradients.size(); ++g) {
    Matrix& to = parameters[first_ + g].gradient;
    for (Index i = 0; i < to.rows() * to.cols(); ++i) to.data()[i] += all.gradients[g].data()[i];
  }
  return all.loss;
}

}  // namespace shoal
