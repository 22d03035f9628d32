#include "shoal/cluster/linkage/group_centers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr double kGone = -std::numeric_limits<double>::infinity();

/// Groups under their smallest cluster's id, and the similarity of each pair of them.
class Joining {
 public:
  Joining(const Matrix& centers, const std::vector<Index>& sizes)
      : n_(centers.rows()), similarity_(n_ * n_), weight_(n_), group_(n_), alive_(n_, true), best_(n_) {
    for (Index i = 0; i < n_; ++i) weight_[i] = static_cast<double>(std::max<Index>(1, sizes[i]));
    std::iota(group_.begin(), group_.end(), Index{0});
    fill_similarity(centers);
    for (Index i = 0; i < n_; ++i) find_best(i);
  }

  /// Joins the most similar pair.
  void join() {
    Index i = n_;
    for (Index g = 0; g + 1 < n_; ++g)
      if (alive_[g] && best_[g] != n_ && (i == n_ || at(g, best_[g]) > at(i, best_[i]))) i = g;
    const Index j = best_[i];
    for (Index h = 0; h < n_; ++h)
      if (alive_[h] && h != i && h != j) set(h, i, mean(i, j, h));
    weight_[i] += weight_[j];
    alive_[j] = false;
    std::ranges::replace(group_, j, i);
    for (Index h = 0; h < j; ++h)
      if (alive_[h]) refresh(h, i, j);
  }

  Labels labels() const {
    Labels labels{std::vector<Label>(n_), 0};
    for (Index c = 0; c < n_; ++c)
      labels.of[c] = group_[c] == c ? static_cast<Label>(labels.count++) : labels.of[group_[c]];
    return labels;
  }

 private:
  double at(Index i, Index j) const { return similarity_[i * n_ + j]; }
  void set(Index i, Index j, double value) { similarity_[i * n_ + j] = similarity_[j * n_ + i] = value; }

  /// Similarity of h to i and j together: Lance and Williams's rule for average linkage.
  double mean(Index i, Index j, Index h) const {
    return (weight_[i] * at(i, h) + weight_[j] * at(j, h)) / (weight_[i] + weight_[j]);
  }

  void fill_similarity(const Matrix& centers) {
    std::vector<double> length(n_);
    const auto dot = [&](Index i, Index j) {
      return std::inner_product(centers[i].begin(), centers[i].end(), centers[j].begin(), 0.0, std::plus<>{},
                                [](float a, float b) { return static_cast<double>(a) * b; });
    };
    for (Index i = 0; i < n_; ++i) length[i] = std::sqrt(dot(i, i));
    for (Index i = 0; i < n_; ++i)
      for (Index j = 0; j < i; ++j) {
        const double product = length[i] * length[j];
        set(i, j, product > 0 ? dot(i, j) / product : 0);
      }
  }

  /// The most similar living group after i, the lowest of equals; n_ if there is none.
  void find_best(Index i) {
    best_[i] = n_;
    double most = kGone;
    for (Index j = i + 1; j < n_; ++j)
      if (alive_[j] && at(i, j) > most) most = at(i, best_[i] = j);
  }

  /// Makes best_[h] right again after j went into i.
  void refresh(Index h, Index i, Index j) {
    if (h == i || best_[h] == i || best_[h] == j)
      find_best(h);
    else if (h < i && (at(h, i) > at(h, best_[h]) || (at(h, i) == at(h, best_[h]) && i < best_[h])))
      best_[h] = i;
  }

  Index n_;
  std::vector<double> similarity_;  // n x n
  std::vector<double> weight_;      // rows of each group
  std::vector<Index> group_;        // of each cluster
  std::vector<bool> alive_;
  std::vector<Index> best_;
};

}  // namespace

Labels group_centers(const Matrix& centers, const std::vector<Index>& sizes, Index n_groups) {
  const Index n = centers.rows();
  if (sizes.size() != n)
    throw Error(Fault::argument, "group_centers: " + std::to_string(sizes.size()) + " sizes for " +
                                     std::to_string(n) + " clusters");
  if (n_groups < 1 || n_groups > n)
    throw Error(Fault::argument, "group_centers: n_groups is " + std::to_string(n_groups) + "; allowed: 1.." +
                                     std::to_string(n));
  Joining joining(centers, sizes);
  for (Index left = n; left > n_groups; --left) joining.join();
  return joining.labels();
}

Index default_groups(Index n_clusters) {
  if (n_clusters <= 3) return 1;
  return std::clamp<Index>(static_cast<Index>(std::lround(std::sqrt(static_cast<double>(n_clusters)))), 3,
                           20);
}

}  // namespace shoal
