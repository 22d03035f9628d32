#include "shoal/core/fields.h"

#include <charconv>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"

namespace shoal {
namespace {

template <class T>
std::string shortest(T x) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::general).ptr};
}

/// 1,000,000
std::string limit(double x) {
  if (std::trunc(x) != x || std::abs(x) >= 1e15) return shortest(x);
  return with_commas(static_cast<std::int64_t>(x));
}

std::string in_words(const Allowed& a) {
  const bool least = std::isfinite(a.least), most = std::isfinite(a.most);
  if (!least && !most) return "any number";
  if (!least) return (a.most_itself ? "at most " : "below ") + limit(a.most);
  if (!most) return a.least_itself ? limit(a.least) + " or more" : "above " + limit(a.least);
  if (a.least_itself && a.most_itself) return limit(a.least) + " to " + limit(a.most);
  return (a.least_itself ? "at least " : "above ") + limit(a.least) +
         (a.most_itself ? ", at most " : ", below ") + limit(a.most);
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  T x{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(x) : std::nullopt;
}

}  // namespace

std::string text_of(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? "none" : shortest(*number);
}

std::string text_of(float value) { return shortest(value); }

std::string OptionRef::text() const {
  const FieldValue value = get();
  if (kind == OptionKind::seed && value.index() != 0)
    return std::to_string(static_cast<std::uint64_t>(std::get<std::int64_t>(value)));
  const auto* number = std::get_if<double>(&value);
  return single && number != nullptr ? text_of(static_cast<float>(*number)) : text_of(value);
}

std::string OptionRef::allowed_in_words() const {
  switch (kind) {
    case OptionKind::boolean:
      return "true or false";
    case OptionKind::whole:
    case OptionKind::number:
      return in_words(allowed);
    case OptionKind::seed:
      return "0 to 2^64 - 1";
    case OptionKind::name:
      break;
    case OptionKind::text:
      return "text";
  }
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + std::string(names[i]);
  return out;
}

void OptionRef::refuse(const std::string& value, const char* what) const {
  throw Error(Fault::argument,
              option_name(name) + " is " + value + "; allowed: " + what + allowed_in_words());
}

void OptionRef::check(const FieldValue& value) const {
  if (std::holds_alternative<std::monostate>(value)) return;
  if (kind == OptionKind::name && std::ranges::find(names, std::get<std::string>(value)) == names.end())
    refuse(std::get<std::string>(value));
  double x = 0;
  if (kind == OptionKind::whole)
    x = static_cast<double>(std::get<std::int64_t>(value));
  else if (kind == OptionKind::number)
    x = std::get<double>(value);
  else
    return;
  const auto kept = [&](double b) { return single ? static_cast<double>(static_cast<float>(b)) : b; };
  const double least = kept(allowed.least), most = kept(allowed.most), now = kept(x);
  if (std::isfinite(x) && (allowed.least_itself ? now >= least : now > least) &&
      (allowed.most_itself ? now <= most : now < most))
    return;
  refuse(single ? text_of(static_cast<float>(x)) : text_of(value));
}

void OptionRef::check() const { check(get()); }

void OptionRef::set(const FieldValue& given) const {
  FieldValue value = given;
  const auto* whole = std::get_if<std::int64_t>(&given);
  if (kind == OptionKind::number && whole != nullptr) value = static_cast<double>(*whole);
  const bool absent = std::holds_alternative<std::monostate>(value);
  const auto fits = [&] {
    switch (kind) {
      case OptionKind::boolean:
        return std::holds_alternative<bool>(value);
      case OptionKind::whole:
      case OptionKind::seed:
        return std::holds_alternative<std::int64_t>(value);
      case OptionKind::number:
        return std::holds_alternative<double>(value);
      case OptionKind::name:
        return std::holds_alternative<std::string>(value) &&
               std::ranges::find(names, std::get<std::string>(value)) != names.end();
      case OptionKind::text:
        break;
    }
    return std::holds_alternative<std::string>(value);
  };
  if (absent ? !optional : !fits()) refuse("'" + text_of(given) + "'");
  check(value);
  set_(value_, value);
}

void OptionRef::set_text(std::string_view text) const {
  const std::string given(text);
  if (optional && kind != OptionKind::text && text == "none") return set(FieldValue{});
  if (kind == OptionKind::boolean) {
    if (text != "true" && text != "false") refuse("'" + given + "'");
    return set(text == "true");
  }
  if (kind == OptionKind::name || kind == OptionKind::text) return set(given);
  if (kind == OptionKind::number) {
    const auto number = parsed<double>(text);
    if (!number) refuse("'" + given + "'", "a number, ");
    return set(*number);
  }
  if (kind == OptionKind::seed) {
    const auto seed = parsed<std::uint64_t>(text);
    if (!seed) refuse("'" + given + "'");
    return set(static_cast<std::int64_t>(*seed));
  }
  const auto whole = parsed<std::int64_t>(text);
  if (!whole) refuse("'" + given + "'", "a whole number, ");
  set(*whole);
}

std::vector<Field> list_fields(const OptionRefs& options) {
  std::vector<Field> out;
  for (const OptionRef& option : options) out.push_back({option.name, option.get()});
  return out;
}

}  // namespace shoal
