#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace shoal {

/// Appends a field as RFC 4180 has it: in quotes only if it must be.
inline void add_csv_field(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

/// The shortest text that reads back as the same number; empty for NaN.
template <class Real>
std::string csv_number(Real x) {
  if (std::isnan(x)) return "";
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr};
}

}  // namespace shoal
