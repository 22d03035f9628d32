#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "shoal/flow/tables/csv_field.h"
#include "shoal/store/files/new_file.h"

namespace shoal {

/// A CSV file, cell by cell: whole when it is kept, else absent.
class CsvFile {
 public:
  CsvFile(const std::filesystem::path& path, std::string_view header)
      : file_(path), lines_(std::string(header) + '\n') {}

  CsvFile& cell(std::string_view text) {
    if (!first_) lines_ += ',';
    first_ = false;
    add_csv_field(lines_, text);
    return *this;
  }
  CsvFile& cell(std::integral auto number) { return cell(std::string_view(std::to_string(number))); }

  void end_row() {
    lines_ += '\n';
    first_ = true;
    if (lines_.size() >= 1 << 16) write();
  }
  void keep() {
    write();
    file_.keep();
  }

 private:
  void write() {
    file_.write(lines_);
    lines_.clear();
  }

  NewFile file_;
  std::string lines_;
  bool first_ = true;
};

}  // namespace shoal
