#include "bus_error.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>

#include "progress.h"
#include "shoal/core/error.h"
#include "shoal/store/files/mapping.h"

namespace shoal::cli {
namespace {

std::atomic_flag said;  // several threads may read beyond the end at once; one line is enough
bool terminal = false;  // then a line of progress may stand there, half written

void say(const char* text, std::size_t size) {
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text, size);
}
void say(const char* text) { say(text, std::strlen(text)); }

/// Only what POSIX allows in a handler: no allocation, no lock, no stream.
void on_bus_error(int, siginfo_t* info, void*) {
  const char* path = mapped_file_at(info->si_addr);
  if (path == nullptr) {  // another cause: as if there were no handler
    std::signal(SIGBUS, SIG_DFL);
    return;
  }
  while (said.test_and_set()) ::pause();  // another thread is ending the program
  std::array<char, 4096> shown;
  const std::size_t size = std::min(std::strlen(path), shown.size());
  for (std::size_t i = 0; i < size; ++i)
    shown[i] = static_cast<unsigned char>(path[i]) < 0x20 || path[i] == 0x7f ? '?' : path[i];
  if (terminal) say("\n");
  say("shoal: cannot read ");
  say(shown.data(), size);
  say(": another program cut it while it was read\n");
  ::_exit(static_cast<int>(Fault::file));
}

}  // namespace

void explain_bus_errors() {
  terminal = can_be_drawn_over(STDERR_FILENO);
  static std::array<char, 1 << 16> stack;  // of the main thread; the others have room on their own
  const stack_t alternate{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  ::sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace shoal::cli
