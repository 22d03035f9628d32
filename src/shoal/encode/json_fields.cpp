#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/core/utf8.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

using nlohmann::json;

namespace {

/// The deepest nesting of brackets outside strings.
std::size_t depth(std::string_view content) {
  std::size_t now = 0, most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (c == '"') in_string = !in_string;
    if (in_string)
      i += c == '\\';  // what follows a backslash ends no string
    else if (c == '[' || c == '{')
      most = std::max(most, ++now);
    else if ((c == ']' || c == '}') && now > 0)
      --now;
  }
  return most;
}

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

json parse(std::string_view content, const std::filesystem::path& path) {
  constexpr std::size_t kMostDepth = 32;  // real files nest eight levels; writing and copying a value recurse
  constexpr std::size_t kShown = 200;
  if (depth(content) > kMostDepth)
    throw Error(Fault::format,
                path.string() + ": nests deeper than the " + std::to_string(kMostDepth) + " levels allowed");
  try {
    return json::parse(content);
  } catch (const json::exception& problem) {  // its message repeats the file's content up to the fault
    throw Error(Fault::format,
                path.string() + ": not JSON: " + repair_utf8(beginning_of(problem.what(), kShown)));
  }
}

/// Walks through the members of a JSON object without building their values.
class Members {
 public:
  explicit Members(std::string_view content) : content_(content) {}

  /// The members called so, the last of equal ones; nothing if the text is not understood.
  std::optional<std::map<std::string, std::string_view, std::less<>>> find(
      std::initializer_list<std::string_view> names) {
    std::map<std::string, std::string_view, std::less<>> out;
    if (!accept('{')) return std::nullopt;
    while (!accept('}')) {
      const std::string_view key = next_value();
      if (key.size() < 2 || key.front() != '"' || key.find('\\') != std::string_view::npos || !accept(':'))
        return std::nullopt;
      const std::string_view value = next_value();
      if (value.empty()) return std::nullopt;
      const std::string_view name = key.substr(1, key.size() - 2);
      if (std::ranges::find(names, name) != names.end()) out.insert_or_assign(std::string(name), value);
      if (accept(',')) continue;
      if (!accept('}')) return std::nullopt;
      break;
    }
    return out;
  }

 private:
  bool accept(char wanted) {
    at_ = std::min(content_.find_first_not_of(" \t\r\n", at_), content_.size());
    if (at_ == content_.size() || content_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  /// Its text; empty if it does not end.
  std::string_view next_value() {
    at_ = std::min(content_.find_first_not_of(" \t\r\n", at_), content_.size());
    const std::size_t begin = at_;
    for (std::size_t open = 0; at_ < content_.size();) {
      const char c = content_[at_];
      if (open == 0 && (c == ',' || c == ':' || c == ']' || c == '}')) break;
      if (c == '"') {
        if (!skip_string()) return {};
      } else {
        ++at_;
      }
      open += c == '[' || c == '{';
      open -= c == ']' || c == '}';
      if (open == 0 && (c == '"' || c == ']' || c == '}')) break;
    }
    return content_.substr(begin, at_ - begin);
  }

  bool skip_string() {
    for (;;) {
      at_ = content_.find('"', at_ + 1);
      if (at_ == std::string_view::npos) return false;
      std::size_t slashes = 0;
      while (content_[at_ - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) break;  // else the quote is part of the string
    }
    ++at_;
    return true;
  }

  std::string_view content_;
  std::size_t at_ = 0;
};

}  // namespace

json read_json(const std::filesystem::path& path) { return parse(read_file(path, kMostBytes), path); }

json read_members(const std::filesystem::path& path, std::initializer_list<std::string_view> names) {
  const std::string content = read_file(path, kMostBytes);
  const auto found = Members(content).find(names);
  if (!found) return parse(content, path);
  json out = json::object();
  for (const auto& [name, value] : *found) out[name] = parse(value, path);
  return out;
}

JsonFields JsonFields::read(const std::filesystem::path& path) { return {path, read_json(path)}; }

JsonFields::JsonFields(std::filesystem::path path, json object)
    : path_(std::move(path)), object_(std::move(object)) {
  if (!object_.is_object()) throw Error(Fault::format, path_.string() + ": must hold one JSON object");
}

const json* JsonFields::find(std::string_view name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool JsonFields::says_null(std::string_view name) const {
  const auto found = object_.find(name);
  return found != object_.end() && found->is_null();
}

Index JsonFields::integer(std::string_view name, Index lowest, Index highest,
                          std::optional<Index> otherwise) const {
  const json* value = find(name);
  if (!value && otherwise) return *otherwise;
  // Read as unsigned only: a negative or fractional number is of another JSON type.
  if (!value || !value->is_number_unsigned() || value->get<std::uint64_t>() < lowest ||
      value->get<std::uint64_t>() > highest)
    fail(name, "it must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  return value->get<std::uint64_t>();
}

double JsonFields::number(std::string_view name, double lowest, double highest, double otherwise) const {
  const json* value = find(name);
  if (!value) return otherwise;
  const double x = value->is_number() ? value->get<double>() : std::nan("");
  if (!(x >= lowest && x <= highest))
    fail(name, "it must be a number from " + json(lowest).dump() + " to " + json(highest).dump());
  return x;
}

bool JsonFields::flag(std::string_view name, bool otherwise) const {
  const json* value = find(name);
  if (!value) return otherwise;
  if (!value->is_boolean()) fail(name, "it must be true or false");
  return value->get<bool>();
}

std::string JsonFields::text(std::string_view name, const std::optional<std::string>& otherwise) const {
  const json* value = find(name);
  if (!value && otherwise) return *otherwise;
  if (!value || !value->is_string()) fail(name, "it must be a string");
  return value->get<std::string>();
}

std::string JsonFields::describe(std::string_view name) const {
  constexpr std::size_t kShown = 80;
  const json* value = find(name);
  std::string shown = value ? value->dump(-1, ' ', true, json::error_handler_t::replace) : "absent";
  if (shown.size() > kShown) shown = shown.substr(0, kShown) + "...";
  return path_.string() + ": " + std::string(name) + " is " + shown + "; ";
}

void JsonFields::fail(std::string_view name, const std::string& problem) const {
  throw Error(Fault::format, describe(name) + problem);
}

void JsonFields::refuse(std::string_view name, const std::string& problem) const {
  throw Error(Fault::unsupported, describe(name) + problem);
}

}  // namespace shoal
