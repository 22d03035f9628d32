#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "shoal/core/random.h"

namespace shoal {

/// The value of one option in a form that JSON, a terminal and a saved model can hold.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct Field {
  std::string name;
  FieldValue value;
};

namespace detail {
template <class T>
FieldValue field_value(const T& x) {
  if constexpr (std::is_same_v<T, bool>)
    return x;
  else if constexpr (std::is_same_v<T, Seed>)
    return static_cast<std::int64_t>(x.value);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::int64_t>(x);
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(x);
  else if constexpr (std::is_enum_v<T>)
    return std::string(name_of(x));
  else
    return x;
}
template <class T>
FieldValue field_value(const std::optional<T>& x) {
  return x ? field_value(*x) : FieldValue{};
}
}  // namespace detail

/// The fields of an options struct as a list. Beside each struct stands
///   template <class V> void fields(XOptions& o, V&& visit) { visit("n_clusters", o.n_clusters, "groups to
///   find"); }
/// with one line a field: name, reference, one-sentence help. Flags, JSON and saved models come from it.
template <class Options>
std::vector<Field> list_fields(const Options& options) {
  std::vector<Field> out;
  Options copy = options;
  fields(copy, [&](const char* name, const auto& value, const char*) {
    out.push_back({name, detail::field_value(value)});
  });
  return out;
}

}  // namespace shoal
