#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

/// Works on rows [first, last) as chunk number `chunk`.
using Body = std::function<void(Index chunk, Index first, Index last)>;

/// How many chunks `for_chunks(run, n, grain, ...)` makes: ceil(n / grain).
inline Index chunk_count(Index n, Index grain) { return (n + grain - 1) / grain; }

/// Cuts 0..n-1 into chunks of `grain` (>= 1) and runs `body` on each, in parallel, in any order. The cut
/// depends on (n, grain) alone, so results that depend on the chunk do not depend on the threads.
/// An exception of the lowest-numbered failing chunk is rethrown after all threads have stopped; no new
/// chunk starts after a failure. Error(cancelled) if run.stop is asked. With a `step` name, progress is
/// reported after each chunk as rows done of n. Calls inside a body run in that body's thread.
/// Threads that the system refuses to start are done without.
void for_chunks(const Run& run, Index n, Index grain, const Body& body, std::string_view step = {});

/// Error(cancelled) if run.stop is asked. For long loops that are not chunked.
void check_stop(const Run& run);

/// A partial result for each chunk, folded in chunk order: the same bits for any number of threads.
template <class T, class Make, class Fold>
T fold_chunks(const Run& run, Index n, Index grain, T start, Make&& make, Fold&& fold) {
  std::vector<T> parts(chunk_count(n, grain), start);
  for_chunks(run, n, grain, [&](Index chunk, Index first, Index last) { parts[chunk] = make(first, last); });
  T total = std::move(start);
  for (T& part : parts) fold(total, std::move(part));
  return total;
}

}  // namespace shoal
