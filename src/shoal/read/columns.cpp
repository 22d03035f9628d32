#include "shoal/read/columns.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"

namespace shoal {
namespace {

std::string trimmed(std::string_view s) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = s.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(s.substr(first, s.find_last_not_of(kSpace) - first + 1));
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_letter(unsigned char c) { return c >= 0x80 || std::isalpha(c) != 0; }
bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Three words, each with a letter.
bool has_words(std::string_view s) {
  int words = 0;
  bool counted = false;
  for (const char c : s) {
    if (is_space(static_cast<unsigned char>(c))) counted = false;
    if (counted || !is_letter(static_cast<unsigned char>(c))) continue;
    counted = true;
    if (++words == 3) return true;
  }
  return false;
}

bool mostly_prose(const std::vector<std::string>& values) {
  Index filled = 0, prose = 0;
  for (const std::string& v : values) {
    filled += !v.empty();
    prose += reads_like_prose(v);
  }
  return 2 * prose > filled;
}

template <class Test>
std::vector<Index> positions(Index n, const Test& test) {
  std::vector<Index> out;
  for (Index i = 0; i < n; ++i) {
    if (test(i)) out.push_back(i);
  }
  return out;
}

std::vector<Index> named_columns(const std::string& file, const std::vector<std::string>& columns,
                                 const std::vector<std::string>& named) {
  std::vector<Index> out;
  for (const std::string& name : named) {
    const auto at = std::find(columns.begin(), columns.end(), name);
    if (at == columns.end()) {
      throw Error(Fault::argument, file + ": no column \"" + name + "\" (" + option_name("text_columns") +
                                       "); the columns are " + list_names(columns));
    }
    const Index position = static_cast<Index>(at - columns.begin());
    if (std::find(out.begin(), out.end(), position) != out.end()) {
      throw Error(Fault::argument, option_name("text_columns") + " \"" + name + "\" is given twice");
    }
    out.push_back(position);
  }
  return out;
}

}  // namespace

std::string column_name(std::string_view header) { return trimmed(repair_utf8(header)); }

std::vector<std::string> unique_names(const std::vector<std::string>& header) {
  std::vector<std::string> names;
  std::set<std::string> taken;  // a name that some column has by itself is not given to another
  for (const std::string& raw : header) {
    names.push_back(column_name(raw));
    taken.insert(names.back());
  }
  std::set<std::string> seen;
  for (Index i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && seen.insert(names[i]).second) continue;
    std::string stem = names[i].empty() ? "column_" + std::to_string(i + 1) : names[i];
    std::string name = names[i].empty() ? stem : stem + "_2";
    for (int n = names[i].empty() ? 2 : 3; !taken.insert(name).second; ++n)
      name = stem + "_" + std::to_string(n);
    seen.insert(name);
    names[i] = name;
  }
  return names;
}

bool is_text_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {"text",     "texts",   "description", "content", "body",
                                                "message",  "review",  "question",    "title",   "sentence",
                                                "document", "comment", "utterance",   "query",   "headline"};
  return std::find(std::begin(kNames), std::end(kNames), lower(name)) != std::end(kNames);
}

bool reads_like_prose(std::string_view utf8) {
  if (has_words(utf8)) return true;
  // Lead bytes E3..EF and above begin the characters from U+3000 on; E2 BA begins U+2E80.
  const auto dense = [](char c) { return static_cast<unsigned char>(c) >= 0xE3; };
  return std::count_if(utf8.begin(), utf8.end(), dense) >= 8;
}

bool names_decide(const std::vector<std::string>& columns, const std::vector<std::string>& named) {
  return !named.empty() || columns.size() == 1 ||
         std::any_of(columns.begin(), columns.end(), [](const std::string& c) { return is_text_name(c); });
}

std::vector<Index> choose_text_columns(const std::string& file, const std::vector<std::string>& columns,
                                       const std::vector<std::string>& named,
                                       const std::vector<std::vector<std::string>>& values) {
  if (!named.empty()) return named_columns(file, columns, named);
  if (columns.size() == 1) return {0};
  std::vector<Index> fit = positions(columns.size(), [&](Index i) { return is_text_name(columns[i]); });
  const bool by_name = !fit.empty();
  if (!by_name) fit = positions(values.size(), [&](Index i) { return mostly_prose(values[i]); });
  if (fit.size() == 1) return fit;
  if (fit.empty()) {
    throw Error(Fault::argument, file + ": none of the columns looks like the text: " + list_names(columns) +
                                     ". Name it: " + option_name("text_columns") + " NAME");
  }
  std::vector<std::string> candidates;
  for (const Index i : fit) candidates.push_back(columns[i]);
  throw Error(Fault::argument, file + ": several columns may be the text: " + list_names(candidates) +
                                   " (of " + list_names(columns) +
                                   "). Choose: " + option_name("text_columns") +
                                   " NAME, given more than once to join several");
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr Index kMost = 20;
  std::string out;
  for (Index i = 0; i < std::min(kMost, names.size()); ++i) out += (i == 0 ? "\"" : ", \"") + names[i] + "\"";
  if (names.size() > kMost) out += " and " + std::to_string(names.size() - kMost) + " more";
  return out;
}

}  // namespace shoal
