#pragma once

#include <span>
#include <vector>

#include "shoal/train/loss.h"

namespace shoal {

/// A batch whose shapes have been checked, and where its slopes go: zeros in the shapes of the columns.
struct LossTask {
  const LossOptions& options;
  const LossBatch& batch;
  std::vector<Matrix>& slopes;
  const Run& run;

  Index rows() const { return batch.rows(); }
  Index dims() const { return batch.columns.front().cols; }
  double target(Index row) const { return static_cast<double>(batch.targets[row][0]); }
};

double loss_of_pairs(const LossTask& task);  ///< cosine, cosent, angle, contrastive, online_contrastive
double loss_of_triplets(const LossTask& task);
double loss_of_ranking(const LossTask& task);
double loss_of_batch_triplets(const LossTask& task);
double loss_of_teacher(const LossTask& task);  ///< mse, margin_mse, distill_kl

/// Sums in double, term by term.
double product_of(std::span<const float> a, std::span<const float> b);
double length_of(std::span<const float> x);

/// How alike or how far apart two vectors are, and what that says of each of them.
class PairSlope {
 public:
  PairSlope(std::span<const float> a, std::span<const float> b) : a_(a), b_(b) {}

  double cosine();
  double distance(LossDistance kind);
  /// Euclidean, each difference made `shift` larger first, as torch's pairwise_distance does.
  double shifted_euclidean(double shift);
  /// to_a += factor times the slope of the last of these by a; the same for b.
  void add(double factor, std::span<double> to_a, std::span<double> to_b) const;  // in and out: to_a, to_b

 private:
  // The slope by a is own_a a + other b + shift, and by b own_b b + other a - shift.
  std::span<const float> a_, b_;
  double own_a_ = 0, own_b_ = 0, other_ = 0, shift_ = 0;
};

/// x[row] scaled to length 1, rounded to float; rows of zeros stay. lengths: of each.
Matrix unit_length(MatrixView x, std::vector<double>& lengths, const Run& run);  // out: lengths
/// The slope by a vector, from that by its unit vector: (slope - unit (unit . slope)) / length; 0 if it has
/// none.
void unit_back(std::span<const float> unit, double length, std::span<const double> slope,
               std::span<float> out);  // out: out

}  // namespace shoal
