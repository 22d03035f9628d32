#include "shoal/classify/linear_rule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/near/centroids_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;
constexpr float kNever = -std::numeric_limits<float>::infinity();

/// The outputs at these places of a rule.
LinearRule part_of(const LinearRule& rule, const std::vector<Index>& places) {
  LinearRule out{.coefficients = Matrix(places.size(), rule.coefficients.cols()), .intercepts = {}};
  for (Index c = 0; c < places.size(); ++c) {
    std::ranges::copy(rule.coefficients[places[c]], out.coefficients[c].begin());
    out.intercepts.push_back(rule.intercepts[places[c]]);
  }
  return out;
}

LinearRule search(const Rows& x, LogisticTask task, const LogisticOptions& options, const LinearRule& start,
                  const Run& run) {
  LogisticSearch found(x, std::move(task), run);
  std::vector<double> at = found.coordinates(start.coefficients, start.intercepts);
  const Minimum minimum =
      minimise(at, std::ref(found), {.tol = options.tol, .max_evaluations = options.max_iter});
  found.place(at);
  return {.coefficients = found.coefficients(),
          .intercepts = found.intercepts(),
          .loss = minimum.value,
          .n_iter = minimum.evaluations,
          .converged = minimum.converged};
}

/// The outputs of `found` at their places among all `count`; the others are never.
LinearRule spread(LinearRule found, const std::vector<Index>& places, Index count) {
  LinearRule out{.coefficients = Matrix(count, found.coefficients.cols()),
                 .intercepts = std::vector<float>(count, kNever),
                 .loss = found.loss,
                 .n_iter = found.n_iter,
                 .converged = found.converged};
  for (Index c = 0; c < places.size(); ++c) {
    std::ranges::copy(found.coefficients[c], out.coefficients[places[c]].begin());
    out.intercepts[places[c]] = found.intercepts[c];
  }
  return out;
}

/// Mean rows of each label: outputs x d.
Matrix means_of(const Rows& x, const std::vector<std::vector<Index>>& sets, Index outputs) {
  std::vector<double> sums(outputs * x.cols());
  std::vector<double> rows(outputs);
  Matrix scratch;
  for (Index first = 0; first < x.rows(); first += kGrain) {
    const MatrixView block = x.block(first, std::min(kGrain, x.rows() - first), scratch);
    for (Index r = 0; r < block.rows; ++r)
      for (const Index label : sets[first + r]) {
        rows[label] += 1;
        for (Index j = 0; j < x.cols(); ++j) sums[label * x.cols() + j] += static_cast<double>(block[r][j]);
      }
  }
  Matrix out(outputs, x.cols());
  for (Index c = 0; c < outputs; ++c)
    for (Index j = 0; j < x.cols(); ++j) out[c][j] = static_cast<float>(sums[c * x.cols() + j] / rows[c]);
  return out;
}

}  // namespace

Matrix logits_of(const LinearRule& rule, const Rows& x, const Run& run) {
  Matrix out(x.rows(), rule.labels());
  const Packed packed = Packed::rows(rule.coefficients.view());
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    multiply(x.block(first, last - first, scratch), packed, rule.intercepts, Activation::none,
             out.span().slice(first, last - first));
  });
  return out;
}

LinearRule fit_softmax(const Rows& x, const Labels& labels, const LogisticOptions& options,
                       std::span<const double> label_weights, const LinearRule* start, const Run& run) {
  const CompactLabels classes = compact_labels(labels);
  if (classes.original.size() < 2)
    throw Error(Fault::data, "a classifier needs at least 2 classes with rows; the labels name " +
                                 std::to_string(classes.original.size()));
  std::vector<Index> places(classes.original.begin(), classes.original.end());
  std::vector<double> weight = class_weights(classes.labels, options.balanced);
  if (!label_weights.empty())
    for (Index c = 0; c < places.size(); ++c) weight[c] *= label_weights[places[c]];
  LinearRule from{.coefficients = Matrix(places.size(), x.cols()),
                  .intercepts = std::vector<float>(places.size())};
  if (start) from = part_of(*start, places);
  return spread(search(x, softmax_task(x, classes.labels, weight, options, run), options, from, run), places,
                labels.count);
}

LinearRule fit_one_vs_rest(const Rows& x, const LabelSets& sets, const LogisticOptions& options,
                           std::span<const double> label_weights, const LinearRule* start, const Run& run) {
  const std::vector<Index> sizes = label_sizes(sets);
  const auto rows = static_cast<double>(x.rows());
  std::vector<Index> places, position(sets.count);
  std::vector<SidesWeight> weight;
  LogisticTask task;
  LinearRule from;
  for (Index c = 0; c < sets.count; ++c) {
    if (sizes[c] == 0 || sizes[c] == x.rows()) continue;
    position[c] = places.size();
    places.push_back(c);
    const auto with = static_cast<double>(sizes[c]), without = rows - with;
    SidesWeight sides =
        options.balanced ? SidesWeight{rows / (2 * with), rows / (2 * without)} : SidesWeight{};
    if (!label_weights.empty()) sides.with *= label_weights[c];
    weight.push_back(sides);
    const double heavy = sides.with * with, share = heavy / (heavy + sides.without * without);
    task.curvature.push_back(share * (1 - share));
    from.intercepts.push_back(static_cast<float>(std::log(share / (1 - share))));
  }
  std::vector<std::vector<Index>> own(x.rows());
  for (Index i = 0; i < x.rows(); ++i)
    for (const Label label : sets.of[i]) {
      const auto c = static_cast<Index>(label);
      if (sizes[c] < x.rows()) own[i].push_back(position[c]);
    }
  task.loss = sigmoid_loss(own, weight);
  task.means = means_of(x, own, places.size());
  task.total_weight = rows;
  task.penalty = 1 / (options.c * rows);
  task.max_iter = options.max_iter;
  from.coefficients = Matrix(places.size(), x.cols());
  if (start) from = part_of(*start, places);
  LinearRule out = places.empty()
                       ? spread({.coefficients = Matrix(0, x.cols()), .intercepts = {}}, places, sets.count)
                       : spread(search(x, std::move(task), options, from, run), places, sets.count);
  for (Index c = 0; c < sets.count; ++c)
    if (sizes[c] == x.rows()) out.intercepts[c] = kAlways;
  return out;
}

LinearRule fit_added(const LinearRule& old, const Rows& x, const Labels& labels,
                     const LogisticOptions& options, const Run& run) {
  const Index before = old.labels(), added = labels.count - before;
  const std::vector<Index> sizes = label_sizes(labels);
  for (Index c = before; c < labels.count; ++c)
    require(sizes[c] > 0, Fault::data, "label " + std::to_string(c) + " is new and has no rows");
  const Matrix logits = logits_of(old, x, run);
  std::vector<double> known(x.rows()), own(x.rows());  // log of the sum of exp of old logits; the own one
  Labels fresh{{}, added};
  double rows = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    const auto most = static_cast<double>(std::ranges::max(logits[i]));
    double sum = 0;
    for (const float z : logits[i]) sum += std::exp(static_cast<double>(z) - most);
    known[i] = most + std::log(sum);
    const Label label = labels.of[i];
    if (label != kNoise) rows += 1;
    if (label != kNoise && static_cast<Index>(label) < before)
      own[i] = static_cast<double>(logits[i][static_cast<Index>(label)]);
    fresh.of.push_back(
        label == kNoise || static_cast<Index>(label) < before ? kNoise : label - static_cast<Label>(before));
  }
  LogisticTask task;
  task.loss = [&](Index first, MatrixSpan z) {
    double loss = 0;
    for (Index r = 0; r < z.rows; ++r) {
      const Index i = first + r;
      if (labels.of[i] == kNoise) {
        std::ranges::fill(z[r], 0.0f);
        continue;
      }
      const double most = std::max(known[i], static_cast<double>(std::ranges::max(z[r])));
      double sum = std::exp(known[i] - most);
      for (const float v : z[r]) sum += std::exp(static_cast<double>(v) - most);
      const Label mine = fresh.of[i];
      loss += most + std::log(sum) -
              (mine == kNoise ? own[i] : static_cast<double>(z[r][static_cast<Index>(mine)]));
      for (Index c = 0; c < added; ++c) {
        const double p = std::exp(static_cast<double>(z[r][c]) - most) / sum;
        z[r][c] = static_cast<float>(p - (static_cast<Label>(c) == mine ? 1 : 0));
      }
    }
    return loss;
  };
  const Matrix means = centroids(x, Metric::euclidean, fresh, run);
  task.means = means;
  LinearRule from{.coefficients = Matrix(added, x.cols()), .intercepts = {}};
  double level = 0;  // where the old labels' logits lie
  for (Index i = 0; i < x.rows(); ++i) level += known[i] / static_cast<double>(x.rows());
  for (Index c = 0; c < added; ++c) {
    const double share = static_cast<double>(sizes[before + c]) / rows;
    task.curvature.push_back(std::max(share * (1 - share), 1 / (4 * rows)));
    from.intercepts.push_back(static_cast<float>(level + std::log(share)));
  }
  task.total_weight = rows;
  task.penalty = 1 / (options.c * rows);
  task.max_iter = options.max_iter;
  const LinearRule found = search(x, std::move(task), options, from, run);
  LinearRule out{.coefficients = Matrix(labels.count, x.cols()),
                 .intercepts = old.intercepts,
                 .loss = found.loss,
                 .n_iter = found.n_iter,
                 .converged = found.converged};
  std::copy_n(old.coefficients.data(), before * x.cols(), out.coefficients.data());
  std::copy_n(found.coefficients.data(), added * x.cols(), out.coefficients[before].data());
  out.intercepts.insert(out.intercepts.end(), found.intercepts.begin(), found.intercepts.end());
  return out;
}

}  // namespace shoal
