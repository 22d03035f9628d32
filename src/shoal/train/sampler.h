#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/texts.h"

namespace shoal {

/// How rows are put together (sentence-transformers' batch_sampler).
/// shuffled: in a random order. no_duplicates: no text twice in a batch. group_by_label: at least two labels
/// in a batch, each with at least two rows.
enum class Batching : std::uint8_t { shuffled, no_duplicates, group_by_label };
constexpr auto names_of(Batching) { return std::array{"shuffled", "no_duplicates", "group_by_label"}; }

/// The rows of each batch of an epoch, in order.
struct Batches {
  std::vector<Index> rows;
  std::vector<Index> starts{0};  ///< of each batch among the rows, and one more
  std::vector<Index>
      left_out;  ///< rows that no batch of this epoch has, in order; other epochs leave out others

  Index size() const { return starts.size() - 1; }
  std::span<const Index> operator[](Index batch) const {
    return std::span(rows).subspan(starts[batch], starts[batch + 1] - starts[batch]);
  }
};

/// All that follows is a function of its arguments: the same rows, sizes, seed and epoch give the same
/// batches. Epochs differ. `least`: rows that a batch must have (2 for losses that set rows against each
/// other). Error(argument) if batch_size is 0 or below `least`.

/// 0..n-1 in a random order (Fisher and Yates).
std::vector<Index> shuffled(Index n, Seed seed, Index epoch);

/// Each row once. The last batch is smaller if rows are left over; if it would have fewer than `least`, it
/// takes some of the batch before, or joins it if neither could do (so that batch has at most least - 1 rows
/// too many). Fewer rows than `least` in all: one batch of them.
Batches shuffled_batches(Index rows, Index batch_size, Index least, Seed seed, Index epoch);

/// A number for each text, the same for the same bytes: columns.size() a row, rows one after another.
/// Error(argument) unless the columns have as many texts as each other.
std::vector<std::uint32_t> text_numbers(std::span<const Texts* const> columns);

/// No text twice in a batch, also of different columns; within a row texts may be the same. `texts`:
/// text_numbers, `columns` a row. Rows are taken in a random order and each goes into the first batch with
/// room that has none of its texts: of the first 32 with room, or else behind all that have one of its texts.
/// So a row that does not fit waits for a later batch, and time is bounded: O(rows columns log rows), however
/// often a text occurs. If one batch has fewer than `least` rows, it takes some of those before. If several
/// have, as those of a text do that occurs in more rows than there are batches, their rows are left out; all
/// others come once.
Batches batches_without_duplicates(std::span<const std::uint32_t> texts, Index columns, Index batch_size,
                                   Index least, Seed seed, Index epoch);

/// Each batch has at least two labels and two rows of each of its labels. Labels take turns, in a random
/// order each time, with two of their rows, until only one label has rows; batches are cut from that. Left
/// out: a label's odd row, rows of kNoise, and what the most frequent label has beyond the second most
/// frequent. A last batch of fewer than 4 rows is left out. Error(argument) if batch_size is odd or below 4;
/// Error(data) if fewer than two labels have two rows.
Batches batches_by_label(const Labels& labels, Index batch_size, Seed seed, Index epoch);

/// How several data sets take turns, batch by batch (multi_dataset_batch_sampler). round_robin: one after
/// another until the first has no more. proportional: in a random order, all batches of each.
enum class Mixing : std::uint8_t { proportional, round_robin };
constexpr auto names_of(Mixing) { return std::array{"proportional", "round_robin"}; }

/// Whose turn it is: the k-th time that a set is named, it is its k-th batch. n_batches: of each set.
std::vector<Index> set_order(std::span<const Index> n_batches, Mixing mixing, Seed seed, Index epoch);

}  // namespace shoal
