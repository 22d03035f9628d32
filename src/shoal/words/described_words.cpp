#include "shoal/words/described_words.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/stop_words.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

/// Strings and their numbers, in the order in which they came.
class Numbered {
 public:
  std::uint32_t number(std::string_view text) {
    const auto [at, fresh] = numbers_.emplace(text, static_cast<std::uint32_t>(names_.size()));
    if (fresh) names_.push_back(&at->first);
    return at->second;
  }
  std::uint32_t find(std::string_view text) const {
    const auto at = numbers_.find(std::string(text));
    return at == numbers_.end() ? kNone : at->second;
  }
  Index size() const { return names_.size(); }
  const std::string& operator[](Index i) const { return *names_[i]; }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> names_;
};

std::string found_language(const Texts& texts, const Run& run) {
  const auto languages = sample_languages(texts, run.quiet());
  const auto known = languages_with_stop_words();
  if (languages.empty() || std::ranges::find(known, languages.front().code) == known.end()) return "none";
  return languages.front().code;
}

/// Whether a word is a stop word of a language; of "none" no word is.
class StopWords {
 public:
  explicit StopWords(const std::string& language) : is_none_(language == "none") {
    const auto& known = known_languages();
    place_ = static_cast<Index>(std::ranges::find(known, language) - known.begin());
  }
  bool operator()(std::string_view word) const { return !is_none_ && stop_languages(word)[place_]; }

 private:
  bool is_none_;
  Index place_;
};

/// One call of describe_words.
class Choice {
 public:
  Choice(const Descriptions& from, const BaseForms& base_forms, const VocabularyOptions& options,
         VocabularyReport& report)
      : from_(from), base_forms_(base_forms), options_(options), report_(report) {}

  void find_words(const std::string& language, const Run& run);
  void choose(const std::vector<std::string>& keep);
  DescribedWords result(const Run& run);

 private:
  struct Stretch {
    std::uint32_t form, begin, end;
  };
  void add_form(const std::string& form);
  std::uint32_t best(std::uint32_t form, bool chosen_only) const;
  bool find_inside(Index d, std::vector<Stretch>& own, std::vector<WordStretch>& heads) const;
  std::string text_of(Index d) const;

  const Descriptions& from_;
  const BaseForms& base_forms_;
  const VocabularyOptions& options_;
  VocabularyReport& report_;
  std::string language_;
  StopWords stops_{"none"};
  Numbered forms_, keys_;                               // words as they stand; candidates for the vocabulary
  std::vector<std::uint8_t> is_stop_;                   // of each form
  std::vector<std::vector<std::uint32_t>> candidates_;  // of each form: keys, the best first
  std::vector<std::uint32_t> head_keys_;                // of each description
  std::vector<Stretch> stretches_;
  std::vector<std::uint64_t> starts_{0};
  std::vector<std::uint8_t> chosen_;   // of each key
  std::vector<std::uint64_t> counts_;  // descriptions in which a key stands
};

std::string Choice::text_of(Index d) const {
  const std::string text(from_.texts[d]);
  return options_.head == HeadPlace::before ? std::string(from_.words[d]) + ": " + text : text;
}

void Choice::add_form(const std::string& form) {
  is_stop_.push_back(stops_(form));
  auto& own = candidates_.emplace_back();
  for (const std::string& base : base_forms_ ? base_forms_(form) : std::vector<std::string>{form})
    if (const std::uint32_t key = keys_.find(base); key != kNone) own.push_back(key);
  if (own.empty() && options_.min_count > 0) own.push_back(keys_.number(form));
}

void Choice::find_words(const std::string& language, const Run& run) {
  language_ = language;
  stops_ = StopWords(language);
  for (Index d = 0; d < from_.size(); ++d) head_keys_.push_back(keys_.number(from_.keys[d]));
  const bool before = options_.head == HeadPlace::before;
  for (Index d = 0; d < from_.size(); ++d) {
    if (d % 4096 == 0) {
      check_stop(run);
      if (run.progress) run.progress("words", static_cast<double>(d), static_cast<double>(from_.size()));
    }
    const std::string text(from_.texts[d]);
    const Index shift = before ? from_.words[d].size() + 2 : 0;
    visit_placed_words(text, language_ == "none" ? std::string_view() : language_,
                       [&](const PlacedWord& word) {
                         if (!has_letter(word.text)) return;  // as punctuation
                         const Index forms = forms_.size();
                         const std::uint32_t form = forms_.number(word.text);
                         if (forms_.size() > forms) add_form(std::string(word.text));
                         stretches_.push_back({form, static_cast<std::uint32_t>(shift + word.begin),
                                               static_cast<std::uint32_t>(shift + word.end)});
                       });
    starts_.push_back(stretches_.size());
  }
}

std::uint32_t Choice::best(std::uint32_t form, bool chosen_only) const {
  for (const std::uint32_t key : candidates_[form])
    if (!chosen_only || chosen_[key]) return key;
  return kNone;
}

void Choice::choose(const std::vector<std::string>& keep) {
  counts_.assign(keys_.size(), 0);
  std::vector<std::uint8_t> has_description(keys_.size());
  std::vector<std::uint64_t> last(keys_.size(), ~std::uint64_t{0});
  for (Index d = 0; d < from_.size(); ++d) {
    has_description[head_keys_[d]] = 1;
    const auto count = [&](std::uint32_t key) {
      if (key == kNone || last[key] == d) return;
      last[key] = d;
      ++counts_[key];
    };
    count(head_keys_[d]);
    for (std::uint64_t s = starts_[d]; s < starts_[d + 1]; ++s)
      if (!is_stop_[stretches_[s].form]) count(best(stretches_[s].form, false));
  }
  std::vector<std::uint8_t> is_kept(keys_.size());
  Index kept = 0;
  for (const std::string& word : keep) {
    const std::uint32_t key = keys_.find(term_key(word));
    if (key == kNone || !has_description[key]) {
      if (report_.kept_missing++ == 0) report_.first_missing = word;
    } else if (!is_kept[key]) {
      is_kept[key] = 1;
      ++kept;
    }
  }
  std::vector<std::uint32_t> in_order(keys_.size());
  std::iota(in_order.begin(), in_order.end(), 0u);
  std::ranges::sort(in_order, [&](std::uint32_t a, std::uint32_t b) {
    if (is_kept[a] != is_kept[b]) return is_kept[a] > is_kept[b];
    return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : keys_[a] < keys_[b];
  });
  chosen_.assign(keys_.size(), 0);
  const Index most = options_.max_words == 0 ? keys_.size() : std::max(options_.max_words, kept);
  Index taken = 0;
  for (const std::uint32_t key : in_order) {
    if (taken == most) break;
    if (!has_description[key] && (options_.min_count == 0 || counts_[key] < options_.min_count)) continue;
    chosen_[key] = 1;
    ++taken;
  }
}

/// Stretches of the head word inside the text; what belongs to them leaves `own`.
bool Choice::find_inside(Index d, std::vector<Stretch>& own, std::vector<WordStretch>& heads) const {
  std::vector<std::string> parts;
  visit_words(from_.keys[d], [&](const Word& part) { parts.emplace_back(part.text); });
  const std::uint32_t head = head_keys_[d];
  const auto is_part = [&](const Stretch& s, Index k) {
    if (forms_[s.form] == parts[k]) return true;
    if (parts.size() == 1) return std::ranges::find(candidates_[s.form], head) != candidates_[s.form].end();
    if (!base_forms_) return false;
    const auto bases = base_forms_(forms_[s.form]);
    return std::ranges::find(bases, parts[k]) != bases.end();
  };
  std::vector<Stretch> others;
  for (Index i = 0; i < own.size();) {
    Index k = 0;
    while (k < parts.size() && i + k < own.size() && is_part(own[i + k], k)) ++k;
    if (k == parts.size() && k > 0) {
      heads.push_back({head, own[i].begin, own[i + k - 1].end});
      i += k;
    } else {
      others.push_back(own[i++]);
    }
  }
  own = std::move(others);
  return !heads.empty();
}

/// Sorts forms, each once, and lets go those that are words themselves.
void set_forms(DescribedWords& words, std::vector<std::pair<std::uint32_t, std::string>> forms) {
  std::unordered_set<std::string_view> is_word;
  for (Index i = 0; i < words.words.size(); ++i) is_word.insert(words.words[i]);
  std::ranges::sort(forms);
  const auto repeated = std::ranges::unique(forms);
  forms.erase(repeated.begin(), repeated.end());
  words.forms = Texts();
  words.form_words.clear();
  for (const auto& [word, form] : forms) {
    if (is_word.contains(form)) continue;
    words.forms.add(form);
    words.form_words.push_back(word);
  }
}

DescribedWords Choice::result(const Run& run) {
  DescribedWords out;
  out.language = language_;
  // Words by frequency; senses of them behind all words.
  std::vector<std::uint32_t> in_order;
  for (std::uint32_t key = 0; key < keys_.size(); ++key)
    if (chosen_[key]) in_order.push_back(key);
  std::ranges::sort(in_order, [&](std::uint32_t a, std::uint32_t b) {
    return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : keys_[a] < keys_[b];
  });
  std::vector<std::uint32_t> ids(keys_.size(), kNone);
  std::vector<std::string> names(keys_.size());
  for (Index d = 0; d < from_.size(); ++d)
    if (std::string& name = names[head_keys_[d]]; name.empty()) name = lower_form(from_.words[d]);
  for (const std::uint32_t key : in_order) {
    ids[key] = static_cast<std::uint32_t>(out.words.size());
    out.words.add(names[key].empty() ? keys_[key] : names[key]);
  }
  std::vector<std::pair<std::uint32_t, std::string>> forms;
  for (std::uint32_t form = 0; form < forms_.size(); ++form)
    if (const std::uint32_t key = is_stop_[form] ? kNone : best(form, true); key != kNone)
      forms.emplace_back(ids[key], forms_[form]);
  Numbered senses;
  std::vector<Stretch> own;
  std::vector<WordStretch> heads, all;
  for (Index d = 0; d < from_.size(); ++d) {
    if (d % 4096 == 0) check_stop(run);
    const std::uint32_t key = head_keys_[d];
    const auto where = [&] { return std::string(from_.words[d]) + ": " + std::string(from_.texts[d]); };
    if (!chosen_[key]) {
      report_.rare.add(where());
      continue;
    }
    own.assign(stretches_.begin() + static_cast<std::ptrdiff_t>(starts_[d]),
               stretches_.begin() + static_cast<std::ptrdiff_t>(starts_[d + 1]));
    heads.clear();
    if (options_.head == HeadPlace::before) {
      heads.push_back({key, 0, static_cast<std::uint32_t>(from_.words[d].size())});
    } else if (!find_inside(d, own, heads)) {
      report_.word_missing.add(where());
      continue;
    }
    std::uint32_t head = ids[key];
    if (options_.apart == Apart::senses && !from_.senses[d].empty()) {
      const Index before = senses.size();
      const std::uint32_t sense = senses.number(names[key] + "." + std::string(from_.senses[d]));
      if (senses.size() > before) out.words.add(senses[sense]);
      head = static_cast<std::uint32_t>(in_order.size()) + sense;
    }
    all.clear();
    for (const WordStretch& stretch : heads) all.push_back({head, stretch.begin, stretch.end});
    for (const Stretch& stretch : own) {
      std::uint32_t word = WordStretch::kStop;
      if (!is_stop_[stretch.form]) {
        const std::uint32_t chosen = best(stretch.form, true);
        word = chosen == kNone ? WordStretch::kOther : chosen == key ? head : ids[chosen];
      }
      all.push_back({word, stretch.begin, stretch.end});
    }
    std::ranges::stable_sort(all, {}, &WordStretch::begin);
    out.stretches.insert(out.stretches.end(), all.begin(), all.end());
    out.starts.push_back(out.stretches.size());
    out.heads.push_back(head);
    out.texts.add(text_of(d));
  }
  set_forms(out, std::move(forms));  // after the senses, which are words too
  return out;
}

}  // namespace

DescribedWords describe_words(const Descriptions& descriptions, const BaseForms& base_forms,
                              const std::vector<std::string>& keep, const VocabularyOptions& options,
                              VocabularyReport& report, const Run& run) {
  check_options(options);
  const auto known = languages_with_stop_words();
  std::string language =
      options.language.empty() ? found_language(descriptions.texts, run) : options.language;
  if (language != "none" && std::ranges::find(known, language) == known.end())
    throw Error(Fault::argument,
                option_name("language") + " is " + language +
                    "; allowed are none and codes of ISO 639-1 of languages whose stop words "
                    "are known, such as en, ru or de");
  Choice choice(descriptions, base_forms, options, report);
  choice.find_words(language, run);
  choice.choose(keep);
  DescribedWords out = choice.result(run);
  if (out.texts.size() == 0)
    throw Error(Fault::data, "no description is left: none is of a word of the vocabulary",
                report.word_missing.count > 0
                    ? "with " + option_name("head") + " before, words need not stand in their descriptions"
                    : "");
  return out;
}

void add_forms(DescribedWords& words, const BaseForms& base_forms, const InflectedForms& inflected_forms) {
  const StopWords is_stop(words.language);
  std::unordered_map<std::string_view, std::uint32_t> ids;
  for (std::uint32_t i = 0; i < words.words.size(); ++i) ids.emplace(words.words[i], i);
  std::vector<std::pair<std::uint32_t, std::string>> forms;
  for (Index i = 0; i < words.forms.size(); ++i)
    forms.emplace_back(words.form_words[i], std::string(words.forms[i]));
  const auto counts_as = [&](const std::string& form) {
    for (const std::string& base : base_forms(form))
      if (const auto at = ids.find(base); at != ids.end()) return at->second;
    return kNone;
  };
  for (std::uint32_t i = 0; i < words.words.size(); ++i)
    for (std::string& form : inflected_forms(words.words[i]))
      if (!is_stop(form) && counts_as(form) == i) forms.emplace_back(i, std::move(form));
  set_forms(words, std::move(forms));
}

}  // namespace shoal
