#include "shoal/near/exact.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/best.h"
#include "shoal/near/prepared_impl.h"

namespace shoal {
namespace {

// A packed block of kBlock rows and a tile of kStrip x kBlock scores stay in the second-level cache together.
// A strip lies within one block, so that one lock covers its rows. Both are whole tiles of the widest kernel
// (8 rows by 48).
constexpr Index kStrip = 120;
constexpr Index kBlock = 2 * kStrip;
constexpr Index kGrain = 256;  // rows a chunk when lists are finished

// All pairs (i, j) with i > j and j in one block: the block is packed once and all rows from it on go past.
// Lists of a block of rows are written under the block's lock. Who comes first does not matter (BestLists).
class AllPairs {
 public:
  AllPairs(const Prepared& x, BestLists& best)
      : x_(x),
        best_(best),
        blocks_(chunk_count(x.rows.rows, kBlock)),
        locks_(std::make_unique<std::mutex[]>(blocks_)) {}

  // Block b meets blocks b, b + 1, ..., the last: with its mirror image each chunk has the same work.
  void run(const Run& run) {
    const Index pairs = (blocks_ + 1) / 2;
    for_chunks(
        run, pairs, 1,
        [&](Index, Index pair, Index) {
          const Index mirror = blocks_ - 1 - pair;
          block(pair, run);
          if (mirror != pair) block(mirror, run);
        },
        "neighbours");
  }

 private:
  void block(Index b, const Run& run) {
    const Index n = x_.rows.rows, first = b * kBlock;
    const Packed packed = Packed::rows(x_.rows.slice(first, std::min(kBlock, n - first)));
    Matrix scores(kStrip, packed.outputs());
    for (Index row = first; row < n; row += kStrip) {
      check_stop(run);
      const Index count = std::min(kStrip, n - row);
      const MatrixSpan tile = scores.span().slice(0, count);
      multiply(x_.rows.slice(row, count), packed, {}, Activation::none, tile);
      products_to_scores(x_, row, x_, first, tile);
      keep(tile, row, first);
    }
  }

  void keep(MatrixView tile, Index row, Index first) {
    std::mutex &rows = locks_[row / kBlock], &columns = locks_[first / kBlock];
    if (&rows == &columns) {
      const std::scoped_lock lock(rows);
      best_.offer_pairs(tile, row, first);
    } else {
      const std::scoped_lock lock(rows, columns);
      best_.offer_pairs(tile, row, first);
    }
  }

  const Prepared& x_;
  BestLists& best_;
  Index blocks_;
  std::unique_ptr<std::mutex[]> locks_;
};

// Distances from the differences, then in order of them: products of nearly equal rows lose the last digits.
void finish(BestLists& best, const Prepared& queries, const Prepared& x, Index first_query, Index count,
            Neighbours& out, const Run& run) {
  const Index k = out.k;
  for_chunks(run, count, kGrain, [&](Index, Index first, Index last) {
    std::vector<std::pair<float, std::uint32_t>> row(k);
    for (Index i = first; i < last; ++i) {
      const auto items = best.sorted(i);
      for (Index j = 0; j < k; ++j)
        row[j] = {distance(queries, first_query + i, x, items[j].id), items[j].id};
      std::sort(row.begin(), row.end());
      for (Index j = 0; j < k; ++j) {
        out.distance[(first_query + i) * k + j] = row[j].first;
        out.id[(first_query + i) * k + j] = row[j].second;
      }
    }
  });
}

Neighbours make_neighbours(Index rows, Index k) {
  return {k, std::vector<std::uint32_t>(rows * k), std::vector<float>(rows * k)};
}

void check_rows(Index rows, const char* what) {
  if (rows >= BestLists::kNobody)
    throw Error(Fault::argument, std::string(what) + ": " + std::to_string(rows) + " rows; at most 2^32 - 2");
}

}  // namespace

Neighbours nearest_neighbours(const Rows& x, Index k, Metric metric, const Run& run) {
  check_rows(x.rows(), "nearest_neighbours");
  if (k < 1 || k >= x.rows())
    throw Error(Fault::argument, "nearest_neighbours: k is " + std::to_string(k) + ", allowed are 1 to " +
                                     std::to_string(x.rows() == 0 ? 0 : x.rows() - 1) + ": there are " +
                                     std::to_string(x.rows()) + " rows, and a row is not its own neighbour");
  const Prepared prepared = prepare(x, metric, run);
  BestLists best(x.rows(), k);
  AllPairs(prepared, best).run(run);
  Neighbours out = make_neighbours(x.rows(), k);
  finish(best, prepared, prepared, 0, x.rows(), out, run);
  return out;
}

Neighbours nearest(const Rows& x, const Rows& queries, Index k, Metric metric, const Run& run) {
  check_rows(x.rows(), "nearest");
  if (k < 1 || k > x.rows())
    throw Error(Fault::argument, "nearest: k is " + std::to_string(k) + ", allowed are 1 to " +
                                     std::to_string(x.rows()) + ", the number of rows");
  if (x.cols() != queries.cols())
    throw Error(Fault::argument, "nearest: queries have " + std::to_string(queries.cols()) +
                                     " columns, the rows " + std::to_string(x.cols()));
  check_space(x.space(), queries.space(), "nearest");
  const PreparedPair both = prepare(x, queries, metric, run);
  Neighbours out = make_neighbours(queries.rows(), k);
  for (Index first = 0; first < queries.rows(); first += kBlock) {
    const Index count = std::min(kBlock, queries.rows() - first);
    const Packed packed = Packed::rows(both.queries.rows.slice(first, count));
    BestLists best(count, k);
    std::mutex lock;
    for_chunks(run, x.rows(), kBlock, [&](Index, Index begin, Index end) {
      Matrix scores(end - begin, count);
      multiply(both.rows.rows.slice(begin, end - begin), packed, {}, Activation::none, scores.span());
      products_to_scores(both.rows, begin, both.queries, first, scores.span());
      const std::scoped_lock hold(lock);
      best.offer_columns(scores.view(), 0, begin);
    });
    finish(best, both.queries, both.rows, first, count, out, run);
    if (run.progress)
      run.progress("neighbours", static_cast<double>(first + count), static_cast<double>(queries.rows()));
  }
  return out;
}

}  // namespace shoal
