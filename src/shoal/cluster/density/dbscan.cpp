#include "shoal/cluster/density/dbscan.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <utility>

#include "shoal/cluster/density/merge_sets_impl.h"
#include "shoal/cluster/density/pair_filter_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/near/prepared_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

// As in near/exact.cpp: a packed block and a tile of products stay in the second-level cache together.
constexpr Index kStrip = 120;
constexpr Index kBlock = 240;
constexpr Index kPiece = 48;               // products that are compared at once
constexpr Index kKeptPairs = 64 * kBlock;  // of a block; with more it is gone through a second time

constexpr Index kMostRows = 0x7FFFFFFF;

using RowPair = std::pair<std::uint32_t, std::uint32_t>;

/// The pairs of rows that are neighbours, block by block: found once where they are few, twice where many.
class NeighbourPairs {
 public:
  NeighbourPairs(const Prepared& x, float eps)
      : x_(x),
        eps_(eps),
        filter_(x),
        least_(-filter_.most_half_square(eps)),
        sure_(-filter_.sure_half_square(eps)),
        blocks_(chunk_count(x.rows.rows, kBlock)),
        kept_(blocks_),
        dense_(blocks_, 0) {}

  /// How many neighbours each row has, itself included.
  std::vector<std::uint32_t> count(const Run& run) {
    std::vector<std::atomic<std::uint32_t>> counts(x_.rows.rows);
    for_blocks(run, "neighbours", [&](Index b) {
      std::vector<RowPair>& kept = kept_[b];
      std::vector<std::uint32_t> column(kBlock, 0);
      scan(b, run, [&](std::uint32_t row, std::uint32_t other) {
        counts[row].fetch_add(1, std::memory_order_relaxed);
        ++column[other - b * kBlock];
        if (dense_[b]) return;
        kept.emplace_back(row, other);
        if (kept.size() > kKeptPairs) {
          dense_[b] = 1;
          kept = {};
        }
      });
      for (Index c = b * kBlock; c < std::min((b + 1) * kBlock, counts.size()); ++c)
        counts[c].fetch_add(column[c - b * kBlock] + 1, std::memory_order_relaxed);  // 1: the row itself
    });
    return {counts.begin(), counts.end()};
  }

  /// each(block, row, other) for all pairs, row > other, after `count`; from many threads, a block in one.
  template <class Each>
  void for_pairs(const Run& run, Each&& each) {
    for_blocks(run, "clusters", [&](Index b) {
      const auto in_block = [&](std::uint32_t row, std::uint32_t other) { each(b, row, other); };
      if (dense_[b])
        scan(b, run, in_block);
      else
        for (const auto& [row, other] : kept_[b]) in_block(row, other);
    });
  }

  Index blocks() const { return blocks_; }

 private:
  // Block b meets the rows from its own first on; with its mirror image each chunk has the same work.
  template <class Each>
  void for_blocks(const Run& run, const char* step, Each&& each) {
    for_chunks(
        run, (blocks_ + 1) / 2, 1,
        [&](Index, Index b, Index) {
          each(b);
          if (const Index mirror = blocks_ - 1 - b; mirror != b) each(mirror);
        },
        step);
  }

  template <class Hit>
  void scan(Index b, const Run& run, Hit&& hit) const {
    const Index n = x_.rows.rows, first = b * kBlock, width = std::min(kBlock, n - first);
    const Packed packed = Packed::rows(x_.rows.slice(first, width));
    std::vector<float> least(width), sure(width);
    for (Index c = 0; c < width; ++c) {
      least[c] = filter_.least(first + c) + least_;
      sure[c] = filter_.sure(first + c) + sure_;
    }
    Matrix products(kStrip, width);
    for (Index strip = first; strip < n; strip += kStrip) {
      check_stop(run);
      const Index count = std::min(kStrip, n - strip);
      multiply(x_.rows.slice(strip, count), packed, {}, Activation::none, products.span().slice(0, count));
      for (Index row = strip; row < strip + count; ++row)
        scan_row(row, first, products[row - strip].first(std::min(width, row - first)), least, sure, hit);
    }
  }

  template <class Hit>
  void scan_row(Index row, Index first, std::span<const float> products, const std::vector<float>& least,
                const std::vector<float>& sure, Hit&& hit) const {
    const float maybe_from = filter_.least(row), surely_from = filter_.sure(row);
    for (Index begin = 0; begin < products.size(); begin += kPiece) {
      const Index end = std::min(begin + kPiece, products.size());
      if (!any_reaches(&products[begin], maybe_from, &least[begin], end - begin)) continue;
      for (Index c = begin; c < end; ++c)
        if (products[c] >= least[c] + maybe_from &&
            (products[c] >= sure[c] + surely_from || distance(x_, row, x_, first + c) <= eps_))
          hit(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(first + c));
    }
  }

  const Prepared& x_;
  float eps_;
  PairFilter filter_;
  float least_, sure_;
  Index blocks_;
  std::vector<std::vector<RowPair>> kept_;
  std::vector<std::uint8_t> dense_;
};

/// Labels from the neighbours: core rows by union, the others by their core neighbours, of which they have
/// fewer than min_samples.
Labels label(NeighbourPairs& pairs, const std::vector<std::uint8_t>& core, const Run& run) {
  MergeSets sets(core.size());
  std::vector<std::vector<RowPair>> border(pairs.blocks());  // a row that is not core, a core neighbour
  pairs.for_pairs(run, [&](Index block, std::uint32_t row, std::uint32_t other) {
    if (core[row] && core[other])
      sets.unite(row, other);
    else if (core[row] || core[other])
      border[block].push_back(core[row] ? RowPair(other, row) : RowPair(row, other));
  });
  Labels labels{std::vector<Label>(core.size(), kNoise), 0};
  for (std::uint32_t row = 0; row < core.size(); ++row)
    if (core[row]) {
      const std::uint32_t first = sets.find(row);
      labels.of[row] = first == row ? static_cast<Label>(labels.count++) : labels.of[first];
    }
  for (const auto& list : border)
    for (const auto& [row, neighbour] : list)
      if (Label& mine = labels.of[row]; mine == kNoise || labels.of[neighbour] < mine)
        mine = labels.of[neighbour];
  return labels;
}

}  // namespace

Dbscan Dbscan::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  if (x.cols() == 0) throw Error(Fault::data, "the rows have no columns");
  if (x.rows() > kMostRows)
    throw Error(Fault::data,
                "there are " + std::to_string(x.rows()) + " rows; at most 2^31 - 1 can have labels");
  Dbscan out;
  out.options_ = options;
  out.space_ = x.space();
  const Prepared prepared = prepare(x, options.metric, run);
  NeighbourPairs pairs(prepared, static_cast<float>(options.eps));
  const std::vector<std::uint32_t> counts = pairs.count(run);
  std::vector<std::uint8_t> core(x.rows());
  for (std::uint32_t row = 0; row < x.rows(); ++row) {
    core[row] = counts[row] >= options.min_samples;
    if (core[row]) out.core_.push_back(row);
  }
  out.labels_ = label(pairs, core, run);
  return out;
}

void Dbscan::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("labels", std::span<const std::int32_t>(labels_.of));
  const std::vector<std::int32_t> core(core_.begin(), core_.end());
  out.add("core_sample_indices", std::span<const std::int32_t>(core));
}

Dbscan Dbscan::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Dbscan s;
  s.options_ = read_options<Options>(in);
  s.space_ = read_space(in);
  const std::vector<std::int64_t> labels = in.integers("labels"), core = in.integers("core_sample_indices");
  const auto rows = static_cast<std::int64_t>(labels.size());
  for (const std::int64_t label : labels) {
    if (label < kNoise || label >= rows) throw bad("label " + std::to_string(label) + " is none");
    s.labels_.of.push_back(static_cast<Label>(label));
    s.labels_.count = std::max(s.labels_.count, static_cast<Index>(label + 1));
  }
  for (const std::int64_t row : core) {
    if (row < 0 || row >= rows || (!s.core_.empty() && row <= s.core_.back()))
      throw bad("core row " + std::to_string(row) + " is none, or is not in order");
    s.core_.push_back(static_cast<std::uint32_t>(row));
  }
  return s;
}

}  // namespace shoal
