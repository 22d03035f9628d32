#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/texts.h"

namespace shoal {

/// A running 64-bit hash of rows as they were read: tells on resuming whether the input is still the same.
/// Not for adversaries: it guards against mistakes, not against forgery.
class Fingerprint {
 public:
  /// Row `row` of a batch: its text and the values of its other columns, lengths included.
  void add(const Texts& texts, const std::vector<Texts>& columns, Index row);
  std::string text() const;  ///< 16 hex digits
  bool operator==(const Fingerprint&) const = default;

 private:
  void add(std::string_view field);
  std::uint64_t state_ = 0;
};

/// "0.3.0": of this build.
std::string_view shoal_version();

/// Names what a step's result depends on: the version of shoal, the key of the step before it, the step's
/// name and its options. 16 hex digits.
std::string step_key(std::string_view before, std::string_view step, const std::vector<Field>& options,
                     std::string_view version = shoal_version());

}  // namespace shoal
