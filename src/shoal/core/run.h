#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

namespace shoal {

/// How to run: may change the time, never the answer.
struct Run {
  unsigned threads = 0;  ///< 0: as many as the machine has
  std::stop_token stop;  ///< asked between chunks, from any thread; Error(cancelled) follows
  /// `done` of `total` pieces of `step` are finished. Called by one thread at a time, not always the caller's
  /// own, and often: keep it quick.
  std::function<void(std::string_view step, double done, double total)> progress;
  /// The caller's own threads. Calls `work` (which never throws) up to `workers` times, at once where it can,
  /// and returns when all calls have. One call is enough: what the others would have done, it does. Empty:
  /// threads of shoal's own.
  std::function<void(unsigned workers, const std::function<void()>& work)> pool;

  /// The same without progress: for parts of a step that reports its own.
  Run quiet() const { return {.threads = threads, .stop = stop, .progress = {}, .pool = pool}; }
};

}  // namespace shoal
