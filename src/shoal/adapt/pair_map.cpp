#include "shoal/adapt/pair_map.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/learn/learn.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"

namespace shoal {
namespace {

constexpr float kLeastLength = 1e-6f;

/// The loss of pairs and its derivatives. `mapped`: the a's, then the b's; replaced by the derivatives.
class PairSlopes {
 public:
  PairSlopes(PairLoss loss, Index count) : loss_(loss), scale_(1 / static_cast<float>(count)) {}

  double of(std::span<float> p, std::span<float> q, bool accepted) const {
    return loss_ == PairLoss::cosine ? cosine(p, q, accepted) : contrastive(p, q, accepted);
  }

 private:
  double cosine(std::span<float> p, std::span<float> q, bool accepted) const {
    const Kernels& k = kernels();
    const Index d = p.size();
    const float np = std::max(kLeastLength, std::sqrt(k.dot(p.data(), p.data(), d)));
    const float nq = std::max(kLeastLength, std::sqrt(k.dot(q.data(), q.data(), d)));
    const float c = k.dot(p.data(), q.data(), d) / (np * nq);
    const float off = c - (accepted ? 1.0f : 0.0f), r = 2 * off * scale_;
    for (Index j = 0; j < d; ++j) {
      const float x = p[j] / np, y = q[j] / nq;
      p[j] = r * (y - c * x) / np;
      q[j] = r * (x - c * y) / nq;
    }
    return static_cast<double>(off) * off * scale_;
  }

  double contrastive(std::span<float> p, std::span<float> q, bool accepted) const {
    const Index d = p.size();
    const float distance =
        std::max(kLeastLength, std::sqrt(kernels().squared_distance(p.data(), q.data(), d)));
    const float room = 1 - distance;
    const float r = accepted ? 2 * scale_ : room > 0 ? -2 * room / distance * scale_ : 0.0f;
    for (Index j = 0; j < d; ++j) {
      const float slope = r * (p[j] - q[j]);
      p[j] = slope;
      q[j] = -slope;
    }
    const double part = accepted ? distance : std::max(0.0f, room);
    return part * part * scale_;
  }

  PairLoss loss_;
  float scale_;
};

}  // namespace

Matrix learn_pair_map(MatrixView texts, const std::vector<JudgedPair>& pairs, PairLoss loss, Seed seed,
                      const Run& run) {
  const auto accepted = std::ranges::count_if(pairs, &JudgedPair::accepted);
  require(accepted > 0 && static_cast<Index>(accepted) < pairs.size(), Fault::data,
          "a map of pairs needs accepted and rejected ones");
  const Index d = texts.cols;
  Parameters parameters;
  parameters.add("map", Matrix(d, d));
  Lesson lesson;
  lesson.rows = pairs.size();
  lesson.batch = [&](const Batch& batch, Parameters& of) {
    const std::vector<Index>& rows = batch.rows;
    const Index n = rows.size();
    Matrix x(2 * n, d), mapped(2 * n, d);
    for (Index i = 0; i < n; ++i) {
      std::ranges::copy(texts[pairs[rows[i]].a], x[i].begin());
      std::ranges::copy(texts[pairs[rows[i]].b], x[n + i].begin());
    }
    multiply(x.view(), Packed::rows(of[0].value), {}, Activation::none, mapped.span());
    for (Index i = 0; i < 2 * n * d; ++i) mapped.data()[i] += x.data()[i];
    const PairSlopes slopes(loss, n);
    double total = 0;
    for (Index i = 0; i < n; ++i) total += slopes.of(mapped[i], mapped[n + i], pairs[rows[i]].accepted);
    multiply_transposed(mapped.view(), x.view(), of[0].gradient.span());
    return total;
  };
  LearnOptions options;
  options.n_epochs = pairs.size() < 1000 ? 30 : 15;
  options.batch_size = 64;
  options.optimiser.learning_rate = 5e-4;
  options.optimiser.weight_decay = 1e-3;
  options.schedule = Schedule::constant;
  learn(parameters, lesson, options, seed, run);
  return std::move(parameters[0].value);
}

LowRank low_rank(const Matrix& w, Index rank) {
  const Index d = w.cols(), n = w.rows();
  rank = std::min({rank, d, n});
  const auto pairs = symmetric_eigen(gram(Rows(w), {}, {}), d);
  LowRank out{Matrix(n, rank), Matrix(rank, d)};
  for (Index r = 0; r < rank; ++r)
    for (Index j = 0; j < d; ++j) out.right[r][j] = static_cast<float>(pairs.vectors[r * d + j]);
  multiply(w.view(), Packed::rows(out.right), {}, Activation::none, out.left.span());
  return out;
}

Matrix label_map(MatrixView x, const Labels& labels, double lambda) {
  check_labels(labels, x.rows);
  const Index d = x.cols, classes = labels.count;
  std::vector<Index> used;
  std::vector<double> share(classes);
  for (Index i = 0; i < x.rows; ++i) {
    if (labels.of[i] == kNoise) continue;
    used.push_back(i);
    share[static_cast<Index>(labels.of[i])] += 1;
  }
  require(!used.empty(), Fault::data, "a map of labels needs labelled rows");
  Matrix rows(used.size(), d);
  for (Index i = 0; i < used.size(); ++i) std::ranges::copy(x[used[i]], rows[i].begin());
  auto left = gram(Rows(rows), {}, {});
  for (Index j = 0; j < d; ++j) left[j * d + j] += lambda;
  const Cholesky factor(std::move(left), d, lambda);
  // X' Y: sums of the classes, minus the class's share of the sum of all.
  std::vector<double> sums(classes * d), all(d);
  for (Index i = 0; i < used.size(); ++i)
    for (Index j = 0; j < d; ++j) {
      sums[static_cast<Index>(labels.of[used[i]]) * d + j] += rows[i][j];
      all[j] += rows[i][j];
    }
  Matrix out(classes, d);
  std::vector<double> right(d);
  for (Index c = 0; c < classes; ++c) {
    const double part = share[c] / static_cast<double>(used.size());
    for (Index j = 0; j < d; ++j) right[j] = sums[c * d + j] - part * all[j];
    factor.solve_lower(right);
    factor.solve_transposed(right);
    for (Index j = 0; j < d; ++j) out[c][j] = static_cast<float>(right[j]);
  }
  return out;
}

}  // namespace shoal
