#include "shoal/words/wordnet.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr std::string_view kParts = "nvar";

struct Rule {
  std::string_view ending, instead;
};
/// morphy(7WN), by part of speech; adverbs have none.
constexpr std::array<std::array<Rule, 8>, 4> kRules = {{
    {{{"s", ""},
      {"ses", "s"},
      {"xes", "x"},
      {"zes", "z"},
      {"ches", "ch"},
      {"shes", "sh"},
      {"men", "man"},
      {"ies", "y"}}},
    {{{"s", ""}, {"ies", "y"}, {"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""}}},
    {{{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"}}},
    {},
}};

/// The next piece up to `separator`; `rest` loses it.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

bool read_number(std::string_view text, Index& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc() && end == text.data() + text.size();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\n;";
  const std::size_t first = text.find_first_not_of(kAround);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kAround) - first + 1);
}

/// A gloss is a definition, then examples in quotes, parted by semicolons.
void take_gloss(std::string_view gloss, std::string_view& definition,
                std::vector<std::string_view>& examples) {
  examples.clear();
  gloss = trimmed(gloss);
  std::size_t at = gloss.starts_with('"') ? 0 : gloss.find("; \"");
  definition = trimmed(gloss.substr(0, std::min(at, gloss.size())));
  while (at < gloss.size()) {
    const std::size_t open = gloss.find('"', at);
    if (open == gloss.npos) break;
    const std::size_t next = gloss.find("; \"", open + 1);
    const std::string_view part = gloss.substr(open + 1, std::min(next, gloss.size()) - open - 1);
    const std::size_t close = part.find_last_of('"');  // what follows says whose words they are
    const std::string_view example = trimmed(part.substr(0, std::min(close, part.size())));
    if (!example.empty()) examples.push_back(example);
    at = next;
  }
}

bool ends_with_any(std::string_view word, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return word.ends_with(ending); });
}

/// Whether English spells the rule's inflection of `base` so: morphy takes "makeing" for one of make.
bool is_spelt(std::string_view base, const Rule& rule) {
  const bool hisses = ends_with_any(base, {"s", "x", "z", "ch", "sh"});
  const bool y = base.size() > 1 && base.ends_with("y") &&
                 std::string_view("aeiou").find(base[base.size() - 2]) == std::string_view::npos;
  const bool keeps_e = ends_with_any(base, {"ee", "oe", "ye"});
  if (rule.instead == "y") return y;
  if (rule.instead == "e" && rule.ending == "ing") return !keeps_e;
  if (!rule.instead.empty()) return true;
  if (rule.ending == "s") return !hisses && !y;
  if (rule.ending == "es") return hisses || base.ends_with("o");
  if (rule.ending == "ing") return !base.ends_with("e") || keeps_e;
  return !base.ends_with("e") && !y;  // -ed, -er, -est
}

}  // namespace

struct WordNet::State {
  struct Entry {
    std::uint32_t lemma = 0;  // into lemmas
    std::uint8_t part = 0;
    std::uint32_t first = 0, count = 0;  // into offsets
  };
  std::array<WordNetFiles, 4> files;
  std::vector<std::string> lemmas;  // with spaces
  std::vector<Entry> entries;
  std::vector<std::uint32_t> offsets;                      // of lines in `data`
  std::unordered_map<std::string, std::uint8_t> parts_of;  // bits
  std::array<std::unordered_map<std::string, std::vector<std::string>>, 4> exceptions;
  std::array<std::unordered_map<std::string, std::vector<std::string>>, 4> irregular;  // the other way round

  void read(Index part);
  bool is_lemma(const std::string& word, Index part) const {
    const auto found = parts_of.find(word);
    return found != parts_of.end() && (found->second >> part & 1) != 0;
  }
};

void WordNet::State::read(Index part) {
  const WordNetFiles& file = files[part];
  std::string_view rest = file.index;
  for (Index line = 1; !rest.empty(); ++line) {
    std::string_view one = cut(rest, '\n');
    if (one.empty() || one.front() == ' ') continue;  // the licence
    const auto wrong = [&] {
      return Error(Fault::format,
                   "index." + file.name + ", line " + std::to_string(line) +
                       ": not a line of WordNet's index: lemma, part of speech, counts, offsets");
    };
    std::string lemma(cut(one, ' '));
    std::ranges::replace(lemma, '_', ' ');
    Index senses = 0, pointers = 0, offset = 0;
    const std::string_view pos = cut(one, ' ');
    if (pos.size() != 1 || !read_number(cut(one, ' '), senses) || !read_number(cut(one, ' '), pointers) ||
        senses > 1000 || pointers > 1000)
      throw wrong();
    for (Index i = 0; i < pointers + 2; ++i) cut(one, ' ');
    const auto first = static_cast<std::uint32_t>(offsets.size());
    for (Index i = 0; i < senses; ++i) {
      if (!read_number(cut(one, ' '), offset) || offset >= file.data.size()) throw wrong();
      offsets.push_back(static_cast<std::uint32_t>(offset));
    }
    entries.push_back({static_cast<std::uint32_t>(lemmas.size()), static_cast<std::uint8_t>(part), first,
                       static_cast<std::uint32_t>(senses)});
    parts_of[lemma] |= static_cast<std::uint8_t>(1u << part);
    lemmas.push_back(std::move(lemma));
  }
  rest = file.exceptions;
  while (!rest.empty()) {
    std::string_view one = cut(rest, '\n');
    const std::string form(cut(one, ' '));
    while (!one.empty())
      if (const std::string_view base = cut(one, ' '); !base.empty()) {
        exceptions[part][form].emplace_back(base);
        irregular[part][std::string(base)].push_back(form);
      }
  }
}

WordNet::WordNet(std::array<WordNetFiles, 4> files) {
  auto state = std::make_shared<State>();
  state->files = std::move(files);
  for (Index part = 0; part < kParts.size(); ++part) state->read(part);
  state_ = std::move(state);
}

Index WordNet::lemmas() const { return state_->parts_of.size(); }

void WordNet::visit(const std::function<void(const WordNetSense&)>& take) const {
  const State& s = *state_;
  std::vector<std::string_view> examples;
  for (const State::Entry& entry : s.entries) {
    for (Index i = 0; i < entry.count; ++i) {
      const Index offset = s.offsets[entry.first + i];
      std::string_view line = std::string_view(s.files[entry.part].data).substr(offset);
      line = line.substr(0, line.find('\n'));
      const std::size_t bar = line.find(" | ");
      if (bar == line.npos)
        throw Error(Fault::format, "data." + s.files[entry.part].name + ", byte " + std::to_string(offset) +
                                       ": no gloss stands there, though the index says so");
      std::string_view definition;
      take_gloss(line.substr(bar + 3), definition, examples);
      take({s.lemmas[entry.lemma], kParts[entry.part], i + 1, definition, examples});
    }
  }
}

std::vector<std::string> WordNet::base_forms(std::string_view word) const {
  const State& s = *state_;
  std::vector<std::string> out;
  const auto add = [&](std::string form) {
    if (std::ranges::find(out, form) == out.end()) out.push_back(std::move(form));
  };
  const std::string whole(word);
  if (s.parts_of.contains(whole)) add(whole);
  for (Index part = 0; part < kParts.size(); ++part) {
    if (const auto found = s.exceptions[part].find(whole); found != s.exceptions[part].end()) {
      for (const std::string& base : found->second)
        if (s.is_lemma(base, part)) add(base);
      continue;  // an irregular form follows no rule
    }
    for (const Rule& rule : kRules[part]) {
      if (rule.ending.empty() || word.size() <= rule.ending.size() || !word.ends_with(rule.ending)) continue;
      std::string base = whole.substr(0, word.size() - rule.ending.size()) + std::string(rule.instead);
      if (s.is_lemma(base, part)) add(std::move(base));
    }
  }
  return out;
}

std::vector<std::string> WordNet::inflected_forms(std::string_view lemma) const {
  const State& s = *state_;
  const std::string whole(lemma);
  std::vector<std::string> out;
  const auto add = [&](std::string form) {
    if (form != whole && std::ranges::find(out, form) == out.end()) out.push_back(std::move(form));
  };
  const bool is_term = lemma.find(' ') != lemma.npos;
  for (Index part = 0; part < (is_term ? 1 : kParts.size()); ++part) {
    if (!s.is_lemma(whole, part)) continue;
    if (const auto found = s.irregular[part].find(whole); found != s.irregular[part].end())
      for (const std::string& form : found->second) add(form);
    for (const Rule& rule : kRules[part]) {
      if (rule.ending.empty() || lemma.size() <= rule.instead.size() || !lemma.ends_with(rule.instead) ||
          !is_spelt(lemma, rule))
        continue;
      std::string form = whole.substr(0, lemma.size() - rule.instead.size()) + std::string(rule.ending);
      const auto bases = base_forms(form);  // an irregular form of another word is none of this one
      if (std::ranges::find(bases, whole) != bases.end()) add(std::move(form));
    }
  }
  return out;
}

}  // namespace shoal
