#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "progress.h"
#include "shoal/core/run.h"
#include "shoal/core/with_commas.h"

namespace shoal::cli {

/// What every verb shares: how to run, and how to answer.
class Session {
 public:
  unsigned threads = 0;
  bool json = false;
  bool quiet = false;
  /// Whether the same command would go on where this one is; not set: it would not.
  std::function<bool()> goes_on;
  /// Of a verb and an option: what its flag is called.
  std::map<std::pair<const void*, std::string>, std::string> flags;

  /// Ctrl-C and SIGTERM ask the run to stop; a second one ends the process at once.
  Run run();
  Progress& progress() { return progress_; }

  /// Prints one JSON object on standard output under --json, else `text`.
  void answer(const nlohmann::ordered_json& object, const std::string& text) const;
  /// Prints text as it stands. Error(file) if not all of it can be written, as for `answer`.
  void print(const std::string& text) const;
  /// A remark for people, on standard error unless --quiet.
  void remark(const std::string& text) const;

 private:
  Progress progress_;
};

/// As a terminal may show it: what could steer it is written \u001b. All that goes to one comes through here.
/// Inside JSON that is the same string.
std::string shown(std::string_view text);

/// Where models are kept: $SHOAL_MODELS, else $XDG_DATA_HOME/shoal/models, else ~/.local/share/shoal/models.
/// Error(argument) if none of them says a place.
std::filesystem::path models_folder();

/// "1 text", "63,000 texts"
std::string counted(std::size_t n, const std::string& noun);
/// "0.8 s", "12.3 s", "4:05 min", "2:10:00 h"
std::string duration(double seconds);

}  // namespace shoal::cli
