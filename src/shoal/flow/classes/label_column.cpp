#include "shoal/flow/classes/label_column.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "shoal/core/error.h"

namespace shoal {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Empty: it does not begin and end as one.
bool looks_like_list(std::string_view cell) {
  return cell.size() >= 2 && cell.front() == '[' && cell.back() == ']';
}

std::vector<std::string> of_list(std::string_view cell, Index row) {
  const auto wrong = [&] {
    throw Error(Fault::data, "the labels of row " + std::to_string(row) + " are " +
                                 std::string(cell.substr(0, 80)) + ": no JSON list of strings");
  };
  const auto json = nlohmann::json::parse(cell, nullptr, false);
  if (!json.is_array()) wrong();
  std::vector<std::string> out;
  for (const auto& item : json) {
    if (item.is_string())
      out.emplace_back(trimmed(item.get_ref<const std::string&>()));
    else if (item.is_number() || item.is_boolean())
      out.push_back(item.dump());
    else
      wrong();
  }
  return out;
}

std::vector<std::string> parted(std::string_view cell, const std::string& separator) {
  std::vector<std::string> out;
  while (true) {
    const auto end = separator.empty() ? std::string_view::npos : cell.find(separator);
    out.emplace_back(trimmed(cell.substr(0, end)));
    if (end == std::string_view::npos) return out;
    cell.remove_prefix(end + separator.size());
  }
}

}  // namespace

LabelColumn read_labels(const Texts& cells, const LabelReading& reading) {
  LabelColumn out;
  bool several = false;
  for (Index i = 0; i < cells.size(); ++i) {
    const std::string_view cell = trimmed(cells[i]);
    // A class may be called [NAME]: only what JSON takes for a list is one.
    const bool list = looks_like_list(cell) && nlohmann::json::accept(cell);
    out.lists = out.lists || list;
    several = several || list || (!reading.separator.empty() && cell.find(reading.separator) != cell.npos);
  }
  out.task = reading.task.value_or(several ? HeadTask::multilabel : HeadTask::multiclass);
  const bool classes = out.task == HeadTask::multiclass;
  std::vector<std::vector<std::string>> named(cells.size());
  std::set<std::string> all;
  for (Index i = 0; i < cells.size(); ++i) {
    const std::string_view cell = trimmed(cells[i]);
    if (classes)
      named[i] = {std::string(cell)};
    else if (looks_like_list(cell))
      named[i] = of_list(cell, i);
    else
      named[i] = parted(cell, reading.separator);
    std::erase(named[i], "");
    all.insert(named[i].begin(), named[i].end());
    out.unlabelled += named[i].empty();
  }
  require(!all.empty(), Fault::data,
          "no row has a label: all " + std::to_string(cells.size()) + " cells are empty");
  out.names = reading.known;
  std::map<std::string, Label> number;
  for (Index c = 0; c < out.names.size(); ++c) number.emplace(out.names[c], static_cast<Label>(c));
  for (const std::string& name : all)
    if (number.emplace(name, static_cast<Label>(out.names.size())).second) out.names.push_back(name);
  out.sets.count = out.names.size();
  for (const auto& row : named) {
    std::vector<Label>& set = out.sets.of.emplace_back();
    for (const std::string& name : row) set.push_back(number.at(name));
    std::ranges::sort(set);
    set.erase(std::unique(set.begin(), set.end()), set.end());
  }
  return out;
}

std::string written_labels(const std::vector<Label>& set, const std::vector<std::string>& names) {
  std::string out;
  for (const Label label : set) out += (out.empty() ? "" : ";") + names[static_cast<Index>(label)];
  return out;
}

}  // namespace shoal
