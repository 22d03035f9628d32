#include "shoal/cluster/lloyd_impl.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include "shoal/cluster/angle_bounds_impl.h"
#include "shoal/cluster/exact_sums_impl.h"
#include "shoal/cluster/nearest_center_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kGrain = 2048;
constexpr Index kBlock = 256;    // rows looked at together: they stay in the second-level cache
constexpr Index kLearnFrom = 1;  // the round whose products are remembered: the first centroids move too far
// A single product costs about so many times its share of a matrix product: rows that need more than one in
// so many of the centroids get all of them.
constexpr Index kProductCost = 4;
constexpr float kOwnRow = 1 - 1e-6f;  // a row closer than this to its centroid gains nothing by its own one

class Rounds {
 public:
  Rounds(const UnitRows& rows, Matrix start, const LloydOptions& options, const Run& run)
      : rows_(rows),
        options_(options),
        run_{.threads = run.threads, .stop = run.stop, .progress = {}},
        centers_(std::move(start)),
        labels_(rows.rows(), kNoise),
        sums_(clusters(), rows.cols(), rows.rows()),
        angles_(rows.cols()),
        bounds_(options.bounds ? rows.rows() : 0, clusters(), options.bound_bytes) {}

  LloydResult go(const Run& run) {
    double objective = 0;
    Index round = 0;
    for (;; ++round) {
      const Index changed = assign(round);
      const double before = std::exchange(objective, total());
      if (run.progress)
        run.progress("k-means", static_cast<double>(round), static_cast<double>(options_.max_iter));
      const bool slow = round > 0 && options_.tol > 0 && objective - before < options_.tol * std::abs(before);
      if (round == options_.max_iter || (slow && !has_empty())) break;
      if (fill_empty() == 0 && changed == 0) break;
      move_centers();
    }
    const double most = static_cast<double>(options_.max_iter);
    if (run.progress) run.progress("k-means", most, most);
    return {std::move(centers_), {std::move(labels_), sums_clusters_}, objective, round};
  }

 private:
  struct Scratch {
    UnitScratch unit;
    std::vector<std::uint32_t> sets;
    std::vector<Index> full;  // rows of the block that need every product
    Matrix gathered, cosines;
  };

  Index clusters() const { return centers_.rows(); }

  // ---- labels

  /// Labels every row by the current centers; returns how many labels changed.
  Index assign(Index round) {
    packed_ = Packed::rows(centers_.view());
    learning_ = options_.bounds && round >= kLearnFrom;
    const bool informed = options_.bounds && round > kLearnFrom;
    changed_ = 0;
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      Scratch scratch;
      for (Index i = first; i < last; i += kBlock)
        assign_block(i, std::min(kBlock, last - i), informed, scratch);
    });
    return changed_;
  }

  void assign_block(Index first, Index count, bool informed, Scratch& scratch) {
    const MatrixView x = rows_.block(first, count, scratch.unit);
    scratch.full.clear();
    for (Index r = 0; r < count; ++r)
      if (!rows_.zero(first + r) && !(informed && settled_by_bounds(first + r, x[r], scratch)))
        scratch.full.push_back(r);
    if (scratch.full.empty()) return;
    for_cosines(gather(x, scratch), packed_, scratch.cosines, [&](Index n, std::span<const float> cosines) {
      const Index r = scratch.full[n];
      const Nearest best = nearest(cosines);
      relabel(first + r, x[r], best.label);
      if (!learning_) return;
      bounds_.set_limit(first + r, best.label, angles_.limit(best.cosine));
      bounds_.learn(first + r, best.label, cosines, angles_);
    });
  }

  /// The rows that need every product, one after another in memory.
  static MatrixView gather(MatrixView x, Scratch& scratch) {
    if (scratch.full.size() == x.rows) return x;
    if (scratch.gathered.rows() == 0) scratch.gathered = Matrix(kBlock, x.cols);
    for (Index n = 0; n < scratch.full.size(); ++n)
      std::ranges::copy(x[scratch.full[n]], scratch.gathered[n].begin());
    return scratch.gathered.view().slice(0, scratch.full.size());
  }

  void relabel(Index row, std::span<const float> x, Label label) {
    const Label old = std::exchange(labels_[row], label);
    if (old == label) return;
    sums_.move(x, old, label);
    changed_.fetch_add(1, std::memory_order_relaxed);
  }

  /// True if bounds and a few products settle the row's label: then it is up to date.
  bool settled_by_bounds(Index row, std::span<const float> x, Scratch& scratch) {
    const Label own = labels_[row];
    bounds_.settle(row, own);
    int limit = bounds_.limit(row, own);
    if (limit >= kRightAngle) return false;
    if (!bounds_.any_within(row, limit)) return true;

    const float cosine =
        product(x, own);  // a sharper limit than the one that the centroid's moves have blurred
    limit = angles_.limit(cosine);
    if (limit >= kRightAngle) return false;
    bounds_.set_limit(row, own, limit);
    const auto sets = bounds_.sets_within(row, limit, scratch.sets);
    if (sets.empty()) return true;
    if (sets.size() * bounds_.width() * kProductCost > clusters()) return false;
    return try_sets(row, x, {own, cosine}, sets);
  }

  /// Looks at the centroids of `sets`. False if the best two are too close for products in this order
  /// of summation to tell which of them `gemm` finds larger.
  bool try_sets(Index row, std::span<const float> x, const Nearest own, std::span<const std::uint32_t> sets) {
    Nearest best = own;
    float second = -2, best_set_second = -2;  // second of all; second in the set of the best
    Index best_set = bounds_.sets();          // none: the own one
    for (const std::uint32_t s : sets) {
      const Index begin = s * bounds_.width(), end = std::min(begin + bounds_.width(), clusters());
      float first_here = -2, second_here = -2;
      Label label_here = kNoise;
      for (Index c = begin; c < end; ++c) {
        if (static_cast<Label>(c) == own.label) continue;
        const float cosine = product(x, static_cast<Label>(c));
        if (cosine > first_here) {
          second_here = std::exchange(first_here, cosine);
          label_here = static_cast<Label>(c);
        } else {
          second_here = std::max(second_here, cosine);
        }
      }
      if (label_here == kNoise) continue;
      bounds_.set_bound(row, s, angles_.at_least(first_here));
      second = std::max({second, second_here, std::min(best.cosine, first_here)});
      if (first_here > best.cosine) {
        best = {label_here, first_here};
        best_set = s;
        best_set_second = second_here;
      }
    }
    if (best.cosine - second <= 4 * angles_.slack()) return false;
    if (best.label != own.label) change_own(row, own, best, best_set, best_set_second);
    relabel(row, x, best.label);
    return true;
  }

  /// The old centroid becomes one of the others, the new one leaves them.
  void change_own(Index row, const Nearest& old, const Nearest& now, Index now_set, float now_set_second) {
    const Index old_set = static_cast<Index>(old.label) / bounds_.width();
    bounds_.set_bound(row, now_set, now_set_second < -1.5f ? kNoAngle : angles_.at_least(now_set_second));
    const int known = bounds_.bound(row, old_set), old_bound = angles_.at_least(old.cosine);
    if (old_bound < known) bounds_.set_bound(row, old_set, static_cast<Angle>(old_bound));
    bounds_.set_limit(row, now.label, angles_.limit(now.cosine));
  }

  float product(std::span<const float> x, Label center) const {
    return kernels().dot(x.data(), centers_[static_cast<Index>(center)].data(), x.size());
  }

  // ---- centers

  /// Sum of the cosines of all rows to their own centers, from the exact sums.
  double total() const {
    double sum = 0;
    for (Index c = 0; c < clusters(); ++c) {
      const auto s = sums_.sum(c);
      for (Index j = 0; j < s.size(); ++j) sum += s[j] * centers_[c][j];
    }
    return sum;
  }

  bool has_empty() const {
    for (Index c = 0; c < clusters(); ++c)
      if (sums_.count(c) == 0) return true;
    return false;
  }

  /// Gives each empty cluster the furthest row; returns how many got one.
  Index fill_empty() {
    if (!has_empty()) return 0;
    const std::vector<float> cosine = own_cosines();
    std::vector<Index> order(rows_.rows());
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::stable_sort(order, {}, [&](Index i) { return cosine[i]; });
    auto next = order.begin();
    Index filled = 0;
    for (Index c = 0; c < clusters(); ++c) {
      if (sums_.count(c) > 0) continue;
      while (next != order.end() && !may_leave(*next, cosine)) ++next;
      if (next == order.end()) break;
      UnitScratch scratch;
      const Index row = *next++;
      relabel(row, rows_.block(row, 1, scratch)[0], static_cast<Label>(c));
      if (options_.bounds) bounds_.forget(row);
      ++filled;
    }
    return filled;
  }

  bool may_leave(Index row, const std::vector<float>& cosine) const {
    return labels_[row] != kNoise && cosine[row] < kOwnRow &&
           sums_.count(static_cast<Index>(labels_[row])) > 1;
  }

  std::vector<float> own_cosines() const {
    std::vector<float> cosine(rows_.rows());
    for_chunks(run_, rows_.rows(), kGrain, [&](Index, Index first, Index last) {
      UnitScratch scratch;
      const MatrixView x = rows_.block(first, last - first, scratch);
      for (Index i = first; i < last; ++i)
        if (labels_[i] != kNoise) cosine[i] = product(x[i - first], labels_[i]);
    });
    return cosine;
  }

  void move_centers() {
    std::vector<Angle> step(clusters());
    for_chunks(run_, clusters(), 16, [&](Index, Index first, Index last) {
      std::vector<float> old(rows_.cols());
      for (Index c = first; c < last; ++c) {
        std::ranges::copy(centers_[c], old.begin());
        move_center(c);
        step[c] = AngleTable::step(old, centers_[c]);
      }
    });
    if (options_.bounds) bounds_.advance(step);
  }

  void move_center(Index c) {
    constexpr double kCancelled = 1e-12;  // squared length below which a sum has no direction
    const auto sum = sums_.sum(c);
    const double squared = std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0);
    if (squared < kCancelled) return;
    const double scale = 1 / std::sqrt(squared);
    for (Index j = 0; j < sum.size(); ++j) centers_[c][j] = static_cast<float>(sum[j] * scale);
  }

  const UnitRows& rows_;
  LloydOptions options_;
  Run run_;
  Matrix centers_;
  Index sums_clusters_ = centers_.rows();
  std::vector<Label> labels_;
  ExactSums sums_;
  AngleTable angles_;
  AngleBounds bounds_;
  Packed packed_;
  bool learning_ = false;
  std::atomic<Index> changed_ = 0;
};

}  // namespace

LloydResult lloyd(const UnitRows& rows, Matrix start, const LloydOptions& options, const Run& run) {
  return Rounds(rows, std::move(start), options, run).go(run);
}

}  // namespace shoal
