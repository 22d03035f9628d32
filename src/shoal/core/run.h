#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

namespace shoal {

/// How to run: may change the time, never the answer.
struct Run {
  unsigned threads = 0;  ///< 0: as many as the machine has
  std::stop_token stop;  ///< asked between chunks; Error(cancelled) follows
  /// `done` of `total` pieces of `step` are finished. Called by one thread at a time, often: keep it quick.
  std::function<void(std::string_view step, double done, double total)> progress;
};

}  // namespace shoal
