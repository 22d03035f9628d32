#include "shoal/core/chunks.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

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

/// Threads that wait for work. They are made when first wanted and stay until the process ends: layouts make
/// thousands of calls, each too short to pay for a thread of its own, and on a busy machine a call would wait
/// for its new threads to be scheduled before it could return.
class Crew {
 public:
  /// Runs `work`, which must not throw, in this thread, and in up to `helpers` others as they come free.
  /// Returns when none is in it any more; a helper that has not begun by then never does.
  void run(const std::function<void()>& work, Index helpers) {
    Job job{work, helpers};
    {
      const std::scoped_lock lock(mutex_);
      hire(helpers);
      jobs_.push_back(&job);
    }
    for (Index i = 0; i < helpers; ++i) wake_.notify_one();
    work();
    std::unique_lock lock(mutex_);
    std::erase(jobs_, &job);
    job.left.wait(lock, [&] { return job.running == 0; });
  }

 private:
  struct Job {
    const std::function<void()>& work;
    Index places;       // for helpers that may still begin
    Index running = 0;  // helpers
    std::condition_variable left;
  };

  void hire(Index wanted) {
    try {
      for (; size_ < wanted; ++size_) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {  // the system has no more: those that there are do the work
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      ++job.running;
      if (--job.places == 0) std::erase(jobs_, &job);
      lock.unlock();
      job.work();
      lock.lock();
      if (--job.running == 0) job.left.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job*> jobs_;  // with places, oldest first
  Index size_ = 0;
};

/// Never destroyed: its threads live as long as the process. A fork has none of them, and gets its own crew.
Crew*& crew() {
  static Crew* one = [] {
    ::pthread_atfork(nullptr, nullptr, [] { crew() = new Crew; });
    return new Crew;
  }();
  return one;
}

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
  if (helpers == 0)
    work();
  else if (run.pool) {
    run.pool(static_cast<unsigned>(helpers + 1), work);
    work();  // what a pool that never called it has left
  } else
    crew()->run(work, helpers);
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace shoal
