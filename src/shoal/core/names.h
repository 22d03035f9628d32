#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace shoal {

/// An enum whose values have names. Beside it stands the one list of them, in the order of the values 0, 1,
/// ...
///   constexpr auto names_of(Metric) { return std::array{"cosine", "euclidean"}; }
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  names_of(e);
};

template <NamedEnum E>
inline constexpr auto kNamesOf = names_of(E{});

/// "unknown" for a value that is none of them.
template <NamedEnum E>
constexpr const char* name_of(E e) {
  const auto at = static_cast<std::size_t>(e);
  return at < kNamesOf<E>.size() ? kNamesOf<E>[at] : "unknown";
}
/// Nothing if no value has that name.
template <NamedEnum E>
constexpr std::optional<E> named(std::string_view name) {
  for (std::size_t i = 0; i < kNamesOf<E>.size(); ++i)
    if (name == kNamesOf<E>[i]) return static_cast<E>(i);
  return std::nullopt;
}

}  // namespace shoal
