#include "shoal/cluster/som/som.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "shoal/cluster/som/som_grid_impl.h"
#include "shoal/cluster/som/som_train_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/near/nearness_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 1024;
constexpr Index kMostUnits = 65'536;

/// codebook + sign * mean, row by row.
Matrix moved(const Matrix& codebook, const std::vector<float>& mean, float sign) {
  Matrix out = codebook;
  for (Index u = 0; u < out.rows(); ++u)
    for (Index j = 0; j < out.cols(); ++j) out[u][j] += sign * mean[j];
  return out;
}

struct Match {
  Index best = 0, second = 0;  // the same if there is one unit
};

Match two_best(std::span<const float> values) {
  Match m{static_cast<Index>(largest(values).label), 0};
  float most = -std::numeric_limits<float>::infinity();
  m.second = m.best;
  for (Index u = 0; u < values.size(); ++u)
    if (u != m.best && values[u] > most) most = values[u], m.second = u;
  return m;
}

float apart(std::span<const float> a, std::span<const float> b) {
  return std::sqrt(kernels().squared_distance(a.data(), b.data(), a.size()));
}

}  // namespace

void check_together(const SomOptions& o) {
  require(o.grid_cols <= kMostUnits / o.grid_rows, Fault::argument,
          option_name("grid_rows") + " x " + option_name("grid_cols") + " is " + std::to_string(o.grid_rows) +
              " x " + std::to_string(o.grid_cols) + "; allowed: 1 to 65,536 units");
  require(!o.radius || *o.radius >= o.radius_end, Fault::argument,
          option_name("radius") + " is " + text_of(o.radius.value_or(0)) + "; allowed: " +
              option_name("radius_end") + ", which is " + text_of(o.radius_end) + ", or more");
}

Som Som::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  if (x.rows() == 0) throw Error(Fault::data, "there are no rows to make a map of");
  if (x.cols() == 0) throw Error(Fault::data, "the rows have no columns");
  Som out;
  out.options_ = options;
  out.space_ = x.space();
  const SomRows rows(x, options.metric, {}, run);
  out.mean_ = rows.mean();
  Index counted = 0;
  for (Index i = 0; i < x.rows(); ++i) counted += !rows.zero(i);
  if (counted == 0) throw Error(Fault::data, "all rows are zero: under cosine they have no direction");
  out.codebook_ = moved(train_som(rows, options, run), out.mean_, 1);
  for (Index i = 0; i < out.codebook_.rows() * out.codebook_.cols(); ++i)
    if (!std::isfinite(out.codebook_.data()[i]))
      throw Error(Fault::data, "the rows hold numbers too large to be squared; scale them down");
  out.measure(rows, counted, run);
  return out;
}

void Som::measure(const SomRows& rows, Index counted, const Run& run) {
  const Index n = rows.rows().rows();
  const Matrix units = moved(codebook_, mean_, -1);
  const SomMatcher matcher(units);
  const SomGrid grid(options_);
  labels_ = {std::vector<Label>(n, kNoise), grid.units()};
  struct Errors {
    double distance = 0;
    Index torn = 0;
  };
  const Errors errors = fold_chunks(
      run, n, kGrain, Errors{},
      [&](Index first, Index last) {
        Errors part;
        matcher.match(rows, first, last,
                      [&](Index i, std::span<const float> row, std::span<const float> values) {
                        if (rows.zero(i)) return;
                        const Match m = two_best(values);
                        labels_.of[i] = static_cast<Label>(m.best);
                        part.distance += apart(row, std::as_const(units)[m.best]);
                        part.torn += m.second != m.best && !grid.adjacent(m.best, m.second);
                      });
        return part;
      },
      [](Errors& total, Errors&& part) { total.distance += part.distance, total.torn += part.torn; });
  quantisation_error_ = errors.distance / static_cast<double>(counted);
  topographic_error_ = static_cast<double>(errors.torn) / static_cast<double>(counted);
}

Labels Som::predict(const Rows& x, const Run& run) const {
  check_input(x, codebook_.cols(), space_, "the map");
  const SomRows rows(x, options_.metric, mean_, run);
  const SomMatcher matcher(moved(codebook_, mean_, -1));
  Labels labels{std::vector<Label>(x.rows(), kNoise), codebook_.rows()};
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    matcher.match(rows, first, last, [&](Index i, std::span<const float>, std::span<const float> values) {
      if (!rows.zero(i)) labels.of[i] = largest(values).label;
    });
  });
  return labels;
}

Matrix Som::transform(const Rows& x, const Run& run) const {
  check_input(x, codebook_.cols(), space_, "the map");
  const SomRows rows(x, options_.metric, mean_, run);
  const Matrix units = moved(codebook_, mean_, -1);
  Matrix distances(x.rows(), units.rows());
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = rows.rows().block(first, last - first, scratch);
    for (Index i = first; i < last; ++i)
      for (Index u = 0; u < units.rows(); ++u) distances[i][u] = apart(block[i - first], units[u]);
  });
  return distances;
}

Matrix Som::u_matrix() const {
  const SomGrid grid(options_);
  Matrix out(grid.rows(), grid.cols());
  const auto rows = static_cast<std::ptrdiff_t>(grid.rows()), cols = static_cast<std::ptrdiff_t>(grid.cols());
  for (std::ptrdiff_t r = 0; r < rows; ++r)
    for (std::ptrdiff_t c = 0; c < cols; ++c) {
      const auto unit = static_cast<Index>(r * cols + c);
      double sum = 0;
      Index count = 0;
      for (std::ptrdiff_t y = std::max<std::ptrdiff_t>(0, r - 1); y <= std::min(rows - 1, r + 1); ++y)
        for (std::ptrdiff_t z = std::max<std::ptrdiff_t>(0, c - 1); z <= std::min(cols - 1, c + 1); ++z)
          if (const auto other = static_cast<Index>(y * cols + z); grid.adjacent(unit, other)) {
            sum += apart(codebook_[unit], codebook_[other]);
            ++count;
          }
      out.data()[unit] = count == 0 ? 0 : static_cast<float>(sum / static_cast<double>(count));
    }
  return out;
}

std::vector<Index> Som::hits() const { return label_sizes(labels_); }

void Som::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("codebook", codebook_.view());
  out.add("mean", std::span<const float>(mean_));
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  // The bits of a double, as the archive reads whole numbers exactly.
  const std::int64_t errors[] = {std::bit_cast<std::int64_t>(quantisation_error_),
                                 std::bit_cast<std::int64_t>(topographic_error_)};
  out.add("errors", std::span<const std::int64_t>(errors));
}

Som Som::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Som s;
  s.options_ = read_options<Options>(in);
  s.space_ = read_space(in);
  s.codebook_ = in.matrix("codebook");
  const Index units = s.options_.grid_rows * s.options_.grid_cols;
  if (s.codebook_.rows() != units)
    throw bad("there are " + std::to_string(s.codebook_.rows()) + " units, but the grid has " +
              std::to_string(units));
  s.mean_ = in.floats("mean", s.codebook_.cols());
  s.labels_.count = units;
  for (const std::int64_t label : in.integers("labels")) {
    if (label < kNoise || label >= static_cast<std::int64_t>(units))
      throw bad("label " + std::to_string(label) + " is not one of " + std::to_string(units));
    s.labels_.of.push_back(static_cast<Label>(label));
  }
  const auto errors = in.integers("errors");
  if (errors.size() != 2) throw bad("its errors are not two numbers");
  s.quantisation_error_ = std::bit_cast<double>(errors[0]);
  s.topographic_error_ = std::bit_cast<double>(errors[1]);
  return s;
}

}  // namespace shoal
