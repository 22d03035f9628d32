// CSV from anybody: never a crash, and the same rows in blocks of any size.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/read/csv.h"

namespace {

struct Outcome {
  std::vector<std::vector<std::string>> rows;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome read_all(const std::string& bytes, shoal::FileFormat format, std::size_t block) {
  Outcome out;
  shoal::ReadReport report;
  try {
    shoal::CsvReader reader(shoal::Input::of("fuzz", bytes, 1u << 20, block), format, &report);
    out.rows.push_back(reader.columns());
    shoal::Record record;
    while (reader.next(record)) {
      if (record.fields.size() != reader.columns().size()) std::abort();
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
  const auto format = data[0] % 4 == 0 ? shoal::FileFormat::tsv : shoal::FileFormat::csv;
  const Outcome whole = read_all(bytes, format, 1u << 16);
  if (!(read_all(bytes, format, 1 + data[0] % 7) == whole)) std::abort();
  return 0;
}
