#pragma once

#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// Products in double with a fixed right-hand side: a few times slower than Packed's in float, and exact
/// enough that sums of products may be subtracted. Every output is one sum over the terms in order.
class DoubleProduct {
 public:
  /// b: outputs x terms.
  DoubleProduct(std::span<const double> b, Index outputs, Index terms);

  static constexpr Index kRows = 2;  ///< rows at a time: pad to a multiple of it
  /// c[i][j] = a[i] . b[j], a: rows x terms, c: rows x outputs. `rows` must be a multiple of kRows.
  void operator()(std::span<const double> a, Index rows, std::span<double> c) const;

 private:
  Index outputs_, terms_;
  std::vector<double> packed_;  // panels of kColumns outputs, term by term, zeros at the end
};

}  // namespace shoal
