#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "shoal/core/matrix.h"

namespace shoal {

/// A JSON object in a model folder, read field by field. Every fault is Error(format) that names the file,
/// the field, what stands there and what is allowed. A field that is null counts as absent.
class JsonFields {
 public:
  /// Error(file) if it cannot be read; Error(format) if it is not one JSON object of at most 64 MB
  /// and 32 levels.
  static JsonFields read(const std::filesystem::path& path);
  JsonFields(std::filesystem::path path, nlohmann::json object);

  const std::filesystem::path& path() const { return path_; }
  const nlohmann::json* find(std::string_view name) const;  ///< null if absent
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool says_null(std::string_view name) const;  ///< it is there, as null

  /// A whole number in lowest..highest. Without `otherwise` the field must be there.
  Index integer(std::string_view name, Index lowest, Index highest,
                std::optional<Index> otherwise = std::nullopt) const;
  double number(std::string_view name, double lowest, double highest, double otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;
  std::string text(std::string_view name, const std::optional<std::string>& otherwise = std::nullopt) const;

  /// Throws Error(format): "FILE: NAME is VALUE; PROBLEM".
  [[noreturn]] void fail(std::string_view name, const std::string& problem) const;
  /// Throws Error(unsupported) of the same shape.
  [[noreturn]] void refuse(std::string_view name, const std::string& problem) const;

 private:
  std::string describe(std::string_view name) const;

  std::filesystem::path path_;
  nlohmann::json object_;
};

/// Any JSON value of a file. Faults as JsonFields::read.
nlohmann::json read_json(const std::filesystem::path& path);

/// Of a JSON object in a file the members called so, or more; the others may be large, and are passed over
/// without being checked. Faults as JsonFields::read.
nlohmann::json read_members(const std::filesystem::path& path, std::initializer_list<std::string_view> names);

}  // namespace shoal
