#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/fields.h"

namespace shoal {

/// An option as JSON. Infinities and NaN, for which JSON has no word, are named as in JavaScript.
template <class Json>
Json json_value(const FieldValue& value) {
  if (const auto* d = std::get_if<double>(&value); d != nullptr && !std::isfinite(*d))
    return std::isnan(*d) ? "NaN" : *d > 0 ? "Infinity" : "-Infinity";
  return std::visit(
      []<class T>(const T& v) {
        if constexpr (std::is_same_v<T, std::monostate>)
          return Json(nullptr);
        else
          return Json(v);
      },
      value);
}

/// Its mirror, but for numbers that are not finite: they come back as text. Error(format) for an array or an
/// object.
template <class Json>
FieldValue value_from(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.template get<bool>();
  if (json.is_number_integer()) return json.template get<std::int64_t>();
  if (json.is_number()) return json.template get<double>();
  require(json.is_string(), Fault::format, "an option is no plain value");
  return json.template get<std::string>();
}

}  // namespace shoal
