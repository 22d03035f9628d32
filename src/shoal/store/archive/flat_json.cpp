// The small JSON objects inside a safetensors file's metadata: options and spaces.
#include <limits>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/store/archive/json_value_impl.h"
#include "shoal/store/archive/safetensors_impl.h"

namespace shoal {
namespace {

using nlohmann::json;

/// Hears one object of scalars and refuses whatever else there is, before it is built.
class FlatListener {
 public:
  explicit FlatListener(std::map<std::string, FieldValue, std::less<>>& out) : out_(out) {}
  bool null() { return take(FieldValue{}); }
  bool boolean(bool value) { return take(value); }
  bool number_integer(json::number_integer_t value) { return take(static_cast<std::int64_t>(value)); }
  bool number_unsigned(json::number_unsigned_t value) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return take(value > kMost ? FieldValue(static_cast<double>(value))
                              : FieldValue(static_cast<std::int64_t>(value)));
  }
  bool number_float(json::number_float_t value, const std::string&) { return take(value); }
  bool string(std::string& value) { return take(std::move(value)); }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return !std::exchange(inside_, true); }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return false; }
  bool end_array() { return false; }
  bool key(std::string& name) {
    name_ = std::move(name);
    return !out_.contains(name_);
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool take(FieldValue value) {
    if (inside_) out_[name_] = std::move(value);
    return inside_;
  }
  std::map<std::string, FieldValue, std::less<>>& out_;
  std::string name_;
  bool inside_ = false;
};

}  // namespace

std::map<std::string, FieldValue, std::less<>> parse_flat_json(std::string_view text,
                                                               const std::string& where) {
  std::map<std::string, FieldValue, std::less<>> out;
  FlatListener listener(out);
  if (!json::sax_parse(text.begin(), text.end(), &listener)) {
    throw Error(Fault::format, where + " is not a JSON object of plain values: " + shown(text));
  }
  return out;
}

std::string flat_json(const std::vector<Field>& fields) {
  json object = json::object();
  for (const Field& field : fields) object[field.name] = json_value<json>(field.value);
  try {
    return object.dump();
  } catch (const json::exception&) {
    throw Error(Fault::argument, "an option's name or value is not valid UTF-8");
  }
}

std::string space_json(const Space& space) {
  return flat_json({{"id", space.id}, {"dims", static_cast<std::int64_t>(space.dims)}, {"unit", space.unit}});
}

Space parse_space(std::string_view text, const std::string& where) {
  const auto fields = parse_flat_json(text, where);
  const auto id = fields.find("id"), dims = fields.find("dims"), unit = fields.find("unit");
  const bool whole = id != fields.end() && std::holds_alternative<std::string>(id->second) &&
                     dims != fields.end() && std::holds_alternative<std::int64_t>(dims->second) &&
                     unit != fields.end() && std::holds_alternative<bool>(unit->second) &&
                     std::get<std::int64_t>(dims->second) >= 0;
  if (!whole) throw Error(Fault::format, where + ": id, dims and unit are needed in " + shown(text));
  return {.id = std::get<std::string>(id->second),
          .dims = static_cast<Index>(std::get<std::int64_t>(dims->second)),
          .unit = std::get<bool>(unit->second)};
}

}  // namespace shoal
