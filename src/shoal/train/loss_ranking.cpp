#include <algorithm>
#include <cmath>
#include <limits>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {
namespace {

constexpr Index kRows = 64;  // of a block of similarities

/// Rows of one side against all rows of the other: row i's own text stands on the left.
struct Contest {
  const Matrix *left, *right;  // n rows are used of the left; unit vectors
  Matrix *by_left, *by_right;  // their slopes
  bool positives;              // the right row i is the left row i's positive
  bool own_left_out;           // a right row j with j mod n == i is row i's own
  Index softmax;               // which of the softmaxes it is part of
  Packed left_rows{}, left_columns{}, right_rows{}, right_columns{};
};

/// The softmaxes of MultipleNegativesRankingLoss. Similarities are never kept: rows are worked on in blocks,
/// once from the left for the softmaxes' sums and the left slopes, once from the right for the right slopes.
class Ranking {
 public:
  explicit Ranking(const LossTask& task) : task_(task), n_(task.rows()) {
    const Index dims = task.dims(), n_docs = n_ * (task.batch.columns.size() - 1);
    anchors_ = unit_length(task.batch.columns[0], anchor_lengths_, task.run);
    docs_ = Matrix(n_docs, dims);
    for (Index c = 1; c < task.batch.columns.size(); ++c) {
      std::vector<double> lengths;
      const Matrix units = unit_length(task.batch.columns[c], lengths, task.run);
      std::copy_n(units.data(), n_ * dims, docs_[(c - 1) * n_].data());
      doc_lengths_.insert(doc_lengths_.end(), lengths.begin(), lengths.end());
    }
    by_anchors_ = Matrix(n_, dims);
    by_docs_ = Matrix(n_docs, dims);
    const LossDirections directions = task.options.directions;
    add(anchors_, docs_, true, false, 0);
    if (directions == LossDirections::all) add(anchors_, anchors_, false, true, 0);
    if (directions != LossDirections::one_way)
      add(docs_, anchors_, false, false, directions == LossDirections::symmetric ? 1 : 0);
    if (directions == LossDirections::all) add(docs_, docs_, false, true, 0);
    n_softmaxes_ = directions == LossDirections::symmetric ? 2 : 1;
  }

  double run() {
    sums_.assign(n_softmaxes_ * n_, 0);
    std::vector<double> losses(n_);
    for_chunks(task_.run.quiet(), n_, kRows,
               [&](Index, Index first, Index last) { from_left(first, last, losses); });
    for (const Contest& contest : contests_)
      for_chunks(task_.run.quiet(), contest.right->rows(), kRows,
                 [&](Index, Index first, Index last) { from_right(contest, first, last); });
    write_slopes();
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum / static_cast<double>(n_);
  }

 private:
  void add(const Matrix& left, const Matrix& right, bool positives, bool own_left_out, Index softmax) {
    const auto slope_of = [&](const Matrix& x) { return &x == &anchors_ ? &by_anchors_ : &by_docs_; };
    Contest c{.left = &left,
              .right = &right,
              .by_left = slope_of(left),
              .by_right = slope_of(right),
              .positives = positives,
              .own_left_out = own_left_out,
              .softmax = softmax};
    const MatrixView used = left.view().slice(0, n_);
    c.left_rows = Packed::rows(used);
    c.left_columns = Packed::columns(used);
    c.right_rows = Packed::rows(right);
    c.right_columns = Packed::columns(right.view());
    contests_.push_back(std::move(c));
  }

  /// The slope by a similarity, from the softmax's share of it.
  double step() const { return task_.options.scale / static_cast<double>(n_); }

  void from_left(Index first, Index last, std::vector<double>& losses) {
    const double scale = task_.options.scale;
    std::vector<Matrix> similar;
    std::vector<float> part;
    for (const Contest& c : contests_) {
      Matrix s(last - first, c.right->rows());
      multiply(c.left->view().slice(first, last - first), c.right_rows, {}, Activation::none, s.span());
      for (Index i = first; i < last && c.own_left_out; ++i)
        for (Index j = i; j < s.cols(); j += n_) s[i - first][j] = -std::numeric_limits<float>::infinity();
      similar.push_back(std::move(s));
    }
    for (Index i = first; i < last; ++i) {
      for (Index softmax = 0; softmax < n_softmaxes_; ++softmax) {
        float most = -std::numeric_limits<float>::infinity();
        for (Index c = 0; c < contests_.size(); ++c)
          if (contests_[c].softmax == softmax) most = std::max(most, std::ranges::max(similar[c][i - first]));
        double sum = 0;
        for (Index c = 0; c < contests_.size(); ++c) {
          if (contests_[c].softmax != softmax) continue;
          const auto row = similar[c][i - first];
          part.resize(row.size());
          for (Index j = 0; j < row.size(); ++j) part[j] = static_cast<float>(scale) * (row[j] - most);
          kernels().exp(part.data(), part.data(), part.size());
          sum += static_cast<double>(kernels().sum(part.data(), part.size()));
        }
        sums_[softmax * n_ + i] = scale * static_cast<double>(most) + std::log(sum);
        losses[i] += sums_[softmax * n_ + i] / static_cast<double>(n_softmaxes_);
      }
      losses[i] -= scale * static_cast<double>(similar[0][i - first][i]);
    }
    for (Index c = 0; c < contests_.size(); ++c) {
      const Contest& contest = contests_[c];
      Matrix& weight = similar[c];
      for (Index i = first; i < last; ++i) {
        const auto row = weight[i - first];
        const double sum = sums_[contest.softmax * n_ + i];
        for (float& v : row) v = static_cast<float>(scale * static_cast<double>(v) - sum);
        to_weights(row);
        if (contest.own_left_out)
          for (Index j = i; j < row.size(); j += n_) row[j] = 0;
        if (contest.positives) row[i] -= static_cast<float>(step());
      }
      Matrix slope(last - first, task_.dims());
      multiply(weight.view(), contest.right_columns, {}, Activation::none, slope.span());
      for (Index i = first; i < last; ++i)
        kernels().axpy(1, slope[i - first].data(), (*contest.by_left)[i].data(), slope.cols());
    }
  }

  void from_right(const Contest& contest, Index first, Index last) {
    Matrix weight(last - first, n_), slope(last - first, task_.dims());
    multiply(contest.right->view().slice(first, last - first), contest.left_rows, {}, Activation::none,
             weight.span());
    const double* sums = sums_.data() + contest.softmax * n_;
    for (Index j = first; j < last; ++j) {
      const auto row = weight[j - first];
      for (Index i = 0; i < n_; ++i)
        row[i] = static_cast<float>(task_.options.scale * static_cast<double>(row[i]) - sums[i]);
      to_weights(row);
      if (contest.own_left_out) row[j % n_] = 0;
      if (contest.positives && j < n_) row[j] -= static_cast<float>(step());
    }
    multiply(weight.view(), contest.left_columns, {}, Activation::none, slope.span());
    for (Index j = first; j < last; ++j)
      kernels().axpy(1, slope[j - first].data(), (*contest.by_right)[j].data(), slope.cols());
  }

  /// Logarithms of shares of a softmax to slopes by the similarities.
  void to_weights(std::span<float> row) const {
    kernels().exp(row.data(), row.data(), row.size());
    kernels().scale(static_cast<float>(step() / static_cast<double>(n_softmaxes_)), row.data(), row.size());
  }

  void write_slopes() {
    for (Index c = 0; c < task_.slopes.size(); ++c) {
      const MatrixView units = c == 0 ? anchors_.view() : docs_.view().slice((c - 1) * n_, n_);
      const MatrixView slopes = c == 0 ? by_anchors_.view() : by_docs_.view().slice((c - 1) * n_, n_);
      const double* lengths = c == 0 ? anchor_lengths_.data() : doc_lengths_.data() + (c - 1) * n_;
      for_chunks(task_.run.quiet(), n_, kRows, [&](Index, Index first, Index last) {
        std::vector<double> slope(units.cols);
        for (Index i = first; i < last; ++i) {
          std::ranges::copy(slopes[i], slope.begin());
          unit_back(units[i], lengths[i], slope, task_.slopes[c][i]);
        }
      });
    }
  }

  const LossTask& task_;
  Index n_, n_softmaxes_ = 1;
  Matrix anchors_, docs_, by_anchors_, by_docs_;  // docs: column after column
  std::vector<double> anchor_lengths_, doc_lengths_;
  std::vector<Contest> contests_;
  std::vector<double> sums_;  // logarithm of each softmax's sum, row by row
};

}  // namespace

double loss_of_ranking(const LossTask& task) { return Ranking(task).run(); }

}  // namespace shoal
