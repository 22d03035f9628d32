#include "shoal/linear/norms.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kGrain = 4096;  // rows a chunk

/// Squares of very short or very long rows leave the range of float, so these are scaled in double.
void unit_row_in_double(std::span<float> row) {
  double squares = 0;
  for (const float v : row) squares += static_cast<double>(v) * v;
  const double length = std::sqrt(squares);
  for (float& v : row) v = static_cast<float>(v / length);
}

bool finite(float v) { return (std::bit_cast<std::uint32_t>(v) & 0x7f800000u) != 0x7f800000u; }

void check_row(std::span<const float> row, Index number) {
  unsigned bad = 0;
  for (const float v : row) bad |= !finite(v);  // no early exit: the loop is vectorised
  if (bad == 0) return;
  const Index column = static_cast<Index>(std::ranges::find_if_not(row, finite) - row.begin());
  throw Error(Fault::data, "row " + std::to_string(number) + ", column " + std::to_string(column) + ": " +
                               (std::isnan(row[column]) ? "NaN" : "infinity") +
                               "; every value must be finite (rows and columns are counted from 0)");
}

std::string named(const Space& space) {
  const std::string who = space.id.empty() ? "an unknown model" : "\"" + space.id + "\"";
  return space.dims == 0 ? who : who + " (" + std::to_string(space.dims) + " dimensions)";
}

}  // namespace

Index unit_rows(MatrixSpan x) {
  constexpr float kShort = 1e-30f, kLong = 1e30f;  // of the squared length: far from float's limits
  const Kernels& k = kernels();
  Index zeros = 0;
  for (Index r = 0; r < x.rows; ++r) {
    const std::span<float> row = x[r];
    const float squares = k.dot(row.data(), row.data(), row.size());
    if (squares >= kShort && squares <= kLong)
      k.scale(1.0f / std::sqrt(squares), row.data(), row.size());
    else if (std::ranges::all_of(row, [](float v) { return v == 0; }))
      ++zeros;
    else
      unit_row_in_double(row);
  }
  return zeros;
}

std::vector<double> column_means(const Rows& x, const Run& run) {
  const Index cols = x.cols();
  std::vector<double> means = fold_chunks(
      run, x.rows(), std::max(kGrain, x.rows() / 64), std::vector<double>(cols),
      [&](Index first, Index last) {
        std::vector<double> sums(cols);
        Matrix scratch;
        for (Index at = first; at < last; at += kGrain) {
          const MatrixView block = x.block(at, std::min(kGrain, last - at), scratch);
          for (Index r = 0; r < block.rows; ++r)
            for (Index c = 0; c < cols; ++c) sums[c] += static_cast<double>(block[r][c]);
        }
        return sums;
      },
      [&](std::vector<double>& total, const std::vector<double>& part) {
        for (Index c = 0; c < cols; ++c) total[c] += part[c];
      });
  if (!std::ranges::all_of(means, [](double m) { return std::isfinite(m); })) check_finite(x, run);
  for (double& m : means) m /= static_cast<double>(std::max<Index>(x.rows(), 1));
  return means;
}

void check_finite(const Rows& x, const Run& run) {
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    for (Index r = 0; r < block.rows; ++r) check_row(block[r], first + r);
  });
}

void check_input(const Rows& x, Index cols, const Space& fitted, const char* what) {
  require(x.cols() == cols, Fault::data,
          "the rows have " + std::to_string(x.cols()) + " columns; for " + what + " they must have " +
              std::to_string(cols));
  check_space(fitted, x.space(), what);
}

void check_space(const Space& fitted, const Space& given, const char* what) {
  if (fitted.id.empty() && given.id.empty()) return;
  if (model_of(fitted.id) == model_of(given.id) && fitted.dims == given.dims) return;
  throw Error(Fault::data,
              std::string(what) + ": fitted on vectors of " + named(fitted) + ", but given vectors of " +
                  named(given),
              fitted.id.empty() || given.id.empty() ? "if one model made both, say so by Rows::assume_space"
                                                    : "embed both with one model");
}

}  // namespace shoal
