#include "shoal/classify/logistic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "shoal/classify/logistic_search_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;

}  // namespace

Logistic Logistic::fit(const Rows& x, const Labels& labels, const Options& options, const Run& run) {
  check_options(options);
  check_labels(labels, x.rows());
  require(x.cols() > 0, Fault::data, "the rows have no columns");
  const CompactLabels classes = compact_labels(labels);
  if (classes.original.size() < 2)
    throw Error(Fault::data, "a classifier needs at least 2 classes with rows; the labels name " +
                                 std::to_string(classes.original.size()));
  const std::vector<double> weight = class_weights(classes.labels, options.balanced);
  LogisticSearch search(x, softmax_task(x, classes.labels, weight, options, run), run);
  std::vector<double> at(search.size());
  const Minimum found =
      minimise(at, std::ref(search), {.tol = options.tol, .max_evaluations = options.max_iter});
  search.place(at);

  Logistic l;
  l.options_ = options;
  l.space_ = x.space();
  l.coefficients_ = Matrix(labels.count, x.cols());
  l.intercepts_.assign(labels.count, -std::numeric_limits<float>::infinity());
  for (Index c = 0; c < classes.original.size(); ++c) {
    const auto original = static_cast<Index>(classes.original[c]);
    std::ranges::copy(search.coefficients()[c], l.coefficients_[original].begin());
    l.intercepts_[original] = search.intercepts()[c];
  }
  l.loss_ = found.value;
  l.n_iter_ = found.evaluations;
  l.converged_ = found.converged;
  return l;
}

/// Calls each(row, its logits) for every row, in parallel.
template <class Each>
void Logistic::for_logits(const Rows& x, const Run& run, const Each& each) const {
  check_input(x, coefficients_.cols(), space_, "the classifier");
  check_finite(x, run);
  const Packed packed = Packed::rows(coefficients_.view());
  for_chunks(
      run, x.rows(), kGrain,
      [&](Index, Index first, Index last) {
        Matrix scratch, logits(last - first, n_classes());
        multiply(x.block(first, last - first, scratch), packed, intercepts_, Activation::none, logits.span());
        for (Index i = first; i < last; ++i) each(i, logits[i - first]);
      },
      "classify");
}

Labels Logistic::predict(const Rows& x, const Run& run) const {
  Labels labels{std::vector<Label>(x.rows()), n_classes()};
  for_logits(x, run, [&](Index i, std::span<float> logits) {
    labels.of[i] = static_cast<Label>(std::ranges::max_element(logits) - logits.begin());
  });
  return labels;
}

Matrix Logistic::predict_proba(const Rows& x, const Run& run) const {
  Matrix out(x.rows(), n_classes());
  for_logits(x, run, [&](Index i, std::span<float> logits) {
    kernels().softmax(1, logits.data(), logits.size());
    std::ranges::copy(logits, out[i].begin());
  });
  return out;
}

void Logistic::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("coefficients", coefficients_.view());
  out.add("intercepts", std::span<const float>(intercepts_));
  out.add("loss", std::span<const double>(&loss_, 1));
  const auto n_iter = static_cast<std::int64_t>(n_iter_);
  out.add("n_iter", std::span<const std::int64_t>(&n_iter, 1));
  out.meta("converged", converged_ ? "true" : "false");
}

Logistic Logistic::load(const ArchiveReader& in) {
  check_kind(in, kind);
  Logistic l;
  l.options_ = read_options<Options>(in);
  l.space_ = read_space(in);
  l.coefficients_ = in.matrix("coefficients");
  l.intercepts_ = in.floats("intercepts", l.n_classes());
  l.loss_ = in.doubles("loss", 1)[0];
  const auto n_iter = in.integers("n_iter");
  if (n_iter.size() != 1 || n_iter[0] < 0 || l.n_classes() < 2)
    throw Error(Fault::format, in.path().string() + ": n_iter or coefficients are not of a classifier");
  l.n_iter_ = static_cast<Index>(n_iter[0]);
  l.converged_ = in.meta("converged") == "true";
  return l;
}

}  // namespace shoal
