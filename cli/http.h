#pragma once

#include <string>
#include <vector>

#include "shoal/core/run.h"

namespace shoal::cli {

/// A request to a server that the user named. Nothing else in shoal talks to a network.
struct HttpPost {
  std::string url;                   ///< http or https
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::string secret;  ///< what no reply may bring back: it is cut out of it
  long timeout_seconds = 120;
};

/// Sends it and returns the body of the reply. What may pass (no connection, statuses 429 and 5xx) is tried
/// three times, after 1 and 2 seconds. Redirections are not followed: what is sent goes to the named server
/// alone. Error(file) with the status and the beginning of the reply on any other status than 200, on a
/// time-out, and on a reply over 16 MB; Error(argument) if the URL is neither http nor https;
/// Error(cancelled).
std::string post(const HttpPost& request, const Run& run);

}  // namespace shoal::cli
