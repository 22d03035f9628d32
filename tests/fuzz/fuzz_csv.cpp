// CSV from anybody: never a crash, and the same rows in blocks of any size.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/read/dialect.h"

namespace {

struct Outcome {
  std::vector<std::vector<std::string>> rows;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome read_all(const std::string& bytes, const shoal::CsvHints& hints, std::size_t block) {
  Outcome out;
  shoal::ReadReport report;
  try {
    shoal::Input input = shoal::Input::of("fuzz", bytes, 1u << 20, block);
    input.fill(shoal::kLayoutBytes);
    const shoal::FoundLayout found = shoal::find_layout(input.rest(), input.ended(), hints);
    shoal::CsvReader reader(std::move(input), found.layout, &report);
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
  shoal::CsvHints hints;
  if (data[0] % 4 == 0) hints.usual = '\t';
  if (data[0] % 4 == 1) hints.delimiter = ',';
  if (data[0] & 16) hints.backslash = true;
  if (data[0] & 32) hints.header = false;
  if (data[0] & 64) hints.quote = data[0] & 128 ? '\'' : '"';
  const Outcome whole = read_all(bytes, hints, 1u << 16);
  if (!(read_all(bytes, hints, 1 + data[0] % 7) == whole)) std::abort();
  return 0;
}
