#include "shoal/core/chunks.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "shoal/core/error.h"

namespace shoal {
namespace {

// A body that calls for_chunks again runs it in its own thread: the outer cut already fills the machine.
thread_local bool inside = false;

struct Shared {
  std::atomic<Index> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  Index failed_chunk = 0;
  Index done = 0;
};

/// The threads to use: run.threads, or the machine's.
unsigned thread_count(const Run& run) {
  if (run.threads != 0) return run.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

void check_stop(const Run& run) {
  require(!run.stop.stop_requested(), Fault::cancelled, "stopped on request");
}

void for_chunks(const Run& run, Index n, Index grain, const Body& body, std::string_view step) {
  require(grain >= 1, Fault::argument, "for_chunks: grain is 0");
  const Index chunks = chunk_count(n, grain);
  Shared shared;

  const auto work = [&] {
    const bool was_inside = std::exchange(inside, true);
    for (;;) {
      const Index chunk = shared.next.fetch_add(1);
      if (chunk >= chunks) break;
      const Index first = chunk * grain, last = std::min(n, first + grain);
      try {
        check_stop(run);
        body(chunk, first, last);
        if (run.progress && !step.empty()) {
          const std::scoped_lock lock(shared.mutex);
          shared.done += last - first;
          run.progress(step, static_cast<double>(shared.done), static_cast<double>(n));
        }
      } catch (...) {
        const std::scoped_lock lock(shared.mutex);
        if (!shared.failure || chunk < shared.failed_chunk) {
          shared.failure = std::current_exception();
          shared.failed_chunk = chunk;
        }
        shared.next.store(chunks);
      }
    }
    inside = was_inside;
  };

  const Index helpers = inside ? 0 : std::min<Index>(thread_count(run), chunks) - (chunks > 0 ? 1 : 0);
  {
    std::vector<std::jthread> threads;
    threads.reserve(helpers);
    try {
      for (Index i = 0; i < helpers; ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {  // the system has no more: those that there are do the work
    }
    work();
  }
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace shoal
