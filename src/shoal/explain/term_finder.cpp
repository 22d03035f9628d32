#include "shoal/explain/term_finder_impl.h"

#include "shoal/core/utf8.h"
#include "shoal/explain/term_keys_impl.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

constexpr Index kMostKnown = 16384;  // spellings that a chunk's finder remembers
constexpr Index kLongest = 48;       // letters; longer "words" are hashes and the like

/// What `word` may be the plural of by its ending; empty if nothing. Whether it is, the texts tell.
std::string singular_of(std::string_view word) {
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  if (word.size() < 4 || !ends("s") || ends("ss") || ends("us") || ends("is") || ends("'s")) return {};
  if (ends("ies") && word.size() > 4) return std::string(word.substr(0, word.size() - 3)) + 'y';
  const bool hissing = ends("sses") || ends("xes") || ends("ches") || ends("shes") || ends("zzes");
  return std::string(word.substr(0, word.size() - (hissing ? 2 : 1)));
}

/// The languages in which a word says nothing, by its key: quicker than by the word.
class StopWords {
 public:
  StopWords() {
    visit_stop_words([&](std::string_view word, const LanguageSet& languages) {
      const std::uint32_t number = numbers_.add(key_of(word));
      if (number == sets_.size()) sets_.emplace_back();
      sets_[number] |= languages;
    });
  }
  LanguageSet of(std::uint64_t key) const {
    const std::uint32_t number = numbers_.find(key);
    return number == KeyTable::kNone ? LanguageSet() : sets_[number];
  }

 private:
  KeyTable numbers_;
  std::vector<LanguageSet> sets_;
};

const StopWords& all_stop_words() {
  static const StopWords words;
  return words;
}

/// True for what is too short to be a name: one letter, but for Han, and one or two kana of the first kind,
/// which are endings.
bool is_too_short(std::string_view word) {
  const Index letters = letter_count(word);
  if (letters > 2) return false;
  const char32_t first = code_point_at(word, 0).value;
  if (first >= 0x3041 && first < 0x30A0) return word.size() <= 6;
  return letters < 2 && !(first >= 0x3400 && without_blanks(word));
}

}  // namespace

std::vector<std::string> word_and_singular(std::string_view word) {
  std::vector<std::string> out{std::string(word)};
  if (std::string singular = singular_of(word); !singular.empty()) out.push_back(std::move(singular));
  return out;
}

void TermFinder::clear() {
  for (auto& list : found) list.clear();
  if (known_.size() > kMostKnown) known_.clear();
}

void TermFinder::take(std::string_view text, std::uint32_t cluster, Index language) {
  of_text_.clear();
  place_.clear();
  before_.clear();
  plurals_.clear();
  const auto& known = known_languages();
  // What is in none that is known gets English's list, as all texts once did.
  const bool is_known = language < known.size();
  const Index list = is_known ? language : english_;
  const WordRules rules{.markup = rules_.markup,
                        .language = is_known ? std::string_view(known[language]) : ""};
  visit_words(text.substr(0, kMostOfText), rules, [&](const Word& word) {
    const Entry* entry = look_up(word.text);
    const bool usable =
        entry && entry->second.usable && !(rules_.stop_words && entry->second.says_nothing[list]);
    if (!usable || !word.follows) before_.clear();
    if (!usable) return;
    const Spelling& found_word = entry->second;
    if (found_word.plural()) plurals_.push_back(found_word.singular);
    add({found_word.key, found_word.singular, found_word.singular, 0, entry->first, cluster,
         found_word.variant, 1});
    add_longer(found_word, cluster);
  });
  for (const std::uint64_t singular : plurals_)
    if (of_text_.find(singular) != KeyTable::kNone)
      add({both_key(singular), singular, singular, 0, {}, cluster, 0, 0});
}

const TermFinder::Entry* TermFinder::look_up(std::string_view word) {
  if (word.size() > kLongest && letter_count(word) > kLongest) return nullptr;
  const auto at = known_.find(word);
  if (at != known_.end()) return &*at;
  Spelling spelling;
  const std::string plain = plain_form(word), singular = singular_of(plain.empty() ? word : plain);
  spelling.variant = !plain.empty();
  spelling.singular = key_of(!singular.empty() ? singular : spelling.variant ? plain : word);
  spelling.key = singular.empty() ? spelling.singular : plural_key(spelling.singular);
  const bool is_itself = plain.empty() && singular.empty();
  spelling.says_nothing = all_stop_words().of(is_itself ? spelling.singular : key_of(word));
  spelling.usable = !is_too_short(word) && (rules_.numbers || has_letter(word)) &&
                    !rules_.left_out.contains(word) && !rules_.left_out.contains(singular);
  return &*known_.emplace(std::string(word), spelling).first;
}

void TermFinder::add_longer(const Keys& word, std::uint32_t cluster) {
  const Index n = before_.size();
  if (n >= 1 && before_[n - 1].singular != word.singular) {
    const Keys& a = before_[n - 1];
    const auto form = static_cast<std::uint8_t>(a.plural() | word.plural() << 1);
    const std::uint64_t key = mix(a.singular, word.singular);
    add({key, key, a.singular, word.singular, {}, cluster, form, 2});
    if (n >= 2 && before_[n - 2].singular != a.singular && before_[n - 2].singular != word.singular)
      add_triple(word, cluster);
  }
  before_.push_back(word);
  if (before_.size() >= rules_.max_ngram) before_.erase(before_.begin());
}

void TermFinder::add_triple(const Keys& word, std::uint32_t cluster) {
  const Keys &a = before_[before_.size() - 2], &b = before_.back();
  const std::uint64_t pair = mix(a.singular, b.singular), key = mix(pair, word.singular);
  const auto form = static_cast<std::uint8_t>(a.plural() | b.plural() << 1 | word.plural() << 2);
  add({key, key, pair, word.singular, {}, cluster, form, 3});
}

void TermFinder::add(const Found& term) {
  auto& list = found[shard_of(term.home)];
  const std::uint32_t number = of_text_.add(term.key);
  if (number < place_.size()) {
    ++list[place_[number]].times;
    return;
  }
  place_.push_back(static_cast<std::uint32_t>(list.size()));
  list.push_back(term);
}

}  // namespace shoal
