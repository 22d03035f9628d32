#include "shoal/near/select_rows.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {

Rows select_rows(const Rows& x, std::vector<Index> chosen) {
  for (const Index row : chosen)
    if (row >= x.rows())
      throw Error(Fault::argument,
                  "row " + std::to_string(row) + " of " + std::to_string(x.rows()) + " chosen");
  const Index rows = chosen.size();
  const auto read = [x, chosen = std::make_shared<const std::vector<Index>>(std::move(chosen))](
                        Index first, Index count, Matrix& scratch) -> MatrixView {
    if (scratch.rows() < count || scratch.cols() != x.cols()) scratch = Matrix(count, x.cols());
    Matrix converted;
    for (Index r = 0; r < count; ++r)
      std::ranges::copy(x.block((*chosen)[first + r], 1, converted)[0], scratch[r].begin());
    return scratch.view().slice(0, count);
  };
  return Rows(rows, x.cols(), x.dtype(), read, x.space());
}

}  // namespace shoal
