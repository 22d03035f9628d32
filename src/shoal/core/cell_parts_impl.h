#pragma once

#include <string_view>

namespace shoal {

// Cells of a table are read by taking what is understood off their ends.

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline bool take(std::string_view& s, std::string_view prefix) {
  if (!s.starts_with(prefix)) return false;
  s.remove_prefix(prefix.size());
  return true;
}

inline bool take_end(std::string_view& s, std::string_view suffix) {
  if (!s.ends_with(suffix)) return false;
  s.remove_suffix(suffix.size());
  return true;
}

/// Without blanks around it, also those that do not break a line.
inline std::string_view trimmed(std::string_view s) {
  for (bool more = true; more && !s.empty();) {
    more = take(s, "\u00A0") || take(s, "\u202F");
    if (!s.empty() && is_blank(s.front())) s.remove_prefix(1), more = true;
  }
  for (bool more = true; more && !s.empty();) {
    more = take_end(s, "\u00A0") || take_end(s, "\u202F");
    if (!s.empty() && is_blank(s.back())) s.remove_suffix(1), more = true;
  }
  return s;
}

}  // namespace shoal
