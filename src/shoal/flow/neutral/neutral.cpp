#include "shoal/flow/neutral/neutral.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"
#include "shoal/explain/outcome.h"
#include "shoal/flow/preparation.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/steps/step.h"
#include "shoal/read/columns.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/tokenize/language.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;  // rows in memory at once
constexpr Index kMostGroups = 1000;
constexpr Index kLooked = 50;  // texts of a group that say its language

std::string_view trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r\n");
  return first == s.npos ? std::string_view() : s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower(std::string s) {
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return s;
}

/// The names of the groups of rows [first, first + count); "" for none.
std::vector<std::string> names_of_rows(const Collection& collection, const std::string& column,
                                       const std::vector<LanguageCount>& expected, Index first, Index count,
                                       const Run& run) {
  std::vector<std::string> out;
  if (column.empty()) {
    for (Language& found : detect_languages(collection.texts(first, count), expected, run))
      out.push_back(std::move(found.code));
    return out;
  }
  const Texts values = collection.column(column, first, count);
  for (Index i = 0; i < values.size(); ++i)
    out.emplace_back(is_missing(values[i]) ? std::string_view() : trimmed(values[i]));
  return out;
}

template <class Each>
void each_name(const Collection& collection, const std::string& column, const Run& run, Each&& each) {
  const Index rows = collection.rows();
  const auto expected = column.empty() ? languages_in(collection, run) : std::vector<LanguageCount>();
  for (Index first = 0; first < rows; first += kBatch) {
    check_stop(run);
    const Index count = std::min(kBatch, rows - first);
    const auto names = names_of_rows(collection, column, expected, first, count, run);
    for (Index i = 0; i < count; ++i) each(first + i, names[i]);
    if (run.progress) run.progress("groups", static_cast<double>(first + count), static_cast<double>(rows));
  }
}

/// The language that most of the first texts of each group are in.
std::vector<std::string> languages_of(const Collection& collection, const Labels& groups, const Run& run) {
  std::vector<Texts> texts(groups.count);
  for (Index row = 0; row < groups.of.size(); ++row)
    if (const Label g = groups.of[row]; g != kNoise && texts[static_cast<Index>(g)].size() < kLooked)
      texts[static_cast<Index>(g)].add(collection.text(row));
  std::vector<std::string> out;
  for (const Texts& some : texts) {
    std::map<std::string, Index> votes;
    for (const Language& found : detect_languages(some, run.quiet()))
      if (!found.code.empty()) ++votes[found.code];
    const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
    out.push_back(most != votes.end() && 2 * most->second > some.size() ? most->first : "");
  }
  return out;
}

}  // namespace

std::vector<LanguageCount> languages_in(const Collection& collection, const Run& run) {
  Texts some;
  for (const Index row : sampled_rows(collection.rows())) some.add(collection.text(row));
  return sample_languages(some, run.quiet());
}

std::string neutral_column(const Collection& collection, const std::string& neutral) {
  const auto columns = collection.columns();
  if (std::ranges::find(columns, neutral) != columns.end()) return neutral;
  if (neutral == kLanguage) {
    for (const auto& name : columns)
      if (lower(name) == kLanguage || lower(name) == "lang") return name;
    return "";
  }
  throw Error(Fault::argument,
              option_name("neutral") + " is " + neutral +
                  ": no such column; there are: " + (columns.empty() ? "none" : list_names(columns)),
              option_name("neutral") + " language means the texts' languages");
}

void find_groups(Collection& collection, const std::string& neutral, const Run& run) {
  const std::string column = neutral_column(collection, neutral);
  std::map<std::string, Label> number;
  Labels groups{std::vector<Label>(collection.rows(), kNoise), 0};
  std::vector<const std::string*> of(collection.rows());
  each_name(collection, column, run, [&](Index row, const std::string& name) {
    if (name.empty()) return;
    of[row] = &number.try_emplace(name).first->first;
    if (number.size() > kMostGroups)
      throw Error(Fault::data, option_name("neutral") + " is " + neutral + ", whose column has more than " +
                                   with_commas(kMostGroups) +
                                   " different values; groups need rows in common");
  });
  const std::string what =
      column.empty() ? "the texts are all in one language" : "column \"" + column + "\" has one value";
  if (number.size() < 2)
    throw Error(Fault::data, option_name("neutral") + " is " + neutral + ", but " +
                                 (number.empty() ? column.empty() ? "no text's language is known"
                                                                  : "column \"" + column + "\" is empty"
                                                 : what + " (" + number.begin()->first + ")") +
                                 ": there is nothing to take away");
  std::vector<ClusterRecord> records;
  for (auto& [name, label] : number) {
    label = static_cast<Label>(records.size());
    records.push_back({.id = label, .name = name});
  }
  Index grouped = 0;
  for (Index row = 0; row < of.size(); ++row) {
    if (of[row] == nullptr) continue;
    groups.of[row] = number.at(*of[row]);
    ++records[static_cast<Index>(groups.of[row])].size;
    ++grouped;
  }
  groups.count = records.size();
  std::filesystem::remove(collection.file(kNeutralFile));  // it has the means of other groups
  collection.set_labels(groups, {.name = kNeutralGroups, .stage = kNeutralGroups});
  collection.set_clusters(records, {{.id = 0, .name = "all", .size = grouped}}, kNeutralGroups);
}

void learn_neutral(Collection& collection, const std::string& neutral, const Run& run) {
  const Rows vectors = raw_vectors(collection);
  const Labels groups = collection.labels(kNeutralGroups);
  std::vector<std::string> names;
  for (const ClusterRecord& group : collection.clusters(kNeutralGroups)) names.push_back(group.name);
  GroupCenteringOptions options{.column = neutral_column(collection, neutral)};
  auto languages = options.column.empty() ? names
                   : neutral == kLanguage ? languages_of(collection, groups, run)
                                          : std::vector<std::string>();
  GroupCentering stage(std::move(names), std::move(options), std::move(languages));
  each_block(vectors, [&](const Rows& block, Index first) {
    check_stop(run);
    const auto begin = groups.of.begin() + static_cast<std::ptrdiff_t>(first);
    stage.update(block, {begin, begin + static_cast<std::ptrdiff_t>(block.rows())}, run.quiet());
    if (run.progress)
      run.progress("neutral", static_cast<double>(first + block.rows()), static_cast<double>(vectors.rows()));
  });
  save_stage(stage, collection.file(kNeutralFile));
}

void drop_neutral(Collection& collection) {
  // In an order that a run killed in between can be followed by the whole of it again; nothing else is left,
  // so that the collection has the bytes of one that never was neutral.
  for (const char* step : {"groups", "neutral"}) collection.forget_step(step);
  collection.forget_manifest(checksum_key(kNeutralFile));
  std::filesystem::remove(collection.file(kNeutralFile));
  if (collection.result(kNeutralGroups)) collection.drop_result(kNeutralGroups);
}

Rows raw_vectors(const Collection& collection) {
  const auto file = collection.file("vectors.safetensors");
  const std::string name = collection.folder().string();
  require(std::filesystem::exists(file), Fault::data,
          name + " has no vectors yet; run 'shoal map' on it to the end");
  Rows x = open_rows(file);
  require(x.rows() == collection.rows(), Fault::data,
          name + " has vectors for " + std::to_string(x.rows()) + " of its " +
              std::to_string(collection.rows()) + " texts; run 'shoal map' on it to the end");
  return x;
}

Rows map_vectors(const Collection& collection) {
  Rows x = raw_vectors(collection);
  if (!std::filesystem::exists(collection.file(kNeutralFile))) return x;
  return load_stage<GroupCentering>(collection.file(kNeutralFile))
      .applied(x, collection.labels(kNeutralGroups).of);
}

std::vector<Label> groups_of(const GroupCentering& stage, const Collection& collection, const Run& run) {
  std::string column = stage.options().column;
  const auto columns = collection.columns();
  if (std::ranges::find(columns, column) == columns.end()) {
    const bool by_language = column.empty() || stage.has_languages();
    require(by_language, Fault::argument,
            collection.folder().string() + " has no column \"" + column +
                "\", by which the model is neutral; " + option_name("group") + " NAME says it for all rows");
    column.clear();
  }
  std::vector<Label> out;
  each_name(collection, column, run,
            [&](Index, const std::string& name) { out.push_back(stage.find(name)); });
  return out;
}

Label group_of(const GroupCentering& stage, const std::string& text) {
  Texts one;
  one.add(text);
  std::vector<LanguageCount> expected;
  for (Index g = 0; g < stage.groups().size(); ++g)
    if (const std::string& code = stage.language(g); !code.empty())
      expected.push_back({code, static_cast<double>(stage.rows_of(g))});
  return stage.find(detect_languages(one, expected, Run{}).front().code);
}

}  // namespace shoal
