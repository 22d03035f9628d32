#include "shoal/classify/open_set.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/cholesky.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/centroids_impl.h"
#include "shoal/near/exact.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kGrain = 512;
constexpr Index column(OpenSetScore score) { return static_cast<Index>(score); }

double trace_of(const std::vector<double>& square, Index d) {
  double sum = 0;
  for (Index j = 0; j < d; ++j) sum += square[j * d + j];
  return sum;
}

/// L^-1 of the shrunk covariance L L^T, d x d.
Matrix whitening(std::vector<double> covariance, Index d, double shrinkage, const Run& run) {
  const double level = trace_of(covariance, d) / static_cast<double>(d);
  for (double& v : covariance) v *= 1 - shrinkage;
  // Rows that are all equal have no covariance: any distance will do.
  const double least = level > 0 ? level : 1;
  for (Index j = 0; j < d; ++j) covariance[j * d + j] += level > 0 ? shrinkage * level : 1;
  const Cholesky factor(std::move(covariance), d, 1e-9 * least);
  Matrix out(d, d);
  for_chunks(run, d, 16, [&](Index, Index first, Index last) {
    std::vector<double> unit(d);
    for (Index j = first; j < last; ++j) {
      std::ranges::fill(unit, 0.0);
      unit[j] = 1;
      factor.solve_lower(unit);  // column j of L^-1
      for (Index i = 0; i < d; ++i) out[i][j] = static_cast<float>(unit[i]);
    }
  });
  return out;
}

float squared(std::span<const float> x) { return kernels().dot(x.data(), x.data(), x.size()); }

}  // namespace

OpenSetShape OpenSetShape::fit(const Rows& x, const Labels& labels, double shrinkage, const Run& run) {
  const CompactLabels known = compact_labels(labels);
  require(known.labels.count > 0, Fault::data, "no row has exactly one label");
  const Index d = x.cols();
  OpenSetShape out;
  out.rows_ = Rows(x.to_matrix(), x.space());
  Matrix means = centroids(x, Metric::euclidean, known.labels, run);
  const std::vector<Index> sizes = label_sizes(known.labels);
  // Of the rows with one label: the others belong to none.
  double rows = 0;
  std::vector<double> mean(d);
  for (Index c = 0; c < sizes.size(); ++c) {
    rows += static_cast<double>(sizes[c]);
    for (Index j = 0; j < d; ++j) mean[j] += static_cast<double>(sizes[c]) * static_cast<double>(means[c][j]);
  }
  out.mean_ = Matrix(1, d);
  for (Index j = 0; j < d; ++j) out.mean_[0][j] = static_cast<float>(mean[j] / rows);
  Matrix ones(static_cast<Index>(rows), d);
  Matrix scratch;
  for (Index i = 0, at = 0; i < x.rows(); ++i)
    if (labels.of[i] != kNoise) std::ranges::copy(x.block(i, 1, scratch)[0], ones[at++].begin());
  std::vector<double> all = gram(ones, out.mean_[0], run), own = all;
  for (Index c = 0; c < sizes.size(); ++c)
    for (Index j = 0; j < d; ++j) {
      const double by = static_cast<double>(sizes[c]) *
                        (static_cast<double>(means[c][j]) - static_cast<double>(out.mean_[0][j]));
      for (Index k = 0; k < d; ++k)
        own[j * d + k] -= by * (static_cast<double>(means[c][k]) - static_cast<double>(out.mean_[0][k]));
    }
  if (trace_of(own, d) <= 1e-5 * trace_of(all, d)) own = all;
  for (double& v : all) v /= rows;
  for (double& v : own) v /= rows;
  out.whiten_all_ = whitening(std::move(all), d, shrinkage, run);
  out.whiten_own_ = whitening(std::move(own), d, shrinkage, run);
  out.use(std::move(means));
  return out;
}

void OpenSetShape::use(Matrix centroids) {
  centroids_ = std::move(centroids);
  directions_ = centroids_;
  unit_rows(directions_.span());
  Matrix centred = centroids_;
  for (Index c = 0; c < centred.rows(); ++c)
    kernels().axpy(-1, mean_.data(), centred[c].data(), mean_.cols());
  white_ = Matrix(centroids_.rows(), centroids_.cols());
  multiply(centred.view(), Packed::rows(whiten_own_), {}, Activation::none, white_.span());
  half_white_.clear();
  for (Index c = 0; c < white_.rows(); ++c) half_white_.push_back(-squared(white_[c]) / 2);
}

OpenSetShape::Scored OpenSetShape::score(const Rows& x, const Matrix& logits, HeadTask task,
                                         const Run& run) const {
  Scored out{Matrix(x.rows(), kOpenSetScores), {}};
  const Neighbours near = nearest(rows_, x.assume_space(rows_.space()), 1, Metric::cosine, run);
  out.nearest = near.id;
  const Index d = x.cols();
  const Packed all = Packed::rows(whiten_all_), own = Packed::rows(whiten_own_), white = Packed::rows(white_),
               directions = Packed::rows(directions_);
  for_chunks(run, x.rows(), kGrain, [&](Index, Index first, Index last) {
    const Index n = last - first;
    Matrix scratch, centred(n, d), by_all(n, d), by_own(n, d), near_own(n, white_.rows()),
        near_direction(n, white_.rows());
    const MatrixView block = x.block(first, n, scratch);
    for (Index r = 0; r < n; ++r) {
      std::ranges::copy(block[r], centred[r].begin());
      kernels().axpy(-1, mean_.data(), centred[r].data(), d);
    }
    multiply(centred.view(), all, {}, Activation::none, by_all.span());
    multiply(centred.view(), own, {}, Activation::none, by_own.span());
    multiply(by_own.view(), white, half_white_, Activation::none, near_own.span());
    multiply(block, directions, {}, Activation::none, near_direction.span());
    for (Index r = 0; r < n; ++r) {
      const std::span<float> to = out.scores[first + r];
      // |y|^2 - 2 (y.c - |c|^2 / 2), smallest over labels.
      const float nearest_own = squared(by_own[r]) - 2 * std::ranges::max(near_own[r]);
      to[column(OpenSetScore::mahalanobis)] = squared(by_all[r]) - nearest_own;
      to[column(OpenSetScore::nearest)] = 1 - near.distance[first + r];
      const float length = std::sqrt(squared(block[r]));
      to[column(OpenSetScore::centroid)] = length > 0 ? std::ranges::max(near_direction[r]) / length : 0;
      const std::span<const float> z = logits[first + r];
      const auto most = static_cast<double>(std::ranges::max(z));
      double energy = 0;
      if (task == HeadTask::multiclass) {
        for (const float v : z) energy += std::exp(static_cast<double>(v) - most);
        energy = most + std::log(energy);
        to[column(OpenSetScore::softmax)] = static_cast<float>(most - energy);
      } else {
        for (const float v : z)
          energy +=
              std::max(static_cast<double>(v), 0.0) + std::log1p(std::exp(-std::abs(static_cast<double>(v))));
        to[column(OpenSetScore::softmax)] =
            static_cast<float>(-(std::max(-most, 0.0) + std::log1p(std::exp(-std::abs(most)))));
      }
      to[column(OpenSetScore::energy)] = static_cast<float>(energy);
    }
  });
  return out;
}

void OpenSetShape::save(ArchiveWriter& out) const {
  Matrix scratch;
  out.add("rows", rows_.block(0, rows_.rows(), scratch));
  out.add("mean", mean_);
  out.add("centroids", centroids_);
  out.add("whiten_all", whiten_all_);
  out.add("whiten_own", whiten_own_);
}

OpenSetShape OpenSetShape::load(const ArchiveReader& in, const Space& space) {
  OpenSetShape out;
  out.mean_ = in.matrix("mean");
  const Index d = out.mean_.cols();
  out.mean_ = in.matrix("mean", 1, d);
  out.whiten_all_ = in.matrix("whiten_all", d, d);
  out.whiten_own_ = in.matrix("whiten_own", d, d);
  Matrix centroids = in.matrix("centroids");
  Matrix rows = in.matrix("rows");
  require(centroids.cols() == d && rows.cols() == d && rows.rows() > 0 && centroids.rows() > 0, Fault::format,
          in.path().string() + ": training rows or centroids are damaged");
  out.rows_ = Rows(std::move(rows), space);
  out.use(std::move(centroids));
  return out;
}

OpenSetScale::OpenSetScale(const Matrix& scores) {
  const auto n = static_cast<double>(scores.rows());
  for (Index s = 0; s < kOpenSetScores; ++s) {
    double mean = 0, square = 0;
    for (Index i = 0; i < scores.rows(); ++i) mean += static_cast<double>(scores[i][s]) / n;
    for (Index i = 0; i < scores.rows(); ++i) {
      const double off = static_cast<double>(scores[i][s]) - mean;
      square += off * off / n;
    }
    mean_.push_back(mean);
    deviation_.push_back(square > 0 ? std::sqrt(square) : 1);
  }
  if (scores.rows() == 0) return;
  Matrix filled = scores;
  fill_sum(filled);
  for (Index s = 0; s < kOpenSetScores; ++s) {
    std::vector<float>& values = sorted_.emplace_back();
    for (Index i = 0; i < filled.rows(); ++i) values.push_back(filled[i][s]);
    std::ranges::sort(values);
  }
}

void OpenSetScale::fill_sum(Matrix& scores) const {
  for (Index i = 0; i < scores.rows(); ++i) {
    double sum = 0;
    for (const auto s : {OpenSetScore::mahalanobis, OpenSetScore::nearest, OpenSetScore::energy})
      sum += (static_cast<double>(scores[i][column(s)]) - mean_[column(s)]) / deviation_[column(s)];
    scores[i][column(OpenSetScore::sum)] = static_cast<float>(sum);
  }
}

float OpenSetScale::threshold(OpenSetScore score, double coverage) const {
  const std::vector<float>& values = sorted_[column(score)];
  const auto n = static_cast<double>(values.size());
  // So many may score less.
  const auto below = static_cast<Index>(std::floor((1 - coverage) * n + 1e-9));
  return values[std::min(values.size() - 1, below)];
}

double OpenSetScale::p_value(OpenSetScore score, float value) const {
  const std::vector<float>& values = sorted_[column(score)];
  const auto no_more = std::ranges::upper_bound(values, value) - values.begin();
  return static_cast<double>(no_more + 1) / static_cast<double>(values.size() + 1);
}

void OpenSetScale::save(ArchiveWriter& out) const {
  out.add("mean", std::span<const double>(mean_));
  out.add("deviation", std::span<const double>(deviation_));
  Matrix sorted(sorted_.size(), sorted_.empty() ? 0 : sorted_.front().size());
  for (Index s = 0; s < sorted_.size(); ++s) std::ranges::copy(sorted_[s], sorted[s].begin());
  if (!sorted_.empty()) out.add("sorted", sorted);
}

OpenSetScale OpenSetScale::load(const ArchiveReader& in) {
  OpenSetScale out;
  if (!in.has("sorted")) return out;  // of no held-out rows
  out.mean_ = in.doubles("mean", kOpenSetScores);
  out.deviation_ = in.doubles("deviation", kOpenSetScores);
  const Matrix sorted = in.matrix("sorted");
  bool whole = sorted.rows() == kOpenSetScores && sorted.cols() > 0;
  for (Index s = 0; whole && s < kOpenSetScores; ++s) {
    out.sorted_.emplace_back(sorted[s].begin(), sorted[s].end());
    whole = std::ranges::is_sorted(out.sorted_.back()) && out.deviation_[s] > 0;
  }
  require(whole, Fault::format, in.path().string() + ": the scores of held-out rows are damaged");
  return out;
}

}  // namespace shoal
