// Lines of any bytes as the cells of a column: its kind fits the counts, and no value is an infinity.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "shoal/core/column_kind.h"

namespace {

void check(bool right) {
  if (!right) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shoal;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> cells;
  while (!rest.empty()) {
    cells.push_back(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(cells.back().size() + 1, rest.size()));
  }
  ColumnSketch sketch;
  for (const std::string_view cell : cells) sketch.add(cell);
  const ColumnProfile column = sketch.profile();
  check(column.filled + column.missing == cells.size());
  check(column.fits <= column.filled && column.different <= column.filled);
  check((column.kind == ColumnKind::empty) == (column.filled == 0));
  Index values = 0;
  for (const std::string_view cell : cells) {
    const auto value = column.value(cell);
    check(!value || std::isfinite(*value));
    values += value.has_value();
  }
  check(values <= column.filled);
  return 0;
}
