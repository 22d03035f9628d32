#include "shoal/encode/after_pooling.h"

#include <algorithm>
#include <cmath>

#include "shoal/encode/weights.h"
#include "shoal/kernels/kernels.h"

namespace shoal {

void normalise(std::span<float> row) {
  const float length = std::sqrt(kernels().dot(row.data(), row.data(), row.size()));
  const float by = std::max(length, 1e-12f);
  for (float& x : row) x /= by;
}

AfterPooling AfterPooling::load(const std::vector<HeadStep>& steps) {
  AfterPooling out;
  for (const HeadStep& what : steps) {
    Step step{.what = what};
    if (what.kind != StepKind::normalize) {
      const Weights weights(what.folder);
      out.files_.insert(out.files_.end(), weights.files().begin(), weights.files().end());
      if (what.kind == StepKind::layer_norm) {
        step.scale = weights.vector("norm.weight", what.inputs);
        step.shift = weights.vector("norm.bias", what.inputs);
      } else {
        step.weight = Packed::rows(weights.matrix(what.tensor + ".weight", what.outputs, what.inputs));
        if (what.bias) step.shift = weights.vector(what.tensor + ".bias", what.outputs);
        if (what.residual && what.inputs != what.outputs)
          step.residual = Packed::rows(weights.matrix("residual.weight", what.outputs, what.inputs));
      }
    }
    out.steps_.push_back(std::move(step));
  }
  return out;
}

Matrix AfterPooling::dense(const Step& step, const Matrix& x) {
  Matrix out(x.rows(), step.what.outputs);
  multiply(x.view(), step.weight, step.shift, step.what.activation, out.span());
  if (!step.what.residual) return out;
  const Index count = out.rows() * out.cols();
  if (step.what.inputs == step.what.outputs) {
    kernels().axpy(1.0f, x.data(), out.data(), count);
  } else {
    Matrix beside(out.rows(), out.cols());
    multiply(x.view(), step.residual, {}, Activation::none, beside.span());
    kernels().axpy(1.0f, beside.data(), out.data(), count);
  }
  return out;
}

Matrix AfterPooling::apply(Matrix x) const {
  constexpr float kEpsilon = 1e-5f;  // torch's default, which sentence-transformers' LayerNorm keeps
  for (const Step& step : steps_) {
    if (step.what.kind == StepKind::dense) {
      x = dense(step, x);
    } else if (step.what.kind == StepKind::normalize) {
      for (Index i = 0; i < x.rows(); ++i) normalise(x[i]);
    } else {
      Matrix out(x.rows(), x.cols());
      for (Index i = 0; i < x.rows(); ++i)
        kernels().layer_norm(x[i].data(), step.scale.data(), step.shift.data(), kEpsilon, x.cols(),
                             out[i].data());
      x = std::move(out);
    }
  }
  return x;
}

}  // namespace shoal
