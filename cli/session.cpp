#include "session.h"

#include <pthread.h>
#include <pwd.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <thread>

#include "shoal/core/error.h"
#include "shoal/core/visible.h"

namespace shoal::cli {
namespace {

/// One thread waits for SIGINT and SIGTERM, so that no work is done inside a signal handler.
std::stop_token listen_for_stop() {
  static std::stop_source source;
  static const bool started = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);  // before any other thread is made: they inherit it
    std::thread([set] {
      int signal = 0;
      sigwait(&set, &signal);
      source.request_stop();
      sigwait(&set, &signal);
      _exit(static_cast<int>(Fault::cancelled));
    }).detach();
    return true;
  }();
  static_cast<void>(started);
  return source.get_token();
}

}  // namespace

Run Session::run() {
  progress_.start(!quiet);
  return {.threads = threads, .stop = listen_for_stop(), .progress = progress_.callback()};
}

void Session::answer(const nlohmann::ordered_json& object, const std::string& text) const {
  print(shown(json ? object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text));
}

void Session::print(const std::string& out) const {
  const bool whole = std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  require(whole, Fault::file, "standard output cannot be written");
}

void Session::remark(const std::string& text) const {
  if (!quiet) std::fprintf(stderr, "%s\n", shown(text).c_str());
}

std::string shown(std::string_view text) {
  return visible(text, [](char32_t c) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
    return std::string(buffer);
  });
}

std::filesystem::path models_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (auto own = variable("SHOAL_MODELS"); !own.empty()) return own;
  if (const auto data = variable("XDG_DATA_HOME"); !data.empty()) return data / "shoal/models";
  if (const auto home = variable("HOME"); !home.empty()) return home / ".local/share/shoal/models";
  if (const passwd* user = getpwuid(getuid()); user != nullptr && user->pw_dir != nullptr)
    return std::filesystem::path(user->pw_dir) / ".local/share/shoal/models";
  throw Error(Fault::argument, "where models are kept is unknown", "set SHOAL_MODELS or HOME to a folder");
}

std::string counted(std::size_t n, const std::string& noun) {
  return with_commas(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string duration(double seconds) {
  char buffer[48];
  const auto whole = std::lround(seconds);
  if (seconds < 59.95) {
    std::snprintf(buffer, sizeof buffer, "%.1f s", seconds);
  } else if (whole < 3600) {
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld min", whole / 60, whole % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld:%02ld h", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return buffer;
}

}  // namespace shoal::cli
