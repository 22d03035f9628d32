#include <algorithm>
#include <numeric>
#include <string>

#include "shoal/cluster/seeding_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;           // rows multiplied at a time
constexpr Index kBatch = 32;            // most rows accepted between two passes over the data
constexpr Index kTries = 8 * kBatch;    // most candidates looked at for one batch
constexpr float kNearlyEqual = 0.999f;  // cosines above are too coarse: D^2 is taken from the difference

class Seeder {
 public:
  Seeder(const UnitRows& rows, Index n_clusters, Seed seed, const Run& run)
      : rows_(rows),
        random_(seed),
        run_{.threads = run.threads, .stop = run.stop, .progress = {}},
        weight_(rows.rows()),
        chunk_sum_(chunk_count(rows.rows(), kGrain)),
        centers_(n_clusters, rows.cols()) {}

  Matrix seeds() {
    for (Index i = 0; i < rows_.rows(); ++i) weight_[i] = rows_.zero(i) ? 0 : 4;  // any row may be the first
    sum_weights();
    while (chosen_ < centers_.rows()) {
      if (total_ <= 0) too_few();
      const Index before = chosen_;
      draw_batch();
      if (chosen_ < centers_.rows()) lower_weights(centers_.view().slice(before, chosen_ - before));
    }
    return std::move(centers_);
  }

 private:
  [[noreturn]] void too_few() const {
    const std::string have = std::to_string(chosen_);
    throw Error(Fault::data, "n_clusters is " + std::to_string(centers_.rows()) + ", but only " + have +
                                 " distinct non-zero rows were given" +
                                 (chosen_ > 0 ? "; allowed: 1.." + have : std::string()));
  }

  void draw_batch() {
    const Index before = chosen_;
    const Index most = before == 0 ? 1 : std::min(centers_.rows(), before + kBatch);
    for (Index t = 0; t < kTries && chosen_ < most; ++t) {
      const Index row = draw();
      const std::span<const float> x = rows_.block(row, 1, scratch_)[0];
      float distance = weight_[row];
      for (Index c = before; c < chosen_; ++c)
        distance = std::min(distance, kernels().squared_distance(x.data(), centers_[c].data(), x.size()));
      if (random_.uniform(draws_++) * weight_[row] < distance)
        std::ranges::copy(x, centers_[chosen_++].begin());
    }
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
      if (weight_[i] <= 0) continue;
      found = i;
      if (left < weight_[i]) break;
      left -= weight_[i];
    }
    return found;
  }

  /// Weights become D^2 to the nearest of all seeds, the new ones included.
  void lower_weights(MatrixView seeds) {
    const Packed packed = Packed::rows(seeds);
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      UnitScratch scratch;
      Matrix cosines(kBlock, seeds.rows);
      for (Index i = first; i < last; i += kBlock) {
        const Index count = std::min(kBlock, last - i);
        const MatrixView x = rows_.block(i, count, scratch);
        multiply(x, packed, {}, Activation::none, cosines.span().slice(0, count));
        for (Index r = 0; r < count; ++r) lower(weight_[i + r], x[r], seeds, cosines[r]);
      }
    });
    sum_weights();
  }

  static void lower(float& weight, std::span<const float> x, MatrixView seeds,
                    std::span<const float> cosines) {
    if (weight <= 0) return;
    for (Index c = 0; c < seeds.rows; ++c) {
      const float distance = cosines[c] < kNearlyEqual
                                 ? 2 - 2 * cosines[c]
                                 : kernels().squared_distance(x.data(), seeds[c].data(), x.size());
      weight = std::min(weight, distance);
    }
  }

  void sum_weights() {
    for_chunks(run_, rows_.rows(), kGrain, [&](Index chunk, Index first, Index last) {
      chunk_sum_[chunk] = std::accumulate(weight_.begin() + first, weight_.begin() + last, 0.0);
    });
    total_ = std::accumulate(chunk_sum_.begin(), chunk_sum_.end(), 0.0);
  }

  const UnitRows& rows_;
  Random random_;
  std::uint64_t draws_ = 0;
  Run run_;
  std::vector<float> weight_;      // D^2 of each row
  std::vector<double> chunk_sum_;  // of weight_, a chunk
  double total_ = 0;
  Matrix centers_;
  Index chosen_ = 0;
  UnitScratch scratch_;
};

}  // namespace

Matrix seed_centers(const UnitRows& rows, Index n_clusters, Seed seed, const Run& run) {
  return Seeder(rows, n_clusters, seed, run).seeds();
}

}  // namespace shoal
