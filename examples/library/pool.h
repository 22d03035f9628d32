#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

/// The threads that a program has already: shoal works in them too, beside whatever else they do.
class Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i)
      threads_.emplace_back([this](std::stop_token stop) { serve(stop); });
  }

  void add(std::function<void()> job) {
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  /// What shoal::Run::pool asks for: `work` in as many threads, this one among them; all have returned when
  /// this returns.
  void run(unsigned workers, const std::function<void()>& work) {
    std::latch others(workers - 1);
    for (unsigned i = 1; i < workers; ++i)
      add([&] {
        work();
        others.count_down();
      });
    work();
    others.wait();
  }

 private:
  void serve(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !jobs_.empty(); })) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};
