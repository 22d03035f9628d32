#include <algorithm>
#include <limits>

#include "shoal/near/best.h"

namespace shoal {
namespace {

// Scores are compared in pieces of this many: most pieces hold nothing that enters a list.
constexpr Index kPiece = 64;

bool better(const BestLists::Item& a, const BestLists::Item& b) {
  return a.score > b.score || (a.score == b.score && a.id < b.id);
}

// Plain loops that compilers turn into vector compares: no early exit.
bool any_reaches(const float* scores, const float* thresholds, Index n) {
  int hit = 0;
  for (Index i = 0; i < n; ++i) hit |= scores[i] >= thresholds[i];
  return hit != 0;
}

bool any_reaches(const float* scores, float row_threshold, const float* thresholds, Index n) {
  int hit = 0;
  for (Index i = 0; i < n; ++i)
    hit |= scores[i] >= (thresholds[i] < row_threshold ? thresholds[i] : row_threshold);
  return hit != 0;
}

}  // namespace

BestLists::BestLists(Index rows, Index k)
    : k_(k),
      items_(rows * k, Item{-std::numeric_limits<float>::infinity(), kNobody}),
      threshold_(rows, -std::numeric_limits<float>::infinity()) {}

void BestLists::offer(Index list, float score, std::uint32_t id) {
  Item* const heap = items_.data() + list * k_;
  const Item item{score, id};
  if (!better(item, heap[0])) return;
  Index hole = 0;  // sinks from the root, past every child that is worse than the new item
  for (;;) {
    Index child = 2 * hole + 1;
    if (child >= k_) break;
    if (child + 1 < k_ && better(heap[child], heap[child + 1])) ++child;
    if (!better(item, heap[child])) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = item;
  threshold_[list] = heap[0].score;
}

void BestLists::offer_columns(MatrixView scores, Index first_list, Index first_id) {
  const float* const thresholds = threshold_.data() + first_list;
  for (Index r = 0; r < scores.rows; ++r) {
    const float* const row = scores.data + r * scores.stride;
    const auto id = static_cast<std::uint32_t>(first_id + r);
    for (Index begin = 0; begin < scores.cols; begin += kPiece) {
      const Index end = std::min(begin + kPiece, scores.cols);
      if (!any_reaches(row + begin, thresholds + begin, end - begin)) continue;
      for (Index c = begin; c < end; ++c)
        if (row[c] >= thresholds[c]) offer(first_list + c, row[c], id);
    }
  }
}

void BestLists::offer_pairs(MatrixView scores, Index first_row, Index first_column) {
  const float* const thresholds = threshold_.data() + first_column;
  for (Index r = 0; r < scores.rows; ++r) {
    const Index i = first_row + r;
    const float* const row = scores.data + r * scores.stride;
    const Index cols = std::min(scores.cols, i > first_column ? i - first_column : 0);
    for (Index begin = 0; begin < cols; begin += kPiece) {
      const Index end = std::min(begin + kPiece, cols);
      if (!any_reaches(row + begin, threshold_[i], thresholds + begin, end - begin)) continue;
      for (Index c = begin; c < end; ++c) {
        if (row[c] >= threshold_[i]) offer(i, row[c], static_cast<std::uint32_t>(first_column + c));
        if (row[c] >= thresholds[c]) offer(first_column + c, row[c], static_cast<std::uint32_t>(i));
      }
    }
  }
}

std::span<const BestLists::Item> BestLists::sorted(Index list) {
  Item* const items = items_.data() + list * k_;
  std::sort(items, items + k_, better);
  return {items, k_};
}

}  // namespace shoal
