#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "shoal/core/names.h"
#include "shoal/core/random.h"

namespace shoal {

/// The value of one option in a form that JSON, a terminal and a saved model can hold. Empty: absent.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct Field {
  std::string name;
  FieldValue value;
};

/// "none", "true", "0.0001", "cosine".
std::string text_of(const FieldValue& value);
std::string text_of(float value);  ///< with the digits that a float needs

/// Which numbers an option may be: at_least(1), above(0).at_most(1), at_least(0).below(1), between(0, 100).
/// A NaN or an infinity is never allowed.
struct Allowed {
  double least = -std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::infinity();
  bool least_itself = true, most_itself = true;

  constexpr Allowed at_most(double x) const { return {least, x, least_itself, true}; }
  constexpr Allowed below(double x) const { return {least, x, least_itself, false}; }
};
constexpr Allowed at_least(double x) { return {.least = x}; }
constexpr Allowed above(double x) { return {.least = x, .least_itself = false}; }
constexpr Allowed between(double least, double most) { return {.least = least, .most = most}; }

enum class OptionKind : std::uint8_t { boolean, whole, seed, number, name, text };

/// An option of a struct: what it is called, what it may be, and its value in the struct, which must outlive
/// this.
class OptionRef {
 public:
  template <class T>
  OptionRef(const char* its_name, T& value, const char* its_help, const Allowed& its_range);

  std::string name;
  const char* help;
  OptionKind kind;
  bool optional;  ///< it may be absent
  bool single;    ///< kept as float
  Allowed allowed;
  std::span<const char* const> names;  ///< of OptionKind::name

  FieldValue get() const { return get_(value_); }
  /// Error(argument) naming the option, the value and what is allowed.
  void set(const FieldValue& value) const;
  /// The same from text: "0.5", "true", "cosine"; "none" where it may be absent and is not itself text.
  void set_text(std::string_view text) const;
  /// As set() of its own value.
  void check() const;
  /// "0 to 1", "1 or more", "cosine or euclidean".
  std::string allowed_in_words() const;
  /// Its value as text, a float with the digits that it needs.
  std::string text() const;

 private:
  [[noreturn]] void refuse(const std::string& value, const char* what = "") const;
  void check(const FieldValue& value) const;

  void* value_;
  FieldValue (*get_)(const void*);
  void (*set_)(void*, const FieldValue&);
};

namespace detail {

template <class T>
struct InsideOptional {
  using type = T;
};
template <class T>
struct InsideOptional<std::optional<T>> {
  using type = T;
};

template <class T>
constexpr OptionKind option_kind() {
  if constexpr (std::is_same_v<T, bool>)
    return OptionKind::boolean;
  else if constexpr (std::is_same_v<T, Seed>)
    return OptionKind::seed;
  else if constexpr (std::is_integral_v<T>)
    return OptionKind::whole;
  else if constexpr (std::is_floating_point_v<T>)
    return OptionKind::number;
  else if constexpr (std::is_enum_v<T>)
    return OptionKind::name;
  else
    return OptionKind::text;
}

template <class T>
FieldValue field_value(const T& x) {
  if constexpr (std::is_same_v<T, Seed>)
    return static_cast<std::int64_t>(x.value);
  else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>)
    return x;
  else if constexpr (std::is_integral_v<T>)  // sizes of 2^63 and more: the largest that is not negative
    return std::in_range<std::int64_t>(x) ? static_cast<std::int64_t>(x)
                                          : std::numeric_limits<std::int64_t>::max();
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(x);
  else
    return std::string(name_of(x));
}
template <class T>
FieldValue field_value(const std::optional<T>& x) {
  return x ? field_value(*x) : FieldValue{};
}

/// `value` is of the option's kind, and one of its names.
template <class T>
void set_field(T& x, const FieldValue& value) {
  if constexpr (std::is_same_v<T, Seed>)
    x.value = static_cast<std::uint64_t>(std::get<std::int64_t>(value));
  else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>)
    x = std::get<T>(value);
  else if constexpr (std::is_integral_v<T>)
    x = static_cast<T>(std::get<std::int64_t>(value));
  else if constexpr (std::is_floating_point_v<T>)
    x = static_cast<T>(std::get<double>(value));
  else
    x = *named<T>(std::get<std::string>(value));
}
template <class T>
void set_field(std::optional<T>& x, const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value))
    x.reset();
  else
    set_field(x.emplace(), value);
}

}  // namespace detail

template <class T>
OptionRef::OptionRef(const char* its_name, T& value, const char* its_help, const Allowed& its_range)
    : name(its_name),
      help(its_help),
      kind(detail::option_kind<typename detail::InsideOptional<T>::type>()),
      optional(!std::is_same_v<T, typename detail::InsideOptional<T>::type>),
      single(std::is_same_v<typename detail::InsideOptional<T>::type, float>),
      allowed(its_range),
      value_(&value),
      get_([](const void* x) { return detail::field_value(*static_cast<const T*>(x)); }),
      set_([](void* x, const FieldValue& to) { detail::set_field(*static_cast<T*>(x), to); }) {
  using Inside = typename detail::InsideOptional<T>::type;
  if constexpr (std::is_unsigned_v<Inside>) allowed.least = std::max(allowed.least, 0.0);
  if constexpr (std::is_enum_v<Inside>) names = kNamesOf<Inside>;
}

using OptionRefs = std::vector<OptionRef>;

/// The options of a struct, in order. Beside each struct stands
///   template <class V>
///   void fields(XOptions& o, V&& visit) {
///     visit("n_clusters", o.n_clusters, "clusters to find", at_least(1));
///   }
/// with one line an option: name, reference, a help text, and for numbers what is allowed. Whatever is done
/// with options comes from that line: checks, saved models, JSON, flags of the command line.
template <class Options>
OptionRefs option_refs(Options& options) {
  OptionRefs out;
  fields(options, [&](const char* name, auto& value, const char* help, const Allowed& allowed = {}) {
    out.emplace_back(name, value, help, allowed);
  });
  return out;
}

std::vector<Field> list_fields(const OptionRefs& options);

template <class Options>
std::vector<Field> list_fields(const Options& options) {
  Options copy = options;
  return list_fields(option_refs(copy));
}

/// Error(argument) naming the first option that is out of its range, its value and what is allowed. Options
/// that limit each other have a function check_together(const XOptions&) beside `fields`, which is called
/// too.
template <class Options>
void check_options(const Options& options) {
  Options copy = options;
  for (const OptionRef& option : option_refs(copy)) option.check();
  if constexpr (requires { check_together(options); }) check_together(options);
}

}  // namespace shoal
