#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal::cli {

/// Whether a line on this file may be drawn over: it is a terminal, and not one that TERM says can only print
/// (TERM=dumb, or not set).
bool can_be_drawn_over(int file);

/// Shows what `Run::progress` says on standard error: a bar with rate and time left on a terminal, a line
/// every ten seconds elsewhere. Also keeps how long each step took.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  void start(bool visible);
  std::function<void(std::string_view, double, double)> callback();
  /// Ends the last step and clears the bar.
  void finish();
  /// Steps in the order in which they began, with seconds.
  const std::vector<std::pair<std::string, double>>& steps() const { return steps_; }
  double seconds() const;  ///< since start

 private:
  void update(std::string_view step, double done, double total);
  void draw(double done, double total, Clock::time_point now);
  void end_step(Clock::time_point now);

  bool visible_ = false, terminal_ = false;
  std::string step_;
  double first_done_ = 0;  // what an earlier run had done: not counted in the rate
  Clock::time_point begun_, step_begun_, drawn_;
  std::vector<std::pair<std::string, double>> steps_;
};

}  // namespace shoal::cli
