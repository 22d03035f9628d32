#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "shoal/cluster/kmeans/seeding_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;             // rows multiplied at a time
constexpr Index kBatch = 32;              // most seeds chosen between two passes over the data
constexpr Index kTries = 8 * kBatch;      // most draws for one batch, a candidate
constexpr Index kJurors = 8192;           // most rows that candidates are compared on
constexpr Index kPanel = 512;             // jurors multiplied at a time
constexpr std::uint64_t kJury = 1 << 20;  // child of the seed that draws the jurors
constexpr float kNearlyEqual = 0.001f;    // shares below are too coarse: D^2 is taken from the difference
constexpr Index kPasses = 5;              // of k-means||
constexpr double kOversampling = 2;       // rows that a pass takes, on average, as a multiple of n_clusters

float length_squared(std::span<const float> x) { return kernels().dot(x.data(), x.data(), x.size()); }

/// Of a seed's candidates as many as scikit-learn draws.
Index candidates_for(Index n_clusters) {
  return 2 + static_cast<Index>(std::log(static_cast<double>(n_clusters)));
}

/// Each row that may be the first seed is as far away as rows can be.
float furthest(Metric metric) { return metric == Metric::cosine ? 4 : std::numeric_limits<float>::max(); }

/// Says which of some candidates leaves the smallest potential, the sum of w D^2: over all rows, or over
/// kJurors of them, evenly drawn. These stay the right-hand side of every product, packed once.
class Jury {
 public:
  Jury(const MetricRows& rows, std::span<const float> weights, Seed seed, const Run& run)
      : cosine_(rows.metric() == Metric::cosine), run_(run) {
    const Index count = std::min(rows.rows(), kJurors);
    const Random random(seed);
    RowScratch scratch;
    Matrix panel(std::min(count, kPanel), rows.cols());
    for (Index i = 0; distance_.size() < count; ++i) {
      if (random.below(i, rows.rows() - i) >= count - distance_.size()) continue;
      const Index place = distance_.size() % kPanel;
      std::ranges::copy(rows.block(i, 1, scratch)[0], panel[place].begin());
      distance_.push_back(rows.zero(i) ? 0 : furthest(rows.metric()));
      length_.push_back(rows.squared_length(i));
      weight_.push_back(weights.empty() ? 1 : weights[i]);
      if (place + 1 == kPanel || distance_.size() == count)
        panels_.push_back(Packed::rows(panel.view().slice(0, place + 1)));
    }
  }

  /// The best candidate, the first of equals, which becomes a seed.
  Index choose(MatrixView candidates) {
    if (products_.rows() != candidates.rows * panels_.size())
      products_ = Matrix(candidates.rows * panels_.size(), kPanel);
    std::vector<float> lengths(candidates.rows);
    for (Index c = 0; c < candidates.rows; ++c) lengths[c] = cosine_ ? 1 : length_squared(candidates[c]);
    const auto potentials = fold_chunks(
        run_, panels_.size(), 1, std::vector<double>(candidates.rows),
        [&](Index p, Index) { return judge(p, candidates, lengths); },
        [](std::vector<double>& all, const std::vector<double>& part) {
          for (Index c = 0; c < all.size(); ++c) all[c] += part[c];
        });
    const auto best = static_cast<Index>(std::ranges::min_element(potentials) - potentials.begin());
    for (Index p = 0; p < panels_.size(); ++p)
      std::ranges::copy(distances(p, best, candidates.rows),
                        distance_.begin() + static_cast<std::ptrdiff_t>(p * kPanel));
    return best;
  }

 private:
  /// What D^2 of a panel's jurors becomes by a candidate.
  std::span<float> distances(Index panel, Index candidate, Index candidates) {
    return products_[panel * candidates + candidate].first(panels_[panel].outputs());
  }

  /// The potential of a panel's jurors by each candidate.
  std::vector<double> judge(Index panel, MatrixView candidates, std::span<const float> lengths) {
    const Index first = panel * kPanel, count = panels_[panel].outputs();
    multiply(candidates, panels_[panel], {}, Activation::none,
             MatrixSpan{products_[panel * candidates.rows].data(), candidates.rows, count, kPanel});
    std::vector<double> sums(candidates.rows);
    for (Index c = 0; c < candidates.rows; ++c) {
      const std::span<float> distance = distances(panel, c, candidates.rows);
      for (Index j = 0; j < count; ++j) {
        distance[j] =
            std::clamp(length_[first + j] + lengths[c] - 2 * distance[j], 0.0f, distance_[first + j]);
        sums[c] += static_cast<double>(weight_[first + j]) * distance[j];
      }
    }
    return sums;
  }

  bool cosine_;
  Run run_;
  std::vector<Packed> panels_;
  std::vector<float> distance_, length_, weight_;  // a juror; distance: D^2 to the nearest seed
  Matrix products_;                                // panels x candidates, kPanel
};

class Seeder {
 public:
  Seeder(const MetricRows& rows, std::span<const float> weights, Index n_clusters, Seed seed, const Run& run)
      : rows_(rows),
        weights_(weights),
        n_clusters_(n_clusters),
        seed_(seed),
        random_(seed),
        run_(run.quiet()),
        distance_(rows.rows()),
        chunk_sum_(chunk_count(rows.rows(), kGrain)) {
    for (Index i = 0; i < rows.rows(); ++i) distance_[i] = rows.zero(i) ? 0 : furthest(rows.metric());
    sum_weights();
  }

  /// Up to n_clusters rows: fewer if there are fewer distinct ones.
  Matrix plus_plus() {
    centers_ = Matrix(n_clusters_, rows_.cols());
    Jury jury(rows_, weights_, seed_.child(kJury), run_);
    while (chosen_ < n_clusters_ && total_ > 0) {
      const Index before = chosen_;
      draw_batch(jury);
      if (chosen_ < n_clusters_) lower_distances(centers_.view().slice(before, chosen_ - before), before);
    }
    if (chosen_ == n_clusters_) return std::move(centers_);
    Matrix fewer(chosen_, rows_.cols());
    std::copy_n(centers_.data(), chosen_ * rows_.cols(), fewer.data());
    return fewer;
  }

  Matrix parallel() {
    nearest_.resize(rows_.rows());
    if (total_ > 0) take({draw()});
    for (Index pass = 0;; ++pass) {
      const bool all = total_ <= 0;  // every distinct row is a candidate
      if (all || (pass >= kPasses && candidates_.size() >= n_clusters_)) {
        Matrix seeds = of_candidates(pass);
        if (all || seeds.rows() == n_clusters_) return seeds;
      }
      take(sample());
    }
  }

 private:
  double weight(Index row) const {
    return weights_.empty() ? distance_[row] : static_cast<double>(distance_[row]) * weights_[row];
  }

  // ---- k-means||

  /// Each row with probability in proportion to its weight; at least one.
  std::vector<Index> sample() {
    const double share = kOversampling * static_cast<double>(n_clusters_) / total_;
    std::vector<std::vector<Index>> taken(chunk_sum_.size());
    for_chunks(run_, rows_.rows(), kGrain, [&](Index chunk, Index first, Index last) {
      for (Index i = first; i < last; ++i)
        if (weight(i) > 0 && random_.uniform(draws_ + i) < share * weight(i)) taken[chunk].push_back(i);
    });
    draws_ += rows_.rows();
    std::vector<Index> rows;
    for (const auto& part : taken) rows.insert(rows.end(), part.begin(), part.end());
    if (rows.empty()) rows.push_back(draw());
    return rows;
  }

  void take(const std::vector<Index>& rows) {
    const Index before = candidates_.size();
    candidates_.insert(candidates_.end(), rows.begin(), rows.end());
    const Matrix taken = rows_.gather(rows);
    lower_distances(taken.view(), before);
  }

  Matrix of_candidates(Index pass) {
    std::vector<double> mass(candidates_.size());
    for (Index i = 0; i < rows_.rows() && !mass.empty(); ++i)
      if (!rows_.zero(i)) mass[nearest_[i]] += weights_.empty() ? 1 : weights_[i];
    for (Index c = 0; c < mass.size(); ++c)  // at least its own row's, where an equal one came before it
      mass[c] = std::max<double>(mass[c], weights_.empty() ? 1 : weights_[candidates_[c]]);
    const std::vector<float> weights(mass.begin(), mass.end());
    const Matrix found = rows_.gather(candidates_);
    const MetricRows rows(found, rows_.metric(), ShiftScale{}, run_);
    return Seeder(rows, weights, n_clusters_, seed_.child(pass), run_).plus_plus();
  }

  // ---- k-means++

  /// The first seed is the first candidate, as any row may be it.
  void draw_batch(Jury& jury) {
    const Index before = chosen_;
    const Index most = before == 0 ? 1 : std::min(n_clusters_, before + kBatch);
    Matrix candidates(before == 0 ? 1 : candidates_for(n_clusters_), rows_.cols());
    Index tries = kTries * candidates.rows();
    while (chosen_ < most) {
      for (Index c = 0; c < candidates.rows(); ++c)
        if (!draw_candidate(before, candidates[c], tries)) return;
      const Index best = jury.choose(candidates.view());
      std::ranges::copy(candidates[best], centers_[chosen_++].begin());
    }
  }

  /// A row with probability in proportion to its weight by all seeds. False if that takes more than `tries`
  /// draws by the seeds before the batch, of which it uses some.
  bool draw_candidate(Index before, std::span<float> candidate, Index& tries) {
    for (; tries > 0; --tries) {
      const Index row = draw();
      const std::span<const float> x = rows_.block(row, 1, scratch_)[0];
      float distance = distance_[row];
      for (Index c = before; c < chosen_; ++c)
        distance = std::min(distance, kernels().squared_distance(x.data(), centers_[c].data(), x.size()));
      if (random_.uniform(draws_++) * distance_[row] >= distance) continue;
      std::ranges::copy(x, candidate.begin());
      return true;
    }
    return false;
  }

  /// A row with probability weight / total.
  Index draw() {
    double left = random_.uniform(draws_++) * total_;
    Index chunk = 0;
    while (chunk + 1 < chunk_sum_.size() && left >= chunk_sum_[chunk]) left -= chunk_sum_[chunk++];
    while (chunk > 0 && chunk_sum_[chunk] <= 0) --chunk;  // rounding can push past the last weight
    const Index first = chunk * kGrain, last = std::min(first + kGrain, rows_.rows());
    Index found = first;
    for (Index i = first; i < last; ++i) {
      if (weight(i) <= 0) continue;
      found = i;
      if (left < weight(i)) break;
      left -= weight(i);
    }
    return found;
  }

  // ---- both

  /// Distances become D^2 to the nearest of all seeds, the new ones included; these are numbered from
  /// `number`.
  void lower_distances(MatrixView seeds, Index number) {
    const Packed packed = Packed::rows(seeds);
    std::vector<float> lengths(seeds.rows);
    for (Index c = 0; c < seeds.rows; ++c)
      lengths[c] = rows_.metric() == Metric::cosine ? 1 : length_squared(seeds[c]);
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      RowScratch scratch;
      Matrix products(kBlock, seeds.rows);
      for (Index i = first; i < last; i += kBlock) {
        const Index count = std::min(kBlock, last - i);
        const MatrixView x = rows_.block(i, count, scratch);
        multiply(x, packed, {}, Activation::none, products.span().slice(0, count));
        for (Index r = 0; r < count; ++r) lower(i + r, x[r], seeds, lengths, products[r], number);
      }
    });
    sum_weights();
  }

  void lower(Index row, std::span<const float> x, MatrixView seeds, std::span<const float> lengths,
             std::span<const float> products, Index number) {
    float& least = distance_[row];
    if (least <= 0) return;
    const float length = rows_.squared_length(row);
    for (Index c = 0; c < seeds.rows; ++c) {
      const float both = length + lengths[c];
      float distance = both - 2 * products[c];
      if (distance < kNearlyEqual * both)
        distance = kernels().squared_distance(x.data(), seeds[c].data(), x.size());
      if (distance >= least) continue;
      least = distance;
      if (!nearest_.empty()) nearest_[row] = static_cast<std::uint32_t>(number + c);
    }
  }

  void sum_weights() {
    for_chunks(run_, rows_.rows(), kGrain, [&](Index chunk, Index first, Index last) {
      double sum = 0;
      for (Index i = first; i < last; ++i) sum += weight(i);
      chunk_sum_[chunk] = sum;
    });
    total_ = std::accumulate(chunk_sum_.begin(), chunk_sum_.end(), 0.0);
  }

  const MetricRows& rows_;
  std::span<const float> weights_;
  Index n_clusters_;
  Seed seed_;
  Random random_;
  std::uint64_t draws_ = 0;
  Run run_;
  std::vector<float> distance_;    // D^2 of each row
  std::vector<double> chunk_sum_;  // of weight(), a chunk
  double total_ = 0;
  Matrix centers_;
  Index chosen_ = 0;
  std::vector<Index> candidates_;       // of k-means||: rows
  std::vector<std::uint32_t> nearest_;  // of k-means||: the candidate at D^2 from each row
  RowScratch scratch_;
};

}  // namespace

Matrix seed_centers(const MetricRows& rows, Index n_clusters, Seed seed, const Run& run, KMeansInit init,
                    std::span<const float> weights) {
  Seeder seeder(rows, weights, n_clusters, seed, run);
  Matrix seeds = init == KMeansInit::kmeans_parallel ? seeder.parallel() : seeder.plus_plus();
  if (seeds.rows() == n_clusters) return seeds;
  const std::string have = std::to_string(seeds.rows());
  const char* kind = rows.metric() == Metric::cosine ? " distinct non-zero rows" : " distinct rows";
  throw Error(Fault::data, option_name("n_clusters") + " is " + std::to_string(n_clusters) + ", but only " +
                               have + kind + (weights.empty() ? "" : " of positive weight") + " were given" +
                               (seeds.rows() > 0 ? "; allowed: 1.." + have : std::string()));
}

}  // namespace shoal
