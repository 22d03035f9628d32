#include "http.h"

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <thread>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

constexpr std::size_t kMostOfReply = std::size_t{16} << 20;
constexpr int kTries = 3;

struct Reply {
  long status = 0;  // 0: none came
  std::string body, error;
  bool too_long = false;
};

std::size_t take(char* data, std::size_t, std::size_t size, void* into) {
  auto& reply = *static_cast<Reply*>(into);
  reply.too_long = reply.body.size() + size > kMostOfReply;
  if (reply.too_long) return 0;  // curl gives up then
  reply.body.append(data, size);
  return size;
}

int asked_to_stop(void* run, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Run*>(run)->stop.stop_requested() ? 1 : 0;
}

Reply send_once(const HttpPost& request, const Run& run) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  require(curl != nullptr, Fault::file, "libcurl cannot be started");
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  for (const std::string& header : request.headers)
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  Reply reply;
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, request.timeout_seconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, asked_to_stop);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, const_cast<Run*>(&run));
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    reply.error = reason[0] != '\0' ? reason : curl_easy_strerror(code);
    return reply;
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

/// A server may send the key back, in what is then shown.
void cut_out(std::string& text, const std::string& secret) {
  for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos;)
    text.replace(at, secret.size(), "[key]");
}

bool may_pass(const Reply& reply) { return reply.status == 0 || reply.status == 429 || reply.status >= 500; }

void wait(std::chrono::seconds time, const Run& run) {
  for (auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    check_stop(run);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

std::string post(const HttpPost& request, const Run& run) {
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://"))
    throw Error(Fault::argument, request.url + " is no address that begins with http:// or https://");
  Reply reply;
  for (int tries = 1; tries <= kTries; ++tries) {
    reply = send_once(request, run);
    check_stop(run);
    if (reply.too_long)
      throw Error(Fault::file,
                  request.url + " answers with more than " + std::to_string(kMostOfReply) + " bytes");
    cut_out(reply.body, request.secret);
    cut_out(reply.error, request.secret);
    if (reply.status == 200) return std::move(reply.body);
    if (!may_pass(reply)) break;
    if (tries < kTries) wait(std::chrono::seconds(tries), run);
  }
  if (reply.status == 0) throw Error(Fault::file, request.url + " gives no answer: " + reply.error);
  throw Error(Fault::file, request.url + " answers with status " + std::to_string(reply.status) + ": " +
                               one_line(reply.body, 200));
}

}  // namespace shoal::cli
