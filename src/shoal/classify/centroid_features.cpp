#include "shoal/classify/centroid_features.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/classify/split.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kBlock = 256;

/// Sums of the rows of each cluster and how many there are.
struct Sums {
  std::vector<double> of;
  std::vector<double> rows;
};

/// The rows of `block`, at length 1 under cosine.
MatrixView ready(MatrixView block, Metric metric, Matrix& unit) {
  if (metric == Metric::euclidean) return block;
  if (unit.rows() < block.rows || unit.cols() != block.cols) unit = Matrix(block.rows, block.cols);
  for (Index r = 0; r < block.rows; ++r) std::ranges::copy(block[r], unit[r].begin());
  const MatrixSpan rows = unit.span().slice(0, block.rows);
  unit_rows(rows);
  return rows;
}

Sums sums_of(const Rows& x, const Labels& labels, Metric metric, const Run& run) {
  const Sums none{std::vector<double>(labels.count * x.cols()), std::vector<double>(labels.count)};
  const Index grain = std::max<Index>(16, (x.rows() / 32 + kBlock) / kBlock) * kBlock;
  return fold_chunks(
      run, x.rows(), grain, none,
      [&](Index first, Index last) {
        Sums part = none;
        Matrix scratch, unit;
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView rows = ready(x.block(at, std::min(kBlock, last - at), scratch), metric, unit);
          for (Index r = 0; r < rows.rows; ++r) {
            if (labels.of[at + r] == kNoise) continue;
            const auto c = static_cast<Index>(labels.of[at + r]);
            for (Index j = 0; j < rows.cols; ++j)
              part.of[c * rows.cols + j] += static_cast<double>(rows[r][j]);
            part.rows[c] += 1;
          }
        }
        return part;
      },
      [](Sums& total, const Sums& part) {
        for (Index i = 0; i < total.of.size(); ++i) total.of[i] += part.of[i];
        for (Index c = 0; c < total.rows.size(); ++c) total.rows[c] += part.rows[c];
      });
}

}  // namespace

CentroidFeatures CentroidFeatures::fit(const Rows& x, const Labels& labels, const Options& options,
                                       const Run& run) {
  check_labels(labels, x.rows());
  require(x.cols() > 0, Fault::data, "the rows have no columns");
  check_finite(x, run);
  CentroidFeatures f;
  f.options_ = options;
  f.space_ = x.space();
  const Sums sums = sums_of(x, labels, options.metric, run);
  require(labels.count > 0, Fault::data, "there are no clusters");
  f.centroids_ = Matrix(labels.count, x.cols());
  for (Index c = 0; c < labels.count; ++c) {
    if (sums.rows[c] == 0)
      throw Error(Fault::data, "cluster " + std::to_string(c) + " of 0.." + std::to_string(labels.count - 1) +
                                   " has no rows; leave it out of the labels");
    for (Index j = 0; j < x.cols(); ++j)
      f.centroids_[c][j] = static_cast<float>(sums.of[c * x.cols() + j] / sums.rows[c]);
  }
  if (options.metric == Metric::cosine) unit_rows(f.centroids_.span());
  return f;
}

Matrix CentroidFeatures::transform(const Rows& x, const Run& run) const {
  if (x.cols() != centroids_.cols())
    throw Error(Fault::data, "the rows have " + std::to_string(x.cols()) +
                                 " columns, but the centroids have " + std::to_string(centroids_.cols()));
  check_space(space_, x.space(), "the centroids");
  check_finite(x, run);
  const Index clusters = centroids_.rows();
  const Packed packed = Packed::rows(centroids_.view());
  Matrix out(x.rows(), clusters);
  const auto cosines_to_distances = [](std::span<float> row) {
    for (float& v : row) v = std::clamp(1 - v, 0.0f, 2.0f);
  };
  for_chunks(
      run, x.rows(), 4 * kBlock,
      [&](Index, Index first, Index last) {
        Matrix scratch, unit;
        for (Index at = first; at < last; at += kBlock) {
          const MatrixView rows =
              ready(x.block(at, std::min(kBlock, last - at), scratch), options_.metric, unit);
          if (options_.metric == Metric::cosine)
            multiply(rows, packed, {}, Activation::none, out.span().slice(at, rows.rows));
          for (Index r = 0; r < rows.rows; ++r) {
            if (options_.metric == Metric::cosine) {
              cosines_to_distances(out[at + r]);
              continue;
            }
            for (Index c = 0; c < clusters; ++c)
              out[at + r][c] =
                  std::sqrt(kernels().squared_distance(rows[r].data(), centroids_[c].data(), rows.cols));
          }
        }
      },
      "distances to clusters");
  return out;
}

Labels CentroidFeatures::predict(const Rows& x, const Run& run) const {
  const Matrix distances = transform(x, run);
  Labels labels{std::vector<Label>(x.rows(), kNoise), centroids_.rows()};
  const auto nowhere = [&](std::span<const float> row) {
    return options_.metric == Metric::cosine && std::ranges::all_of(row, [](float d) { return d == 1; });
  };
  for (Index i = 0; i < x.rows(); ++i)
    if (!nowhere(distances[i]))
      labels.of[i] = static_cast<Label>(std::ranges::min_element(distances[i]) - distances[i].begin());
  return labels;
}

void CentroidFeatures::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centroids", centroids_.view());
}

CentroidFeatures CentroidFeatures::load(const ArchiveReader& in) {
  check_kind(in, kind);
  CentroidFeatures f;
  f.options_ = read_options<Options>(in);
  f.space_ = read_space(in);
  f.centroids_ = in.matrix("centroids");
  if (f.centroids_.rows() == 0) throw Error(Fault::format, in.path().string() + " holds no centroids");
  return f;
}

}  // namespace shoal
