// What tests/files/encodings.py and dialects.py ask shoal: how it reads files.
//
//   dump_texts FILE ...     a JSON object a line: how the file was read, its columns and rows, or the error
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/read/source.h"

namespace {

nlohmann::ordered_json dump(const char* path) {
  nlohmann::ordered_json out{{"file", path}};
  shoal::Source source({path}, {});
  std::vector<std::string> columns = source.text_columns();
  columns.insert(columns.end(), source.other_columns().begin(), source.other_columns().end());
  auto rows = nlohmann::ordered_json::array();
  shoal::Texts texts;
  std::vector<shoal::Texts> others;
  while (source.next(1000, texts, others)) {
    for (shoal::Index i = 0; i < texts.size(); ++i) {
      auto row = nlohmann::ordered_json::array({std::string(texts[i])});
      for (const shoal::Texts& column : others) row.push_back(std::string(column[i]));
      rows.push_back(std::move(row));
    }
  }
  const shoal::ReadReport& report = source.report();
  const shoal::FileReading& how = report.readings.front();
  out["encoding"] = how.encoding;
  out["compression"] = how.compression;
  out["format"] = shoal::name_of(how.format);
  out["delimiter"] = how.delimiter;
  out["quote"] = how.quote;
  out["escape"] = how.escape;
  out["header"] = how.header;
  out["skipped"] = how.skipped;
  out["remark"] = how.remark;
  out["faults"] = report.repaired_utf8 + report.stray_quotes + report.short_rows + report.long_rows;
  out["columns"] = columns;
  out["rows"] = rows;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    nlohmann::ordered_json answer;
    try {
      answer = dump(argv[i]);
    } catch (const shoal::Error& e) {
      answer = {{"file", argv[i]}, {"error", e.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  }
}
