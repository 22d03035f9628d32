#include "shoal/classify/perceptron.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/classify/split.h"
#include "shoal/learn/learn.h"
#include "shoal/learn/mlp.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kPatience = 5, kParts = 10;
constexpr Index kStepsAnEpoch = 100, kLeastBatch = 16,
                kMostBatch = 256;  // about; few rows take small batches

/// The loss of rows of the fit, by their numbers.
class RowLoss {
 public:
  RowLoss(const LabelSets& sets, HeadTask task, bool balanced, std::span<const double> label_weights)
      : sizes_(label_sizes(sets)) {
    const auto rows = static_cast<double>(sets.of.size());
    const auto own = [&](Index c) { return label_weights.empty() ? 1.0 : label_weights[c]; };
    if (task == HeadTask::multiclass) {
      labels_ = single_labels(sets);
      weight_ = class_weights(labels_, balanced);
      for (Index c = 0; c < sets.count; ++c) weight_[c] *= own(c);
      loss_ = softmax_loss(labels_.of, weight_);
      return;
    }
    for (Index c = 0; c < sets.count; ++c) {
      const auto with = static_cast<double>(sizes_[c]), without = rows - with;
      SidesWeight sides;
      if (balanced && with > 0 && without > 0) sides = {rows / (2 * with), rows / (2 * without)};
      sides.with *= own(c);
      sides_.push_back(sides);
    }
    for (const auto& set : sets.of) sets_.emplace_back(set.begin(), set.end());
    loss_ = sigmoid_loss(sets_, sides_);
  }
  RowLoss(const RowLoss&) = delete;
  RowLoss& operator=(const RowLoss&) = delete;

  /// Sum over rows; in: their logits, out: the derivatives.
  double operator()(std::span<const Index> rows, MatrixSpan logits) const {
    double sum = 0;
    for (Index r = 0; r < rows.size(); ++r) sum += loss_(rows[r], logits.slice(r, 1));
    return sum;
  }

 private:
  std::vector<Index> sizes_;
  Labels labels_;
  std::vector<double> weight_;
  std::vector<std::vector<Index>> sets_;
  std::vector<SidesWeight> sides_;
  BlockLoss loss_;
};

/// Rows that choose the epoch, and the others: a tenth of each label, of several labels the rarest of a row.
std::pair<std::vector<Index>, std::vector<Index>> early_rows(const LabelSets& sets, Seed seed) {
  std::pair<std::vector<Index>, std::vector<Index>> out;
  const Index rows = sets.of.size();
  std::vector<std::uint32_t> part(rows, 1);
  if (rows >= kParts * kEarlyRows) part = stratified_folds(rarest_labels(sets), kParts, seed);
  for (Index i = 0; i < rows; ++i) (part[i] == 0 ? out.first : out.second).push_back(i);
  return out;
}

Matrix gathered(const Matrix& x, std::span<const Index> rows) {
  Matrix out(rows.size(), x.cols());
  for (Index r = 0; r < rows.size(); ++r) std::ranges::copy(x[rows[r]], out[r].begin());
  return out;
}

}  // namespace

PerceptronRule fit_perceptron(const Rows& x, const LabelSets& sets, HeadTask task,
                              const PerceptronOptions& options, bool balanced,
                              std::span<const double> label_weights, Seed seed, const Run& run) {
  const Index d = x.cols();
  Matrix rows = x.to_matrix();
  const std::vector<double> mean = column_means(x, run);
  double square = 0;
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index j = 0; j < d; ++j) {
      const double off = static_cast<double>(rows[i][j]) - mean[j];
      square += off * off;
      rows[i][j] = static_cast<float>(off);
    }
  const double spread = std::sqrt(square / static_cast<double>(rows.rows() * d));
  const double scale = spread > 0 ? 1 / spread : 1;
  for (Index i = 0; i < rows.rows() * d; ++i) rows.data()[i] *= static_cast<float>(scale);

  const RowLoss loss(sets, task, balanced, label_weights);
  const auto [early, own] = early_rows(sets, seed.child(0));
  Parameters parameters;
  const Mlp mlp({d, options.hidden, sets.count}, parameters, seed.child(1));
  Lesson lesson;
  lesson.rows = own.size();
  lesson.batch = [&](const Batch& batch, Parameters& to) {
    std::vector<Index> chosen;
    for (const Index i : batch.rows) chosen.push_back(own[i]);
    const Matrix some = gathered(rows, chosen);
    const auto n = static_cast<double>(chosen.size());
    const Mlp::Loss of_part = [&](Index first, MatrixSpan outputs) {
      const double sum = loss(std::span<const Index>(chosen).subspan(first, outputs.rows), outputs);
      for (Index r = 0; r < outputs.rows; ++r)
        for (float& v : outputs[r]) v /= static_cast<float>(n);
      return sum / n;
    };
    return mlp.backward(some.view(), to, of_part, {options.dropout, seed.child(2).child(batch.number)}, run);
  };
  const Matrix judged = gathered(rows, early);
  if (!early.empty())
    lesson.score = [&](const Parameters& now) {
      Matrix logits = mlp.forward(judged.view(), now, run);
      return -loss(early, logits.span()) / static_cast<double>(early.size());
    };
  LearnOptions how;
  how.n_epochs = options.n_epochs,
  how.batch_size = std::clamp(own.size() / kStepsAnEpoch, kLeastBatch, kMostBatch), how.patience = kPatience;
  how.optimiser.learning_rate = options.learning_rate;
  how.optimiser.weight_decay = options.weight_decay;
  const Learnt learnt = learn(parameters, lesson, how, seed.child(3), run);

  PerceptronRule out;
  out.hidden.weight = parameters[0].value;
  out.hidden.bias.assign(parameters[1].value[0].begin(), parameters[1].value[0].end());
  // max(0, W s (x - m) + b) = max(0, (s W) x + b - s W m).
  for (Index h = 0; h < options.hidden; ++h) {
    double shift = 0;
    for (Index j = 0; j < d; ++j) {
      const double w = scale * static_cast<double>(out.hidden.weight[h][j]);
      shift += w * mean[j];
      out.hidden.weight[h][j] = static_cast<float>(w);
    }
    out.hidden.bias[h] -= static_cast<float>(shift);
  }
  out.last.coefficients = parameters[2].value;
  out.last.intercepts.assign(parameters[3].value[0].begin(), parameters[3].value[0].end());
  out.last.n_iter = learnt.best ? *learnt.best + 1 : learnt.losses.size();
  out.last.loss = learnt.losses[out.last.n_iter - 1];
  const std::vector<Index> sizes = label_sizes(sets);
  for (Index c = 0; c < sets.count; ++c) {
    const bool never = sizes[c] == 0, always = task == HeadTask::multilabel && sizes[c] == x.rows();
    if (!never && !always) continue;
    std::ranges::fill(out.last.coefficients[c], 0.0f);
    out.last.intercepts[c] = never ? -std::numeric_limits<float>::infinity() : kAlways;
  }
  return out;
}

}  // namespace shoal
