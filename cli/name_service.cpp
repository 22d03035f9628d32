#include "name_service.h"

#include <algorithm>
#include <cstdlib>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/names/name_prompt.h"

namespace shoal::cli {
namespace {

constexpr const char* kPath = "/chat/completions";
constexpr const char* kKeyHeader = "Authorization: Bearer ";

std::string key_in(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  const std::string key = value == nullptr ? "" : value;
  require(!key.empty(), Fault::argument, "--api-key-env " + variable + ": there is no such variable");
  require(std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; }), Fault::argument,
          "--api-key-env " + variable + ": what it holds is no key");
  return key;
}

}  // namespace

HttpPost name_post(const NameService& service, const ClusterExplanation& cluster) {
  HttpPost out{.url = service.url, .headers = {"Content-Type: application/json"}};
  while (out.url.ends_with('/')) out.url.pop_back();
  if (!out.url.ends_with(kPath)) out.url += kPath;
  if (!service.key_env.empty()) out.headers.push_back(kKeyHeader + ("$" + service.key_env));
  out.body = name_request(cluster, service.model);
  return out;
}

void ask_names(const NameService& service, std::vector<ClusterExplanation>& clusters, const Run& run) {
  const std::string key = service.key_env.empty() ? "" : key_in(service.key_env);
  for (Index c = 0; c < clusters.size(); ++c) {
    if (run.progress) run.progress("names", static_cast<double>(c), static_cast<double>(clusters.size()));
    check_stop(run);
    HttpPost request = name_post(service, clusters[c]);
    if (!key.empty()) request.headers.back() = kKeyHeader + (request.secret = key);
    try {
      clusters[c].row.name = name_in_reply(post(request, run));
    } catch (const Error& e) {
      if (e.fault == Fault::cancelled) throw;
      throw Error(e.fault, "name of cluster " + std::to_string(clusters[c].row.id) + ": " + e.what());
    }
  }
}

}  // namespace shoal::cli
