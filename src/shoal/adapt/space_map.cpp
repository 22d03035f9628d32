#include "shoal/adapt/space_map.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "shoal/adapt/centers_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/learn/learn.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/procrustes.h"
#include "shoal/linear/product.h"
#include "shoal/linear/topk.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

Matrix mean_row(MatrixView x) {
  std::vector<double> sum(x.cols);
  for (Index i = 0; i < x.rows; ++i)
    for (Index j = 0; j < x.cols; ++j) sum[j] += x[i][j];
  Matrix out(1, x.cols);
  for (Index j = 0; j < x.cols; ++j) out[0][j] = static_cast<float>(sum[j] / static_cast<double>(x.rows));
  return out;
}

Matrix less_mean(MatrixView x, const Matrix& mean) {
  Matrix out(x.rows, x.cols);
  for (Index i = 0; i < x.rows; ++i)
    for (Index j = 0; j < x.cols; ++j) out[i][j] = x[i][j] - mean[0][j];
  return out;
}

/// y.cols x x.cols: rows of the map x -> A x.
Matrix ridge(const Matrix& x, const Matrix& y, double lambda) {
  const Index d = x.cols(), out_dims = y.cols();
  auto left = gram(Rows(x), {}, {});
  for (Index j = 0; j < d; ++j) left[j * d + j] += lambda;
  const Cholesky factor(std::move(left), d, lambda);
  const auto right = cross_products(x, y);
  Matrix out(out_dims, d);
  std::vector<double> column(d);
  for (Index o = 0; o < out_dims; ++o) {
    for (Index j = 0; j < d; ++j) column[j] = right[j * out_dims + o];
    factor.solve_lower(column);
    factor.solve_transposed(column);
    for (Index j = 0; j < d; ++j) out[o][j] = static_cast<float>(column[j]);
  }
  return out;
}

using Nearest = std::vector<std::vector<std::uint32_t>>;

/// The k nearest rows of `all` to each query, itself left out (`self`: its row).
Nearest nearest_of(MatrixView queries, const std::vector<Index>& self, const Matrix& all, Index k,
                   const Run& run) {
  Nearest out(queries.rows);
  const Packed packed = Packed::rows(all);
  for_chunks(run, queries.rows, 16, [&](Index, Index first, Index last) {
    Matrix score(1, all.rows());
    for (Index q = first; q < last; ++q) {
      multiply(queries.slice(q, 1), packed, {}, Activation::none, score.span());
      TopK best(k);
      for (Index i = 0; i < all.rows(); ++i)
        if (i != self[q]) best.offer(score[0][i], static_cast<std::uint32_t>(i));
      for (const auto& item : best.sorted()) out[q].push_back(item.id);
    }
  });
  return out;
}

MapRecall recall_of(const Nearest& truth, const Nearest& found) {
  double sum = 0, squares = 0;
  for (Index q = 0; q < truth.size(); ++q) {
    double hits = 0;
    for (const auto id : found[q]) hits += std::ranges::find(truth[q], id) != truth[q].end();
    const double recall = hits / static_cast<double>(truth[q].size());
    sum += recall;
    squares += recall * recall;
  }
  const auto n = static_cast<double>(truth.size());
  MapRecall out{.recall = sum / n};
  out.error = std::sqrt(std::max(0.0, squares / n - out.recall * out.recall) / n);
  return out;
}

Matrix chosen_rows(const Matrix& x, const std::vector<Index>& rows) {
  return select_rows(Rows(x), rows).to_matrix();
}

Space known(const Rows& x) {
  Space out = x.space();
  out.dims = x.cols();
  return out;
}

}  // namespace

SpaceMap SpaceMap::learn_one(SpaceMapKind map, MatrixView x, MatrixView y, const Options& options,
                             const Run& run) {
  SpaceMap out;
  out.options_ = options;
  out.map_ = map;
  out.mean_from_ = mean_row(x);
  out.mean_to_ = mean_row(y);
  const Matrix a = less_mean(x, out.mean_from_), b = less_mean(y, out.mean_to_);
  out.linear_ = map == SpaceMapKind::procrustes ? procrustes(a, b) : ridge(a, b, options.lambda);
  if (map != SpaceMapKind::residual) return out;
  Matrix rest(x.rows, y.cols);  // what ridge leaves
  multiply(a.view(), Packed::rows(out.linear_), {}, Activation::none, rest.span());
  for (Index i = 0; i < rest.rows() * rest.cols(); ++i) rest.data()[i] = b.data()[i] - rest.data()[i];
  const Mlp mlp({x.cols, options.hidden, y.cols}, out.perceptron_, options.seed.child(3));
  // It begins as nothing.
  for (const char* name : {"layer1.weight", "layer1.bias"})
    for (Index p = 0; p < out.perceptron_.size(); ++p)
      if (out.perceptron_[p].name == name)
        out.perceptron_[p].value = Matrix(out.perceptron_[p].value.rows(), out.perceptron_[p].value.cols());
  Lesson lesson;
  lesson.rows = x.rows;
  lesson.batch = [&](const Batch& of, Parameters& parameters) {
    const std::vector<Index>& rows = of.rows;
    const Matrix batch = chosen_rows(a, rows);
    const auto scale = static_cast<float>(1.0 / static_cast<double>(rows.size()));
    return mlp.backward(
        batch.view(), parameters,
        [&](Index first, MatrixSpan outputs) {
          double loss = 0;
          for (Index i = 0; i < outputs.rows; ++i)
            for (Index j = 0; j < outputs.cols; ++j) {
              const float off = outputs[i][j] - rest[rows[first + i]][j];
              loss += static_cast<double>(off) * off * scale;
              outputs[i][j] = 2 * off * scale;
            }
          return loss;
        },
        {.share = 0.1, .seed = options.seed.child(100 + of.number)}, run);
  };
  LearnOptions how;
  how.n_epochs = options.n_epochs;
  how.optimiser.learning_rate = 1e-3;
  how.schedule = Schedule::cosine;
  learn(out.perceptron_, lesson, how, options.seed.child(4), run.quiet());
  return out;
}

Matrix SpaceMap::mapped(MatrixView x, const Run& run) const {
  const Matrix a = less_mean(x, mean_from_);
  Matrix out(x.rows, linear_.rows());
  const Packed packed = Packed::rows(linear_);
  for_chunks(run, x.rows, 256, [&](Index, Index first, Index last) {
    multiply(a.view().slice(first, last - first), packed, mean_to_[0], Activation::none,
             out.span().slice(first, last - first));
  });
  if (map_ == SpaceMapKind::residual) {
    Parameters copy;  // an Mlp names its parameters in one that it fills
    const Mlp mlp({x.cols, options_.hidden, linear_.rows()}, copy, options_.seed);
    const Matrix more = mlp.forward(a.view(), perceptron_, run);
    for (Index i = 0; i < out.rows() * out.cols(); ++i) out.data()[i] += more.data()[i];
  }
  unit_rows(out.span());
  return out;
}

SpaceMap SpaceMap::fit(const Rows& fresh, const Rows& old, const Options& options, SpaceMapReport& report,
                       const Run& run) {
  check_options(options);
  require(fresh.rows() == old.rows(), Fault::data,
          "the sample has " + std::to_string(old.rows()) + " old and " + std::to_string(fresh.rows()) +
              " new vectors; a map needs both of every row");
  constexpr Index kLeast = 50;
  require(fresh.rows() >= kLeast, Fault::data,
          "a map needs a sample of at least " + std::to_string(kLeast) + " rows; there are " +
              std::to_string(fresh.rows()));
  check_finite(fresh, run);
  check_finite(old, run);
  const Matrix x = unit_matrix(fresh), y = unit_matrix(old);
  const Random random(options.seed.child(1));
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < x.rows(); ++i) drawn.emplace_back(random.bits(i), i);
  std::ranges::sort(drawn);
  const Index held = x.rows() * 15 / 100;
  std::vector<Index> state, choose, train;
  for (Index i = 0; i < drawn.size(); ++i)
    (i < held ? state : i < 2 * held ? choose : train).push_back(drawn[i].second);
  const Matrix tx = chosen_rows(x, train), ty = chosen_rows(y, train);
  const Index k = std::min(options.k, x.rows() - 1);
  const auto recall = [&](const SpaceMap& map, const std::vector<Index>& rows) {
    const Matrix old_queries = chosen_rows(y, rows), asked = chosen_rows(x, rows);
    const Matrix new_queries = map.mapped(asked.view(), run);
    MapRecall out = recall_of(nearest_of(old_queries.view(), rows, y, k, run),
                              nearest_of(new_queries.view(), rows, y, k, run));
    out.map = map.map_;
    return out;
  };
  report = {.learnt_from = train.size(), .chosen_on = choose.size(), .stated_on = state.size()};
  std::optional<SpaceMap> best;
  double most = -1;
  for (Index m = 0; m < names_of(SpaceMapKind()).size(); ++m) {
    const auto kind_of = static_cast<SpaceMapKind>(m);
    if (options.map && kind_of != *options.map) continue;
    if (run.progress) run.progress("map", static_cast<double>(m), 3);
    SpaceMap map = learn_one(kind_of, tx.view(), ty.view(), options, run.quiet());
    report.choices.push_back(recall(map, choose));
    if (report.choices.back().recall > most) {
      most = report.choices.back().recall;
      best = std::move(map);
    }
  }
  best->from_ = known(fresh);
  best->to_ = known(old);
  best->to_.unit = true;
  report.stated = recall(*best, state);
  const Matrix old_queries = chosen_rows(y, state), new_queries = chosen_rows(x, state);
  report.without = recall_of(nearest_of(old_queries.view(), state, y, k, run),
                             nearest_of(new_queries.view(), state, x, k, run))
                       .recall;
  return std::move(*best);
}

Rows SpaceMap::applied(const Rows& x, const Run& run) const {
  check_input(x, from_.dims, from_, "the map between spaces");
  Matrix unit = unit_matrix(x);
  return Rows(mapped(unit.view(), run), to_);
}

void SpaceMap::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(from_);
  out.meta("map", name_of(map_));
  ArchiveWriter target("space");
  target.space(to_);
  out.add_part("to", target);
  out.add("mean.from", mean_from_);
  out.add("mean.to", mean_to_);
  out.add("linear", linear_);
  if (map_ == SpaceMapKind::residual) perceptron_.save(out, "perceptron");
}

SpaceMap SpaceMap::load(const ArchiveReader& in) {
  check_kind(in, kind);
  SpaceMap out;
  out.options_ = read_options<Options>(in);
  out.from_ = read_space(in);
  out.to_ = read_space(in.part("to"));
  const auto map = named<SpaceMapKind>(in.meta("map"));
  require(map.has_value(), Fault::format, in.path().string() + ": its map is of no kind known");
  out.map_ = *map;
  out.mean_from_ = in.matrix("mean.from", 1, out.from_.dims);
  out.mean_to_ = in.matrix("mean.to", 1, out.to_.dims);
  out.linear_ = in.matrix("linear", out.to_.dims, out.from_.dims);
  if (out.map_ == SpaceMapKind::residual) {
    const Mlp mlp({out.from_.dims, out.options_.hidden, out.to_.dims}, out.perceptron_, out.options_.seed);
    out.perceptron_.load(in, "perceptron");
  }
  return out;
}

}  // namespace shoal
