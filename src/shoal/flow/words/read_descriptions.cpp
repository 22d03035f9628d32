#include "shoal/flow/words/read_descriptions.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

/// Members of an object as they stand in the file, the same name more than once too: nothing is looked up.
template <class Key, class T, class Compare = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
struct Members : nlohmann::ordered_map<Key, T, Compare, Allocator> {
  using Base = nlohmann::ordered_map<Key, T, Compare, Allocator>;
  using Base::Base;
  T& operator[](const Key& key) {
    Base::Container::emplace_back(key, T());
    return this->back().second;
  }
};
using Json = nlohmann::basic_json<Members>;

constexpr Index kDeepest = 512;  // lists in lists

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

const std::vector<std::string> kWordNames = {"word", "term", "lemma", "headword", "name", "title"};
const std::vector<std::string> kTextNames = {
    "description", "descriptions", "definition", "definitions", "gloss",     "glosses", "meaning",
    "meanings",    "text",         "texts",      "sentence",    "sentences", "example", "examples"};

/// Reads one JSON file: a dictionary, or a list of entries.
class JsonDescriptions {
 public:
  JsonDescriptions(std::string file, DescriptionCleaner& to) : file_(std::move(file)), to_(to) {}

  void read(const Json& json) {
    if (json.is_object() && !is_entry(json)) {
      for (const auto& [word, value] : json.items()) add_all(word, value, file_ + ", " + word);
    } else if (json.is_object()) {
      add_entry(json, file_);
    } else if (json.is_array()) {
      for (std::size_t i = 0; i < json.size(); ++i)
        add_entry(json[i], file_ + ", entry " + std::to_string(i + 1));
    } else {
      throw Error(Fault::data, file_ + " is neither an object of words nor a list of entries");
    }
  }

  void add_all(const std::string& word, const Json& value, const std::string& where, Index depth = 0) {
    require(depth < kDeepest, Fault::data,
            where + ": lists in lists, more than " + std::to_string(kDeepest) + " deep");
    if (value.is_string()) {
      to_.add(word, value.get_ref<const std::string&>(), "", where);
    } else if (value.is_array()) {
      for (const Json& one : value) add_all(word, one, where, depth + 1);
    } else if (value.is_object()) {
      bool any = false;
      each_text(value, [&](const Json& texts) {
        any = true;
        add_all(word, texts, where, depth + 1);
      });
      require(any, Fault::data, where + ": no description; one is needed under a key such as description");
    } else if (value.is_null()) {
      to_.add(word, "", "", where);
    } else {
      throw Error(Fault::data, where + ": a description is " + value.dump().substr(0, 40) +
                                   "; a text or a list of texts is needed");
    }
  }

 private:
  static std::string lower(std::string key) {
    for (char& c : key)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return key;
  }
  static const Json* word_of(const Json& entry) {
    for (const std::string& name : kWordNames)
      for (const auto& [key, value] : entry.items())
        if (lower(key) == name && value.is_string()) return &value;
    return nullptr;
  }
  template <class Take>
  static void each_text(const Json& entry, const Take& take) {
    for (const auto& [key, value] : entry.items())
      if (std::ranges::find(kTextNames, lower(key)) != kTextNames.end()) take(value);
  }
  /// An object that tells of one word, and no dictionary of words.
  static bool is_entry(const Json& json) {
    bool texts = false;
    each_text(json, [&](const Json&) { texts = true; });
    return texts && word_of(json) != nullptr;
  }
  void add_entry(const Json& entry, const std::string& where) {
    if (entry.is_array() && entry.size() >= 2 && entry[0].is_string()) {
      for (std::size_t i = 1; i < entry.size(); ++i) add_all(entry[0].get<std::string>(), entry[i], where);
      return;
    }
    const Json* word = entry.is_object() ? word_of(entry) : nullptr;
    require(word != nullptr, Fault::data,
            where + ": no word; an object with the keys word and description is needed");
    add_all(word->get<std::string>(), entry, where + " (" + word->get<std::string>() + ")");
  }

  std::string file_;
  DescriptionCleaner& to_;
};

void read_table(const fs::path& file, const DescriptionOptions& options, DescriptionCleaner& to,
                const Run& run) {
  const WholeTable table = read_whole_table(file, options.read, run);
  const auto places =
      place_columns(table, {{"word", kWordNames}, {"description", kTextNames}}, options.columns);
  JsonDescriptions lists(table.file, to);
  for (Index i = 0; i < table.rows; ++i) {
    const std::string word(table.columns[places[0]][i]);
    const std::string_view cell = table.columns[places[1]][i];
    const std::string where = table.where(i) + " (" + word + ")";
    if (table.kind(places[1], i) == CellKind::json)
      lists.add_all(word, Json::parse(cell), where);
    else
      to.add(word, cell, "", where);
  }
}

void read_wordnet(const WordNet& wordnet, const DescriptionOptions& options, DescriptionCleaner& to,
                  const Run& run) {
  std::unordered_set<std::string> keep;
  for (const std::string& word : options.keep) keep.insert(term_key(word));
  Index at = 0;
  std::string lemma, key;
  bool kept = false;
  wordnet.visit([&](const WordNetSense& sense) {
    if (at++ % 1024 == 0) {
      check_stop(run);
      if (run.progress) run.progress("read", static_cast<double>(at), 0);
    }
    if (sense.lemma != lemma) {
      lemma = sense.lemma;
      kept = keep.contains(term_key(lemma));
    }
    if (options.senses > 0 && sense.number > options.senses && !kept) return;
    const std::string name = std::string(1, sense.part) + "." + std::to_string(sense.number);
    const std::string where = lemma + "." + name;
    if (!sense.definition.empty() || sense.examples.empty()) to.add(lemma, sense.definition, name, where);
    if (options.examples == Examples::all || (options.examples == Examples::kept && kept))
      for (const std::string_view example : sense.examples) to.add(lemma, example, name, where);
  });
}

bool is_json_file(const fs::path& file) {
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".json";
}

}  // namespace

fs::path wordnet_folder() {
  if (const char* folder = std::getenv("WNSEARCHDIR"); folder != nullptr && *folder != '\0') return folder;
  if (const char* home = std::getenv("WNHOME"); home != nullptr && *home != '\0')
    return fs::path(home) / "dict";
  return "/usr/share/wordnet";
}

WordNet load_wordnet(const fs::path& folder) {
  std::array<WordNetFiles, 4> files;
  constexpr std::array<const char*, 4> kNames = {"noun", "verb", "adj", "adv"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::string name = kNames[i];
    const fs::path index = folder / ("index." + name), exceptions = folder / (name + ".exc");
    if (!fs::exists(index))
      throw Error(Fault::file, index.string() + ": no such file, so this is no WordNet",
                  "Debian has it in the package wordnet-base; $WNSEARCHDIR names another folder");
    files[i] = {.index = read_file(index, kMostBytes),
                .data = read_file(folder / ("data." + name), kMostBytes),
                .exceptions = fs::exists(exceptions) ? read_file(exceptions, kMostBytes) : std::string(),
                .name = name};
  }
  return WordNet(std::move(files));
}

Descriptions read_descriptions(const DescriptionOptions& options, DescriptionReport& report,
                               std::optional<WordNet>& wordnet, const Run& run) {
  DescriptionCleaner cleaner;
  for (const fs::path& input : options.inputs) {
    const bool named = input == "wordnet" && !fs::exists(input);
    if (named || fs::is_directory(input)) {
      require(!wordnet, Fault::argument,
              input.string() + " is a second WordNet; forms of words can be found by one only");
      wordnet = load_wordnet(named ? wordnet_folder() : input);
      read_wordnet(*wordnet, options, cleaner, run);
      continue;
    }
    if (is_json_file(input)) {
      const std::string content = read_file(input, kMostBytes);
      const std::string_view first_line = std::string_view(content).substr(0, content.find('\n'));
      try {
        JsonDescriptions(input.string(), cleaner).read(Json::parse(content));
        continue;
      } catch (const Json::parse_error& e) {
        if (!Json::accept(first_line))  // else one object a line
          throw Error(Fault::data, input.string() + ": broken JSON at byte " + std::to_string(e.byte));
      }
    }
    read_table(input, options, cleaner, run);
  }
  report = cleaner.report();
  require(report.kept > 0, Fault::data,
          "no description is left of " + std::to_string(report.read) + " that were read");
  return cleaner.take();
}

std::vector<std::string> read_word_list(const fs::path& file) {
  const WholeTable table = read_whole_table(file, {}, {});
  const auto found = column_named(table, kWordNames);
  require(found.has_value() || table.names.size() == 1, Fault::data,
          table.file + " has several columns and none called word");
  std::vector<std::string> out;
  for (Index i = 0; i < table.rows; ++i)
    if (const auto word = trimmed_text(table.columns[found.value_or(0)][i]); !word.empty())
      out.emplace_back(word);
  return out;
}

}  // namespace shoal
