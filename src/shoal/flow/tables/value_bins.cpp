#include "shoal/flow/tables/value_bins.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace shoal {
namespace {

constexpr Index kBatch = 8192, kRanges = 8, kFewValues = 16;
constexpr double kDay = 86400;

std::string date_text(double days) {
  using namespace std::chrono;
  const year_month_day date{sys_days{std::chrono::days{static_cast<int>(std::floor(days))}}};
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return buffer;
}

std::string time_text(double seconds) {
  const int minutes = static_cast<int>(seconds / 60);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%02d:%02d", minutes / 60, minutes % 60);
  return buffer;
}

}  // namespace

std::string value_text(ColumnKind kind, double value) {
  if (kind == ColumnKind::date) return date_text(value);
  if (kind == ColumnKind::time) return time_text(value);
  if (kind == ColumnKind::timestamp) {
    const double days = std::floor(value / kDay);
    return date_text(days) + " " + time_text(value - days * kDay);
  }
  char buffer[48];
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  std::snprintf(buffer, sizeof buffer, whole ? "%.15g%s" : "%.6g%s", value,
                kind == ColumnKind::percent ? "%" : "");
  return buffer;
}

Texts ValueBins::of(const Texts& cells) const {
  Texts out;
  for (Index i = 0; i < cells.size(); ++i) {
    const auto value = profile.value(cells[i]);
    if (!value) {
      out.add(cells[i]);
      continue;
    }
    const auto after = std::ranges::upper_bound(first, *value);
    out.add(names[static_cast<Index>(std::max<std::ptrdiff_t>(after - first.begin() - 1, 0))]);
  }
  return out;
}

std::optional<ValueBins> value_bins(const Collection& collection, const std::string& column) {
  const Index rows = collection.rows();
  const auto each_batch = [&](const auto& use) {
    for (Index at = 0; at < rows; at += kBatch) {
      const Texts cells = collection.column(column, at, std::min(kBatch, rows - at));
      for (Index i = 0; i < cells.size(); ++i) use(cells[i]);
    }
  };
  ColumnSketch sketch;
  each_batch([&](std::string_view cell) { sketch.add(cell); });
  ValueBins out{.profile = sketch.profile(), .first = {}, .names = {}};
  const ColumnKind kind = out.profile.kind;
  if (!out.profile.has_values() || kind == ColumnKind::boolean || kind == ColumnKind::id ||
      out.profile.different <= kFewValues)
    return std::nullopt;
  std::vector<double> values;
  each_batch([&](std::string_view cell) {
    if (const auto value = out.profile.value(cell)) values.push_back(*value);
  });
  std::ranges::sort(values);
  for (Index k = 0, begin = 0; k < kRanges && begin < values.size(); ++k) {
    Index end = std::max(begin + 1, (k + 1) * values.size() / kRanges);
    while (end < values.size() && values[end] == values[end - 1]) ++end;  // equal values stay together
    const std::string low = value_text(kind, values[begin]), high = value_text(kind, values[end - 1]);
    out.first.push_back(values[begin]);
    out.names.push_back(low == high ? low : low + " to " + high);
    begin = end;
  }
  return out;
}

}  // namespace shoal
