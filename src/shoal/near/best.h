#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// The k best of each of many rows: largest score first, ties by the smaller id. (score, id) is a total
/// order, so what a list holds in the end does not depend on the order of the offers. 8 bytes an entry.
class BestLists {
 public:
  struct Item {
    float score;
    std::uint32_t id;
  };

  BestLists(Index rows, Index k);

  void offer(Index list, float score, std::uint32_t id);

  /// Every score of the tile to the list of its column: scores[r][c] goes to list first_list + c with
  /// id first_id + r.
  void offer_columns(MatrixView scores, Index first_list, Index first_id);

  /// Every score of the tile to both its row and its column: scores[r][c] belongs to the pair
  /// (first_row + r, first_column + c). Pairs with column >= row are skipped: they are other tiles' work.
  void offer_pairs(MatrixView scores, Index first_row, Index first_column);

  /// The list, best first. What was never filled has id kNobody. Sorts in place: call it once, at the end.
  std::span<const Item> sorted(Index list);

  static constexpr std::uint32_t kNobody = 0xFFFFFFFF;

 private:
  Index k_;
  std::vector<Item> items_;  // list after list, each a heap with its worst item first
  std::vector<float>
      threshold_;  // score of the worst: kept apart, so that a row of scores is compared at once
};

}  // namespace shoal
