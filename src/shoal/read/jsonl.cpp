#include "shoal/read/jsonl.h"

#include <algorithm>

#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"

namespace shoal {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string decoded_key(const JsonMember& member) {
  std::string key;
  if (member.key_escaped) {
    decode_json_string(member.key, key);
  } else {
    key = member.key;
  }
  return key;
}

}  // namespace

JsonlReader::JsonlReader(Input input, ReadReport* report, std::optional<std::vector<std::string>> columns)
    : input_(std::move(input)), report_(report) {
  if (input_.rest().empty()) input_.grow();
  begin_array();
  find_columns();
  found_ = columns_;
  if (columns) set_columns(*columns, *columns);
}

// Passes over the bracket that opens an array of objects.
void JsonlReader::begin_array() {
  std::size_t first = input_.rest().find_first_not_of(kSpace);
  while (first == std::string_view::npos && !input_.ended()) {  // a pipe may give the blanks before it alone
    input_.grow();
    first = input_.rest().find_first_not_of(kSpace);
  }
  if (first == std::string_view::npos || input_.rest()[first] != '[') return;
  array_ = true;
  input_.take(first + 1);
}

// Whatever is wrong in the objects looked at is left to `next`, which comes by and says so.
void JsonlReader::find_columns() {
  std::vector<std::string> keys;
  while (!extent(input_.rest()) && !input_.ended()) input_.grow();  // a first object of any length
  std::string_view text = input_.rest();
  for (Index seen = 0; seen < kSampled; ++seen) {
    const auto found = extent(text);
    if (!found || found->next == 0) break;
    const std::string_view object = text.substr(found->begin, found->length);
    text.remove_prefix(found->next);
    if (object.find_first_not_of(kSpace) == std::string_view::npos) continue;
    if (parse_json_object(object, members_)) break;
    for (const JsonMember& m : members_) {
      std::string key = decoded_key(m);
      if (position_.emplace(key, keys.size()).second) keys.push_back(std::move(key));
    }
  }
  set_columns(unique_names(keys), keys);
}

void JsonlReader::set_columns(std::vector<std::string> names, const std::vector<std::string>& keys) {
  columns_ = std::move(names);
  keys_ = keys;
  position_.clear();
  for (Index i = 0; i < keys_.size(); ++i) position_.emplace(keys_[i], i);
}

// A line, which may be blank; none while its end is not there.
std::optional<JsonlReader::Extent> JsonlReader::line_extent(std::string_view text, bool last) {
  const std::size_t end = text.find('\n');
  if (end != std::string_view::npos) return Extent{0, end, end + 1};
  if (!last) return std::nullopt;
  return Extent{0, text.size(), text.size()};
}

// An element of the array with the comma that follows. The end of the array or anything unexpected has
// length 0 and begins where it lies.
std::optional<JsonlReader::Extent> JsonlReader::element_extent(std::string_view text, bool last) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return last ? std::optional(Extent{text.size(), 0, 0}) : std::nullopt;
  if (text[begin] != '{') return Extent{begin, 0, 0};
  const std::size_t length = json_extent(text.substr(begin));
  if (length == 0)
    return last ? std::optional(Extent{begin, text.size() - begin, text.size()}) : std::nullopt;
  const std::size_t after = text.find_first_not_of(kSpace, begin + length);
  if (after == std::string_view::npos) {
    return last ? std::optional(Extent{begin, length, text.size()}) : std::nullopt;
  }
  return Extent{begin, length, text[after] == ',' ? after + 1 : after};
}

std::optional<JsonlReader::Extent> JsonlReader::extent(std::string_view text) const {
  return array_ ? element_extent(text, input_.ended()) : line_extent(text, input_.ended());
}

// Puts the next object's place into here_; false at the end.
bool JsonlReader::advance() {
  for (;;) {
    input_.take(here_.next);
    here_ = {};
    std::optional<Extent> found;
    while (!(found = extent(input_.rest()))) input_.grow();
    here_ = *found;
    if (here_.next == 0) {
      if (array_) end_array();
      return false;
    }
    input_.check_record(here_.length);
    if (array_) return true;
    const std::string_view line = input_.rest().substr(0, here_.length);
    if (line.find_first_not_of(kSpace) != std::string_view::npos) return true;
    ++report_->empty_rows;
  }
}

void JsonlReader::end_array() {
  const std::string_view rest = input_.rest();
  if (here_.begin == rest.size()) {
    throw input_.error(Fault::data, "the array that began the file is not closed by ]", here_.begin);
  }
  if (rest[here_.begin] != ']') {
    throw input_.error(Fault::data, "an object { of the array, or its end ], was expected", here_.begin);
  }
  input_.take(here_.begin + 1);
  here_ = {};
  for (;; input_.grow()) {
    const std::size_t more = input_.rest().find_first_not_of(kSpace);
    if (more != std::string_view::npos) {
      throw input_.error(Fault::data, "more text follows the end of the array", more);
    }
    input_.take(input_.rest().size());
    if (input_.ended()) return;
  }
}

Error JsonlReader::fault(const JsonFault& found) const {
  std::string message = "broken JSON at byte " + std::to_string(found.offset + 1) +
                        (array_ ? " of the object: " : " of the line: ") + found.reason;
  if (given_ == 0 && !array_) {
    message += ". JSONL has one object a line; jq -c . FILE rewrites objects that span lines";
  }
  return input_.error(Fault::data, message, array_ ? here_.begin + found.offset : 0);
}

bool JsonlReader::next(Record& record) {
  if (!advance()) return false;
  const std::string_view object = input_.rest().substr(here_.begin, here_.length);
  if (const auto found = parse_json_object(object, members_)) throw fault(*found);
  ++given_;
  record.utf8 = first_invalid_utf8(object) == std::string_view::npos;
  record.surrogates = record.utf8;
  values_.clear();
  values_.reserve(here_.length);  // the views into it must stay; a decoded string is never longer
  fill(record);
  return true;
}

void JsonlReader::fill(Record& record) {
  record.fields.assign(columns_.size(), {});
  record.kinds.assign(columns_.size(), ValueKind::missing);
  for (Index i = 0; i < members_.size(); ++i) {
    const JsonMember& member = members_[i];
    const auto column = column_of(member, i);
    if (!column) {
      note_unknown(member);
      continue;
    }
    record.kinds[*column] = member.kind;
    record.fields[*column] = value_of(member, record);
  }
}

// Most objects have their keys in the order of the first: look there before asking the map. The columns of an
// earlier file may stand here with blanks around them.
std::optional<Index> JsonlReader::column_of(const JsonMember& member, Index order) {
  if (!member.key_escaped && order < keys_.size() && keys_[order] == member.key) return order;
  key_ = decoded_key(member);
  auto at = position_.find(key_);
  if (at == position_.end()) at = position_.find(column_name(key_));
  if (at == position_.end()) return std::nullopt;
  return at->second;
}

std::string_view JsonlReader::value_of(const JsonMember& member, Record& record) {
  if (member.kind == ValueKind::null) return {};
  if (!member.value_escaped || member.kind != ValueKind::string) return member.value;
  const std::size_t begin = values_.size();
  if (!decode_json_string(member.value, values_)) record.utf8 = false;
  return std::string_view(values_).substr(begin);
}

void JsonlReader::note_unknown(const JsonMember& member) {
  ++report_->unknown_values;
  const std::string key = repair_utf8(decoded_key(member));
  auto& known = report_->unknown_keys;
  const auto at = std::ranges::find(known, key, &UnknownKey::key);
  if (at != known.end()) {
    ++at->values;
  } else if (known.size() < kMostNotes) {
    known.push_back({key, place(), 1});
  }
}

}  // namespace shoal
