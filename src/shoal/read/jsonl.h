#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/read/input.h"
#include "shoal/read/json_scan.h"
#include "shoal/read/record.h"

namespace shoal {

/// JSON objects, one a line, or one array of objects for the whole file (then they may span lines). The
/// columns are the keys of the first 1,000 objects (at most one MiB of them) in the order of their
/// appearance; values under later keys are left out and counted. A missing key and null are empty; of a key
/// that is twice in an object the last value counts; numbers, true, false, arrays and objects keep their JSON
/// text.
///
/// The scanner is our own because it keeps numbers to the digit and takes what Python writes (NaN, lone
/// surrogates), which simdjson and nlohmann's SAX parser refuse.
class JsonlReader {
 public:
  static constexpr Index kSampled = 1000;

  /// Looks ahead to find the columns, unless an earlier file has fixed them.
  JsonlReader(Input input, ReadReport* report, std::optional<std::vector<std::string>> columns = {});

  const std::vector<std::string>& columns() const { return columns_; }
  /// The next object; false at the end. Error(data) with line and reason: not an object, broken JSON, array
  /// not closed, object over max_record.
  bool next(Record& record);
  /// The columns that this file's first objects have.
  const std::vector<std::string>& found() const { return found_; }
  const Input& input() const { return input_; }
  std::string place() const {
    return input_.place(here_.begin);
  }  ///< file and line of the object given out last

 private:
  /// Where an object's text lies, and where to look for the next one.
  struct Extent {
    std::size_t begin = 0, length = 0, next = 0;
  };
  static std::optional<Extent> line_extent(std::string_view text, bool last);
  static std::optional<Extent> element_extent(std::string_view text, bool last);
  std::optional<Extent> extent(std::string_view text) const;

  void begin_array();
  void find_columns();
  void set_columns(std::vector<std::string> names, const std::vector<std::string>& keys);
  bool advance();
  void end_array();
  void fill(Record& record);
  std::optional<Index> column_of(const JsonMember& member, Index order);
  std::string_view value_of(const JsonMember& member, Record& record);
  void note_unknown(const JsonMember& member);
  Error fault(const JsonFault& found) const;

  Input input_;
  ReadReport* report_;
  bool array_ = false;
  std::vector<std::string> columns_, found_, keys_;  // keys_: as in the file, where columns_ has the names
  std::unordered_map<std::string, Index> position_;  // of a key
  std::vector<JsonMember> members_;
  Extent here_;  // the object given out last, in rest()
  Index given_ = 0;
  std::string key_, values_;  // decoded
};

}  // namespace shoal
