#include "shoal/flow/fingerprint.h"

#include <cstring>

#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

// The finaliser of SplitMix64: every bit of the input changes every bit of the output with probability near
// 1/2.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::string value_text(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::to_string(text->size()) + ":" + *text;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return text_of(value);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.17g", *number);
  return buffer;
}

}  // namespace

void Fingerprint::add(std::string_view field) {
  state_ = mix(state_ ^ (field.size() + 0x9E3779B97F4A7C15u));
  for (; field.size() >= 8; field.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, field.data(), 8);
    state_ = mix(state_ ^ word) + 0x9E3779B97F4A7C15u;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, field.data(), field.size());
  state_ = mix(state_ ^ rest) + 0x9E3779B97F4A7C15u;
}

void Fingerprint::add(const Texts& texts, const std::vector<Texts>& columns, Index row) {
  add(texts[row]);
  for (const Texts& column : columns) add(column[row]);
}

std::string Fingerprint::text() const {
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(state_));
  return buffer;
}

std::string_view shoal_version() { return SHOAL_VERSION; }

std::string step_key(std::string_view before, std::string_view step, const std::vector<Field>& options,
                     std::string_view version) {
  std::string all =
      "shoal " + std::string(version) + "\n" + std::string(before) + "\n" + std::string(step) + "\n";
  for (const Field& field : options) all += field.name + "=" + value_text(field.value) + "\n";
  return sha256(std::as_bytes(std::span(all.data(), all.size()))).substr(0, 16);
}

}  // namespace shoal
