#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "session.h"

namespace shoal::cli {
namespace {

constexpr int kBarWidth = 24;

std::string rate_text(double rate) {
  return with_commas(static_cast<std::size_t>(std::llround(rate))) + "/s";
}

}  // namespace

bool can_be_drawn_over(int file) {
  const char* kind = std::getenv("TERM");
  return isatty(file) != 0 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

void Progress::start(bool visible) {
  visible_ = visible;
  terminal_ = can_be_drawn_over(STDERR_FILENO);
  begun_ = step_begun_ = Clock::now();
}

std::function<void(std::string_view, double, double)> Progress::callback() {
  return [this](std::string_view step, double done, double total) { update(step, done, total); };
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }

void Progress::update(std::string_view step, double done, double total) {
  const auto now = Clock::now();
  if (step != step_) {
    end_step(now);
    step_ = step;
    step_begun_ = drawn_ = now;
    first_done_ = done;
    if (terminal_) draw(done, total, now);
    return;
  }
  const double pause = terminal_ ? 0.1 : 10.0;
  if (std::chrono::duration<double>(now - drawn_).count() < pause) return;
  drawn_ = now;
  draw(done, total, now);
}

void Progress::draw(double done, double total, Clock::time_point now) {
  if (!visible_) return;
  const double seconds = std::chrono::duration<double>(now - step_begun_).count();
  const double rate = seconds > 0 ? (done - first_done_) / seconds : 0;
  const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0;
  const bool bytes = step_ == "read";
  const auto count = [&](double x) {
    return bytes ? with_commas(static_cast<std::size_t>(x / 1e6)) + " MB"
                 : with_commas(static_cast<std::size_t>(x));
  };
  std::string line = step_;
  line.resize(std::max<std::size_t>(line.size(), 10), ' ');
  if (terminal_ && total > 0) {
    const int full = static_cast<int>(share * kBarWidth);
    line += " [" + std::string(static_cast<std::size_t>(full), '#') +
            std::string(static_cast<std::size_t>(kBarWidth - full), '-') + "]";
  }
  line += " " + count(done) + (total > 0 ? " / " + count(total) : "");
  if (bytes ? rate > 0 : rate >= 0.5) line += "  " + (bytes ? count(rate) + "/s" : rate_text(rate));
  if (rate > 0 && total > done) line += "  " + duration((total - done) / rate) + " left";
  std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
  std::fflush(stderr);
}

void Progress::end_step(Clock::time_point now) {
  if (step_.empty()) return;
  const double seconds = std::chrono::duration<double>(now - step_begun_).count();
  const auto same = std::ranges::find(steps_, step_, &std::pair<std::string, double>::first);
  same == steps_.end() ? steps_.emplace_back(step_, seconds), void() : void(same->second += seconds);
  if (visible_ && terminal_) std::fprintf(stderr, "\r\033[K");
  step_.clear();
}

void Progress::finish() { end_step(Clock::now()); }

}  // namespace shoal::cli
