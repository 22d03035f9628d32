#include "shoal/near/prepared_impl.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {

Prepared::Prepared(const Rows& x, Metric metric, const ShiftScale& frame, const Run& run)
    : source(x, metric, frame, run),
      unit(1 / frame.scale),
      rows(source.block(0, x.rows(), owned)),
      half_square(x.rows()) {
  if (rows.data == owned.moved.data()) owned.converted = Matrix();
  for_chunks(run, x.rows(), 1024, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      half_square[i] = 0.5f * kernels().dot(rows[i].data(), rows[i].data(), rows.cols);
  });
}

Prepared prepare(const Rows& x, Metric metric, const Run& run) {
  return {x, metric, metric == Metric::euclidean ? frame_within_one({x}, run) : ShiftScale{}, run};
}

PreparedPair prepare(const Rows& x, const Rows& queries, Metric metric, const Run& run) {
  const ShiftScale frame = metric == Metric::euclidean ? frame_within_one({x, queries}, run) : ShiftScale{};
  return {{x, metric, frame, run}, {queries, metric, frame, run}};
}

void products_to_scores(const Prepared& a, Index first_row, const Prepared& b, Index first_column,
                        MatrixSpan products) {
  if (a.source.metric() == Metric::cosine) return;
  const float* const columns = b.half_square.data() + first_column;
  for (Index r = 0; r < products.rows; ++r) {
    const float row = a.half_square[first_row + r];
    float* const score = products.data + r * products.stride;
    for (Index c = 0; c < products.cols; ++c) score[c] -= row + columns[c];
  }
}

float distance(const Prepared& a, Index i, const Prepared& b, Index j) {
  const float square = kernels().squared_distance(a.rows[i].data(), b.rows[j].data(), a.rows.cols);
  if (a.source.metric() == Metric::euclidean) return std::sqrt(square) * a.unit;
  if (a.half_square[i] == 0 || b.half_square[j] == 0) return 1;
  return std::min(0.5f * square, 2.0f);
}

}  // namespace shoal
