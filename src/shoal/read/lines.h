#pragma once

#include <string>
#include <vector>

#include "shoal/read/input.h"
#include "shoal/read/record.h"

namespace shoal {

/// One text a line, in a single column called "text". Lines end with LF, CR LF or CR; lines of nothing but
/// spaces and tabs are passed over and counted.
class LinesReader {
 public:
  LinesReader(Input input, ReadReport* report);

  const std::vector<std::string>& columns() const { return columns_; }
  /// The next line; false at the end. Error(data): line over max_record.
  bool next(Record& record);
  const Input& input() const { return input_; }
  std::string place() const { return input_.place(); }  ///< file and line of the record given out last

 private:
  Input input_;
  ReadReport* report_;
  std::vector<std::string> columns_{"text"};
  std::size_t length_ = 0;  // of the line given out last, with its end
};

}  // namespace shoal
