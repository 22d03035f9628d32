#include "shoal/train/sampler.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr Index kLooks = 32;  // batches with room that a row looks at

void shuffle(std::vector<Index>& x, Seed seed) {
  const Random random(seed);
  for (Index i = x.size(); i > 1; --i) std::swap(x[i - 1], x[random.below(i, i)]);
}

void check_size(Index batch_size, Index least) {
  require(batch_size > 0, Fault::argument, option_name("batch_size") + " is 0; it must be 1 or more");
  if (batch_size < least)
    throw Error(Fault::argument, option_name("batch_size") + " is " + std::to_string(batch_size) +
                                     "; this loss sets rows against each other, so it must be " +
                                     std::to_string(least) + " or more");
}

void end_batch(Batches& to) { to.starts.push_back(to.rows.size()); }

/// Batches of rows, and which of them still have room.
class Room {
 public:
  explicit Room(Index size) : size_(size) {}

  /// The first batch from `at` on that has room; it may be a new one.
  Index first(Index at) {
    while (at >= rows_.size()) open();
    Index found = at;
    while (next_[found] != found) {
      found = next_[found];
      if (found == rows_.size()) open();
    }
    while (next_[at] != found) at = std::exchange(next_[at], found);
    return found;
  }
  void add(Index batch, Index row) {
    rows_[batch].push_back(row);
    if (rows_[batch].size() == size_) next_[batch] = batch + 1;
  }
  std::vector<std::vector<Index>>& batches() { return rows_; }

 private:
  void open() {
    next_.push_back(rows_.size());
    rows_.emplace_back();
  }

  Index size_;
  std::vector<std::vector<Index>> rows_;
  std::vector<Index> next_;  // itself, or a later batch that may have room
};

/// Gives a batch rows of those before it (the nearest 32) that have rows to spare and none of its texts.
void fill_up(std::vector<std::vector<Index>>& batches, Index number, Index least,
             std::span<const std::uint32_t> texts, Index columns) {
  std::vector<Index>& small = batches[number];
  const auto share = [&](Index a, Index b) {
    return std::ranges::find_first_of(texts.subspan(a * columns, columns),
                                      texts.subspan(b * columns, columns)) !=
           texts.subspan(a * columns, columns).end();
  };
  for (Index k = 1; k <= std::min(number, kLooks) && small.size() < least; ++k) {
    std::vector<Index>& from = batches[number - k];
    for (Index i = from.size(); i-- > 0 && from.size() > least && small.size() < least;) {
      if (std::ranges::any_of(small, [&](Index row) { return share(row, from[i]); })) continue;
      small.push_back(from[i]);
      from.erase(from.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace

std::vector<Index> shuffled(Index n, Seed seed, Index epoch) {
  std::vector<Index> out(n);
  std::iota(out.begin(), out.end(), Index{0});
  shuffle(out, seed.child(epoch));
  return out;
}

Batches shuffled_batches(Index rows, Index batch_size, Index least, Seed seed, Index epoch) {
  check_size(batch_size, least);
  Batches out;
  out.rows = shuffled(rows, seed, epoch);
  for (Index at = batch_size; at < rows; at += batch_size) out.starts.push_back(at);
  if (rows > 0) out.starts.push_back(rows);
  if (out.size() < 2) return out;
  Index& last = out.starts[out.size() - 1];
  if (rows - last >= least) return out;
  const Index taken = least - (rows - last);
  if (batch_size - taken >= least)
    last -= taken;
  else
    out.starts.erase(out.starts.end() - 2);
  return out;
}

std::vector<std::uint32_t> text_numbers(std::span<const Texts* const> columns) {
  const Index rows = columns.empty() ? 0 : columns.front()->size();
  for (const Texts* column : columns)
    require(column->size() == rows, Fault::argument, "columns must have as many texts as each other");
  std::unordered_map<std::string_view, std::uint32_t> numbers;  // looked up only: its order is never used
  std::vector<std::uint32_t> out;
  out.reserve(rows * columns.size());
  for (Index i = 0; i < rows; ++i)
    for (const Texts* column : columns)
      out.push_back(
          numbers.try_emplace((*column)[i], static_cast<std::uint32_t>(numbers.size())).first->second);
  return out;
}

Batches batches_without_duplicates(std::span<const std::uint32_t> texts, Index columns, Index batch_size,
                                   Index least, Seed seed, Index epoch) {
  check_size(batch_size, least);
  require(columns > 0 && texts.size() % columns == 0, Fault::argument,
          "texts must be so many a row as there are columns");
  const Index rows = texts.size() / columns;
  std::vector<std::vector<std::uint32_t>> batches_of(texts.empty() ? 0 : std::ranges::max(texts) + Index{1});
  Room room(batch_size);
  for (const Index row : shuffled(rows, seed, epoch)) {
    const auto own = texts.subspan(row * columns, columns);
    const auto fits = [&](Index batch) {
      return std::ranges::none_of(
          own, [&](std::uint32_t text) { return std::ranges::binary_search(batches_of[text], batch); });
    };
    Index batch = room.first(0);
    for (Index looks = 1; !fits(batch); ++looks) {
      batch = room.first(batch + 1);
      if (looks < kLooks) continue;
      for (const std::uint32_t text : own)
        if (!batches_of[text].empty()) batch = std::max(batch, batches_of[text].back() + Index{1});
      batch = room.first(batch);
      break;
    }
    room.add(batch, row);
    for (const std::uint32_t text : own) {
      auto& in = batches_of[text];
      const auto at = std::ranges::lower_bound(in, batch);
      if (at == in.end() || *at != batch) in.insert(at, static_cast<std::uint32_t>(batch));
    }
  }
  std::vector<std::vector<Index>>& batches = room.batches();
  const auto is_small = [&](const std::vector<Index>& batch) { return batch.size() < least; };
  const auto small = std::ranges::find_if(batches, is_small);
  if (small != batches.end() && std::find_if(small + 1, batches.end(), is_small) == batches.end())
    fill_up(batches, static_cast<Index>(small - batches.begin()), least, texts, columns);
  Batches out;
  for (const std::vector<Index>& batch : batches) {
    if (batch.size() < least || batch.empty()) {
      out.left_out.insert(out.left_out.end(), batch.begin(), batch.end());
      continue;
    }
    out.rows.insert(out.rows.end(), batch.begin(), batch.end());
    end_batch(out);
  }
  std::ranges::sort(out.left_out);
  return out;
}

Batches batches_by_label(const Labels& labels, Index batch_size, Seed seed, Index epoch) {
  if (batch_size < 4 || batch_size % 2 != 0)
    throw Error(Fault::argument,
                option_name("batch_size") + " is " + std::to_string(batch_size) +
                    "; batches with two rows of each label must have an even number, 4 or more");
  check_labels(labels, labels.of.size());
  std::vector<std::vector<Index>> rows_of(labels.count);
  for (const Index row : shuffled(labels.of.size(), seed, epoch))
    if (labels.of[row] != kNoise) rows_of[static_cast<Index>(labels.of[row])].push_back(row);
  std::vector<Index> waiting;  // labels that have two rows
  for (Index label = 0; label < labels.count; ++label)
    if (rows_of[label].size() >= 2) waiting.push_back(label);
  if (waiting.size() < 2)
    throw Error(Fault::data,
                "only " + std::to_string(waiting.size()) +
                    " of the labels have two rows or more; at least two must, as rows of one label are "
                    "set against those of another");

  Batches out;
  std::vector<char> used(labels.of.size());
  Index last = labels.count;  // label of the two rows before
  for (Index turn = 0; waiting.size() >= 2; ++turn) {
    shuffle(waiting, seed.child(epoch).child(turn + 1));
    const bool amid = out.rows.size() > out.starts.back();
    if (amid && waiting.front() == last) std::swap(waiting[0], waiting[1]);
    for (const Index label : waiting) {
      for (int i = 0; i < 2; ++i) {
        out.rows.push_back(rows_of[label].back());
        rows_of[label].pop_back();
      }
      if (out.rows.size() - out.starts.back() == batch_size) end_batch(out);
    }
    last = waiting.back();
    std::erase_if(waiting, [&](Index label) { return rows_of[label].size() < 2; });
    std::ranges::sort(waiting);  // so that the order of a turn is drawn, not grown
  }
  if (out.rows.size() - out.starts.back() >= 4) end_batch(out);
  out.rows.resize(out.starts.back());
  for (const Index row : out.rows) used[row] = 1;
  for (Index row = 0; row < used.size(); ++row)
    if (!used[row]) out.left_out.push_back(row);
  return out;
}

std::vector<Index> set_order(std::span<const Index> n_batches, Mixing mixing, Seed seed, Index epoch) {
  std::vector<Index> out;
  if (n_batches.empty()) return out;
  if (mixing == Mixing::round_robin) {
    const Index rounds = std::ranges::min(n_batches);
    for (Index round = 0; round < rounds; ++round)
      for (Index set = 0; set < n_batches.size(); ++set) out.push_back(set);
    return out;
  }
  for (Index set = 0; set < n_batches.size(); ++set) out.insert(out.end(), n_batches[set], set);
  shuffle(out, seed.child(epoch));
  return out;
}

}  // namespace shoal
