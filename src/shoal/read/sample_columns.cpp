#include "shoal/read/sample_columns_impl.h"

#include <algorithm>

#include "shoal/read/columns.h"

namespace shoal {

bool has_only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view trimmed_cell(std::string_view s) {
  const std::size_t first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

CellLook look_of(std::string_view raw) {
  const std::string_view s = trimmed_cell(raw);
  if (s.empty()) return CellLook::empty;
  if (s.starts_with("http://") || s.starts_with("https://") || s.starts_with("www.")) return CellLook::link;
  const std::size_t at = s.find('@');
  if (at != std::string_view::npos && at > 0 && s.find(' ') == s.npos && s.find('.', at) != s.npos)
    return CellLook::link;
  const auto digits = std::count_if(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits == 0) return CellLook::text;
  const auto marks =
      std::count_if(s.begin(), s.end(), [](char c) { return c == '-' || c == '/' || c == ':' || c == '.'; });
  if (marks >= 2 && digits >= 4 && has_only(s, "0123456789-/:.TZ+, ") && s.front() != '-')
    return CellLook::date;
  std::string_view number = s;
  for (const std::string_view sign : {"\xE2\x82\xAC", "\xC2\xA3", "$"})
    if (number.starts_with(sign)) number.remove_prefix(sign.size());
  if (has_only(number, "0123456789.,+-eE% ") && number.find_first_of("eE") != 0) return CellLook::number;
  return CellLook::text;
}

bool is_typed(CellLook kind) {
  return kind == CellLook::number || kind == CellLook::date || kind == CellLook::link;
}

SampleColumns::SampleColumns(const std::vector<SampleRow>& all, std::size_t first, Index fields)
    : numbers(fields), dates(fields), links(fields), filled(fields), quoted(fields), prose(fields) {
  for (std::size_t r = first; r < all.size(); ++r) {
    if (!has_fields(all[r], fields)) continue;
    ++rows;
    for (Index i = 0; i < fields; ++i) {
      const SampleCell& cell = all[r].cells[i];
      const CellLook kind = look_of(cell.value);
      numbers[i] += kind == CellLook::number;
      dates[i] += kind == CellLook::date;
      links[i] += kind == CellLook::link;
      filled[i] += kind != CellLook::empty;
      quoted[i] += cell.quoted;
      prose[i] += reads_like_prose(cell.value);
    }
  }
}

CellLook SampleColumns::kind(Index i) const {
  const auto most = [&](Index count) { return filled[i] > 0 && 10 * count >= 9 * filled[i]; };
  if (filled[i] == 0) return CellLook::empty;
  return most(numbers[i]) ? CellLook::number
         : most(dates[i]) ? CellLook::date
         : most(links[i]) ? CellLook::link
                          : CellLook::text;
}

bool SampleColumns::typed_any() const {
  for (Index i = 0; i < filled.size(); ++i)
    if (is_typed(kind(i))) return true;
  return false;
}

}  // namespace shoal
