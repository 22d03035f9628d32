#include "shoal/read/equal_texts.h"

#include <algorithm>
#include <cstring>

namespace shoal {
namespace {

constexpr Index kMostAgain = 1000;
constexpr std::size_t kBeginning = 100;

std::uint64_t mix(std::uint64_t x) {  // the finaliser of SplitMix64
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/// Eight bytes at a time; never 0.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = mix(text.size() + 0x9E3779B97F4A7C15u);
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    h = mix(h ^ word) + 0x9E3779B97F4A7C15u;
  }
  std::uint64_t rest = 0;
  if (at < text.size()) std::memcpy(&rest, text.data() + at, text.size() - at);
  h = mix(h ^ rest);
  return h == 0 ? 1 : h;
}

std::string beginning(std::string_view text) {
  if (text.size() <= kBeginning) return std::string(text);
  std::size_t end = kBeginning;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace

bool EqualTexts::insert(std::uint64_t hash) {
  for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at] == hash) return false;
    if (slots_[at] != 0) continue;
    slots_[at] = hash;
    return true;
  }
}

void EqualTexts::grow() {
  std::vector<std::uint64_t> old(slots_.size() * 2);
  old.swap(slots_);
  for (const std::uint64_t hash : old)
    if (hash != 0) insert(hash);
}

void EqualTexts::add(std::string_view text) {
  const std::uint64_t hash = hash_of(text);
  if (insert(hash)) {
    if (++used_ * 10 > slots_.size() * 9) grow();
    return;
  }
  ++equal_;
  if (const auto known = again_.find(hash); known != again_.end())
    ++known->second.text.times;
  else if (again_.size() < kMostAgain)
    again_.emplace(hash, Again{{beginning(text), 2}, again_.size()});
}

std::vector<EqualText> EqualTexts::most() const {
  std::vector<Again> all;
  for (const auto& [hash, again] : again_) all.push_back(again);
  std::ranges::sort(all, [](const Again& a, const Again& b) {
    return a.text.times != b.text.times ? a.text.times > b.text.times : a.order < b.order;
  });
  std::vector<EqualText> out;
  for (Index i = 0; i < std::min<Index>(3, all.size()); ++i) out.push_back(all[i].text);
  return out;
}

}  // namespace shoal
