// Any bytes as a file whose format is guessed from its content: never a crash, texts are UTF-8, and lines are
// the same in blocks of any size.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/read/format.h"
#include "shoal/read/lines.h"

namespace {

std::vector<std::string> read_all(const std::string& bytes, std::size_t block) {
  shoal::ReadReport report;
  shoal::LinesReader reader(shoal::Input::of("fuzz", bytes, 1u << 20, block), &report);
  std::vector<std::string> lines;
  for (shoal::Record record; reader.next(record);) {
    const std::string_view line = record.fields.at(0);
    if (record.utf8 != (shoal::first_invalid_utf8(line) == std::string_view::npos)) std::abort();
    if (shoal::first_invalid_utf8(shoal::repair_utf8(line)) != std::string_view::npos) std::abort();
    if (line.find_first_of("\r\n") != std::string_view::npos) std::abort();
    lines.emplace_back(line);
  }
  if (reader.input().taken() != bytes.size()) std::abort();
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (read_all(bytes, 1 + data[0] % 7) != read_all(bytes, 1u << 16)) std::abort();
  try {
    shoal::refuse_binary("fuzz", bytes);
    for (const char* name : {"x.csv", "x.tsv", "x.jsonl", "x.txt", "x"}) {
      const shoal::Recognised how = shoal::recognise(bytes, true, name, {});
      if (std::string(shoal::name_of(how.format)).empty()) std::abort();
      shoal::remark_on(shoal::reading_of(how), how, name, {});
    }
  } catch (const shoal::Error&) {  // refused by name
  }
  return 0;
}
