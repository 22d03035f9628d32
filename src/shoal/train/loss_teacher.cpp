#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {
namespace {

constexpr Index kRows = 32;  // of a chunk

double sum_of(const std::vector<double>& parts) { return std::accumulate(parts.begin(), parts.end(), 0.0); }

/// Mean squared difference from the teacher's vectors: one for all columns, or one for each.
double vectors(const LossTask& task) {
  const Index columns = task.batch.columns.size(), dims = task.dims();
  const bool each = columns > 1 && task.batch.targets.cols == columns * dims;
  const double share = 1 / static_cast<double>(columns * task.rows() * dims);
  std::vector<double> losses(task.rows());
  for_chunks(task.run.quiet(), task.rows(), kRows, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      for (Index c = 0; c < columns; ++c)
        for (Index j = 0; j < dims; ++j) {
          const double error = static_cast<double>(task.batch.columns[c][i][j]) -
                               static_cast<double>(task.batch.targets[i][(each ? c * dims : 0) + j]);
          losses[i] += error * error;
          task.slopes[c][i][j] = static_cast<float>(2 * share * error);
        }
  });
  return share * sum_of(losses);
}

/// Of scores (the anchor's products with each other column): their loss, and its slopes by them.
using OfScores = double (*)(const LossTask& task, Index row, std::span<const double> scores,
                            std::span<double> slopes);

double margins(const LossTask& task, Index row, std::span<const double> scores, std::span<double> slopes) {
  const Index negatives = scores.size() - 1;
  const auto wanted = task.batch.targets[row];
  double sum = 0;
  for (Index k = 1; k <= negatives; ++k) {
    const double teacher = wanted.size() == negatives
                               ? static_cast<double>(wanted[k - 1])
                               : static_cast<double>(wanted[0]) - static_cast<double>(wanted[k]);
    const double error = scores[0] - scores[k] - teacher;
    sum += error * error / static_cast<double>(negatives);
    slopes[0] += 2 * error / static_cast<double>(negatives);
    slopes[k] -= 2 * error / static_cast<double>(negatives);
  }
  return sum;
}

/// softmax(x / temperature) and its logarithm.
void shares_of(std::vector<double>& x, double temperature, std::vector<double>& logarithms) {
  double sum = 0;
  const double most = std::ranges::max(x);
  for (double& v : x) sum += std::exp((v - most) / temperature);
  logarithms.resize(x.size());
  for (Index k = 0; k < x.size(); ++k) {
    logarithms[k] = (x[k] - most) / temperature - std::log(sum);
    x[k] = std::exp(logarithms[k]);
  }
}

double divergence(const LossTask& task, Index row, std::span<const double> scores, std::span<double> slopes) {
  const double t = task.options.temperature;
  std::vector<double> student(scores.begin(), scores.end()), teacher(scores.size()), log_student, log_teacher;
  std::ranges::copy(task.batch.targets[row], teacher.begin());
  shares_of(student, t, log_student);
  shares_of(teacher, t, log_teacher);
  double sum = 0;
  for (Index k = 0; k < scores.size(); ++k) {
    if (teacher[k] > 0) sum += teacher[k] * (log_teacher[k] - log_student[k]);
    slopes[k] = t * (student[k] - teacher[k]);
  }
  return t * t * sum;
}

double scores(const LossTask& task, OfScores of) {
  const std::vector<MatrixView>& x = task.batch.columns;
  const Index others = x.size() - 1;
  const double n = static_cast<double>(task.rows());
  std::vector<double> losses(task.rows());
  for_chunks(task.run.quiet(), task.rows(), kRows, [&](Index, Index first, Index last) {
    std::vector<double> found(others), by(others), anchor(task.dims());
    for (Index i = first; i < last; ++i) {
      for (Index c = 0; c < others; ++c) found[c] = product_of(x[0][i], x[c + 1][i]);
      std::ranges::fill(by, 0);
      std::ranges::fill(anchor, 0);
      losses[i] = of(task, i, found, by);
      for (Index c = 0; c < others; ++c)
        for (Index j = 0; j < task.dims(); ++j) {
          anchor[j] += by[c] / n * static_cast<double>(x[c + 1][i][j]);
          task.slopes[c + 1][i][j] = static_cast<float>(by[c] / n * static_cast<double>(x[0][i][j]));
        }
      for (Index j = 0; j < task.dims(); ++j) task.slopes[0][i][j] = static_cast<float>(anchor[j]);
    }
  });
  return sum_of(losses) / n;
}

}  // namespace

double loss_of_teacher(const LossTask& task) {
  if (task.options.kind == LossKind::mse) return vectors(task);
  return scores(task, task.options.kind == LossKind::margin_mse ? margins : divergence);
}

}  // namespace shoal
