// JSONL from anybody: never a crash, and the same objects in blocks of any size.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/read/jsonl.h"

namespace {

struct Outcome {
  std::vector<std::vector<std::string>> rows;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

// The columns are given: in small blocks the reader looks less far ahead for them.
Outcome read_all(const std::string& bytes, const std::vector<std::string>& columns, std::size_t block) {
  Outcome out;
  shoal::ReadReport report;
  try {
    shoal::JsonlReader reader(shoal::Input::of("fuzz", bytes, 1u << 20, block), &report, columns);
    shoal::Record record;
    while (reader.next(record)) {
      if (record.fields.size() != columns.size()) std::abort();
      for (const auto field : record.fields) {
        if (record.utf8 && shoal::first_invalid_utf8(field) != std::string_view::npos) std::abort();
      }
      out.rows.emplace_back(record.fields.begin(), record.fields.end());
    }
    if (reader.input().taken() != bytes.size()) std::abort();
  } catch (const shoal::Error& e) {
    out.error = e.what();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> columns;
  try {
    shoal::ReadReport report;
    columns = shoal::JsonlReader(shoal::Input::of("fuzz", bytes), &report).columns();
  } catch (const shoal::Error&) {
    return 0;
  }
  const Outcome whole = read_all(bytes, columns, 1u << 16);
  if (!(read_all(bytes, columns, 1 + data[0] % 7) == whole)) std::abort();
  return 0;
}
