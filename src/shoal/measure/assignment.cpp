#include "shoal/measure/assignment.h"

#include <algorithm>
#include <limits>

namespace shoal {
namespace {

/// For each row its column; rows <= cols. cost(row, column); the rows are taken in one after another, each by
/// the cheapest path that gives it a column.
template <class Cost>
std::vector<Index> assign(Index rows, Index cols, Cost&& cost) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Index none = rows;
  std::vector<Index> row_of(cols + 1, none);  // the last column is where a new row stands at first
  std::vector<double> of_row(rows), of_column(cols + 1);
  for (Index row = 0; row < rows; ++row) {
    std::vector<double> least(cols, kInfinity);
    std::vector<Index> before(cols, cols);
    std::vector<char> done(cols + 1);
    Index column = cols;
    row_of[column] = row;
    while (row_of[column] != none) {
      done[column] = 1;
      const Index from = row_of[column];
      Index next = cols;
      for (Index j = 0; j < cols; ++j) {
        if (done[j]) continue;
        const double reduced = cost(from, j) - of_row[from] - of_column[j];
        if (reduced < least[j]) least[j] = reduced, before[j] = column;
        if (next == cols || least[j] < least[next]) next = j;
      }
      const double step = least[next];
      for (Index j = 0; j <= cols; ++j) {
        if (done[j])
          of_row[row_of[j]] += step, of_column[j] -= step;
        else if (j < cols)
          least[j] -= step;
      }
      column = next;
    }
    for (; column != cols; column = before[column]) row_of[column] = row_of[before[column]];
    row_of[cols] = none;
  }
  std::vector<Index> out(rows);
  for (Index j = 0; j < cols; ++j)
    if (row_of[j] != none) out[row_of[j]] = j;
  return out;
}

}  // namespace

std::vector<std::optional<Index>> best_assignment(MatrixView worth) {
  std::vector<std::optional<Index>> out(worth.rows);
  if (worth.rows == 0 || worth.cols == 0) return out;
  if (worth.rows <= worth.cols) {
    const auto found = assign(worth.rows, worth.cols, [&](Index r, Index c) { return -double{worth[r][c]}; });
    std::ranges::copy(found, out.begin());
  } else {
    const auto found = assign(worth.cols, worth.rows, [&](Index c, Index r) { return -double{worth[r][c]}; });
    for (Index c = 0; c < worth.cols; ++c) out[found[c]] = c;
  }
  return out;
}

}  // namespace shoal
