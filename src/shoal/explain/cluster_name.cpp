#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/explain/ctfidf.h"
#include "shoal/explain/repeats.h"

namespace shoal {
namespace {

/// The least share of the first part's score that a further part needs. The second comes easily, for it tells
/// clusters apart that have the first in common.
constexpr double kShare[] = {1, 0.12, 0.35};

/// True if a word of `term` has the stem of one of `said`.
bool repeats(std::string_view term, std::string_view said) {
  for (std::size_t at = 0; at <= said.size();) {
    const std::size_t end = std::min(said.find(' ', at), said.size());
    const std::string_view word = said.substr(at, end - at);
    for (std::size_t from = 0; from <= term.size();) {
      const std::size_t to = std::min(term.find(' ', from), term.size());
      if (same_stem(term.substr(from, to - from), word)) return true;
      from = to + 1;
    }
    at = end + 1;
  }
  return false;
}

}  // namespace

std::string cluster_name(const std::vector<TopWord>& words) {
  std::vector<std::string_view> parts;
  for (const TopWord& word : words) {
    if (parts.size() == std::size(kShare) || word.score < kShare[parts.size()] * words.front().score) break;
    bool again = false;
    for (std::string_view part : parts) again = again || repeats(word.word, part);
    if (!again) parts.push_back(word.word);
  }
  std::string name;
  for (std::string_view part : parts) name.append(name.empty() ? "" : " · ").append(part);
  return name;
}

}  // namespace shoal
