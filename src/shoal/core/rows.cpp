#include "shoal/core/rows.h"

#include <algorithm>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {

std::string_view model_of(std::string_view id) { return id.substr(id.rfind('@') + 1); }

Rows::Rows(MatrixView borrowed, Space space)
    : Rows(
          borrowed.rows, borrowed.cols, Dtype::f32,
          [borrowed](Index first, Index count, Matrix&) { return borrowed.slice(first, count); },
          std::move(space)) {}

Rows::Rows(Matrix&& owned, Space space) : Rows(owned.view(), std::move(space)) {
  owned_ = std::make_shared<Matrix>(std::move(owned));  // the numbers stay where they are
}

Rows::Rows(Index rows, Index cols, Dtype dtype, BlockReader reader, Space space)
    : rows_(rows),
      cols_(cols),
      dtype_(dtype),
      reader_(std::make_shared<const BlockReader>(std::move(reader))),
      space_(std::move(space)) {}

MatrixView Rows::block(Index first, Index count, Matrix& scratch) const {
  if (first > rows_ || count > rows_ - first)
    throw Error(Fault::argument, "rows " + std::to_string(first) + ".." + std::to_string(first + count) +
                                     " of " + std::to_string(rows_) + " asked for");
  return (*reader_)(first, count, scratch);
}

Rows Rows::converted(std::string type) const {
  Rows same = *this;
  same.converted_from_ = std::move(type);
  return same;
}

Rows Rows::assume_space(const Space& of) const {
  Rows same = *this;
  same.space_ = {.id = of.id, .dims = cols_, .unit = space_.unit};
  return same;
}

Matrix Rows::to_matrix() && {
  if (owned_.use_count() == 1) return std::move(*owned_);
  return to_matrix();
}

Matrix Rows::to_matrix() const& {
  constexpr Index kBlock = 4096;
  Matrix all(rows_, cols_), scratch;
  for (Index first = 0; first < rows_; first += kBlock) {
    const MatrixView b = block(first, std::min(kBlock, rows_ - first), scratch);
    for (Index r = 0; r < b.rows; ++r) std::ranges::copy(b[r], all[first + r].begin());
  }
  return all;
}

}  // namespace shoal
