#include "shoal/tokenize/words.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/tokenize/letters_impl.h"
#include "shoal/tokenize/markup_impl.h"
#include "shoal/tokenize/normal_form_impl.h"
#include "shoal/tokenize/rust_segment.h"

namespace shoal {
namespace {

/// `run`: of a script without blanks; `gap`: a zero-width space; `tie`: a zero-width joiner or non-joiner.
enum class Kind : std::uint8_t { other, blank, word, run, joiner, plus, hash, point, quote, gap, tie };

constexpr char32_t kZeroWidthSpace = 0x200B;

Kind kind_of_ascii(char32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return Kind::word;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return Kind::blank;
  switch (c) {
    case '\'':
    case '-':
      return Kind::joiner;
    case '+':
      return Kind::plus;
    case '#':
      return Kind::hash;
    case '.':
      return Kind::point;
    case '"':
      return Kind::quote;
    default:
      return Kind::other;
  }
}

Kind kind_of(char32_t c) {
  if (c < 0x80) return kind_of_ascii(c);
  if (is_east_asian(c) || is_south_east_asian(c)) return Kind::run;
  if (c == 0x2019 || c == 0x2010 || c == 0xB7) return Kind::joiner;  // ’, hyphen, the point of l·l
  if (c == 0x05F4) return Kind::quote;                               // gershayim
  if (c == kZeroWidthSpace) return Kind::gap;
  if (is_tie(c)) return Kind::tie;
  if (c == 0x0F0B || c == 0x1361) return Kind::blank;  // between words of Tibetan and Ethiopic
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Kind::word;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return Kind::blank;
    default:
      return Kind::other;
  }
}

bool is_turkic(std::string_view language) { return language == "tr" || language == "az"; }
bool elides(std::string_view language) { return language == "fr" || language == "it" || language == "ca"; }

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// The article or pronoun that French, Italian and Catalan write with an apostrophe before a word.
bool is_elided(std::string_view before_apostrophe) {
  static constexpr std::string_view kElided[] = {
      "l",    "d",   "j",    "m",    "t",    "s",    "n",     "c",     "v",      "qu",     "un",
      "dell", "all", "nell", "sull", "dall", "coll", "quell", "quest", "lorsqu", "puisqu", "jusqu"};
  for (std::string_view e : kElided)
    if (before_apostrophe == e) return true;
  return false;
}

/// Walks a text that is ASCII or normalized, gathering one word at a time.
class Walk {
 public:
  /// Hears of a word and its place in `text`.
  using Visit = std::function<void(const Word&, std::size_t begin, std::size_t end)>;
  Walk(std::string_view text, const WordRules& rules, const Visit& visit)
      : text_(text), visit_(visit), elides_(elides(rules.language)), turkic_(is_turkic(rules.language)) {}

  void run() {
    while (at_ < text_.size()) {
      const CodePoint c = code_point_at(text_, at_);
      switch (kind_of(c.value)) {
        case Kind::word:
          take_word();
          break;
        case Kind::run:
          take_run();
          break;
        case Kind::blank:
          blank_ = true;
          at_ += c.length;
          break;
        case Kind::gap:
        case Kind::tie:
          at_ += c.length;
          break;
        case Kind::point:
          if (take_dot_net()) break;
          [[fallthrough]];
        default:
          at_ += c.length, follows_ = false;
      }
    }
  }

 private:
  Kind kind_at(std::size_t at) const {
    return at < text_.size() ? kind_of(code_point_at(text_, at).value) : Kind::blank;
  }

  /// A run of word characters, joined runs, and the signs at the end of c++ and c#.
  void take_word() {
    word_.clear();
    begin_ = at_;
    std::size_t last_joiner = at_;
    for (;;) {
      const CodePoint c = code_point_at(text_, at_);
      const Kind kind = kind_of(c.value);
      if (kind == Kind::word) {
        append(c);
      } else if (kind == Kind::joiner && kind_at(at_ + c.length) == Kind::word) {
        append_joiner(c.value);
        last_joiner = at_;
      } else if (kind == Kind::tie && kind_at(at_ + c.length) == Kind::word) {
        word_.append(text_, at_, c.length);
      } else if (kind == Kind::quote && is_hebrew_letter(at_ + c.length) && word_.size() > 1) {
        word_ += "\u05F4";
      } else {
        break;
      }
      at_ += c.length;
      if (at_ >= text_.size()) break;
    }
    take_sign();
    take_ending();
    end_ = at_;
    if (word_.ends_with("'s")) {
      word_.resize(word_.size() - 2);
      end_ = last_joiner;
    }
    if (word_.size() > 2 && word_.ends_with("\u03C3")) word_.replace(word_.size() - 2, 2, "\u03C2");
    give(without_affixes(), false);
  }

  void append(CodePoint c) {
    if (c.value < 0x80)
      word_ += ascii_lower(static_cast<char>(c.value));
    else
      word_.append(text_, at_, c.length);
  }

  void append_joiner(char32_t c) {
    if (c == 0xB7)
      word_ += "\u00B7";
    else
      word_ += c == '-' || c == 0x2010 ? '-' : '\'';
  }

  bool is_hebrew_letter(std::size_t at) const {
    if (at >= text_.size()) return false;
    const char32_t c = code_point_at(text_, at).value;
    return c >= 0x5D0 && c <= 0x5EA;
  }

  void take_sign() {
    const bool plus = text_.substr(at_, 2) == "++" && kind_at(at_ + 2) != Kind::plus;
    const bool hash = word_.size() == 1 && text_.substr(at_, 1) == "#";
    const std::size_t length = plus ? 2 : hash ? 1 : 0;
    if (length == 0 || kind_at(at_ + length) == Kind::word) return;
    word_.append(text_, at_, length);
    at_ += length;
  }

  /// True if `name`, in whatever case, stands at `at` as a whole word.
  bool stands_at(std::size_t at, std::string_view name) const {
    if (at + name.size() > text_.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i)
      if (ascii_lower(text_[at + i]) != name[i]) return false;
    const Kind next = kind_at(at + name.size());
    return next != Kind::word && next != Kind::joiner;
  }

  /// The second half of node.js and asp.net.
  void take_ending() {
    if (at_ >= text_.size() || text_[at_] != '.') return;
    for (std::string_view ending : {"js", "net"}) {
      if (!stands_at(at_ + 1, ending)) continue;
      (word_ += '.') += ending;
      at_ += 1 + ending.size();
      return;
    }
  }

  bool take_dot_net() {
    const bool inside = at_ > 0 && kind_at_byte_before() == Kind::word;
    if (inside || !stands_at(at_ + 1, "net")) return false;
    begin_ = at_;
    end_ = at_ += 4;
    give(".net", false);
    return true;
  }
  Kind kind_at_byte_before() const {
    const auto c = static_cast<unsigned char>(text_[at_ - 1]);
    return c < 0x80 ? kind_of_ascii(c) : Kind::word;
  }

  /// The word without the article before its apostrophe, or the endings that Turkish names have after it.
  std::string_view without_affixes() const {
    if (!elides_ && !turkic_) return word_;
    const std::size_t at = word_.find('\'');
    if (at == std::string::npos) return word_;
    const std::string_view before(word_.data(), at);
    if (turkic_) return before;
    return is_elided(before) ? std::string_view(word_).substr(at + 1) : std::string_view(word_);
  }

  /// The words of a run of a script without blanks.
  void take_run() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const CodePoint c = code_point_at(text_, at_);
      const Kind kind = kind_of(c.value);
      const bool mark = c.value >= 0x300 && c.value < 0x370;
      if (kind != Kind::run && !mark) break;
      at_ += c.length;
    }
    ends_.resize(at_ - begin);
    const std::size_t n = shoal_segment({text_.data() + begin, at_ - begin}, ends_.data());
    if (n == SIZE_MAX) throw Error(Fault::data, "a text could not be parted into words");
    std::size_t from = 0;
    for (std::size_t i = 0; i < n; ++i) {
      begin_ = begin + from, end_ = begin + ends_[i];
      give(text_.substr(begin_, end_ - begin_), true);
      from = ends_[i];
    }
  }

  void give(std::string_view word, bool of_run) {
    // Where words are not parted by blanks, a blank parts phrases.
    const bool parted = of_run && was_run_ && blank_;
    visit_({word, follows_ && !parted}, begin_, end_);
    follows_ = true;
    blank_ = false;
    was_run_ = of_run;
  }

  std::string_view text_;
  const Visit& visit_;
  bool elides_, turkic_;
  std::size_t at_ = 0, begin_ = 0, end_ = 0;
  std::string word_;
  std::vector<std::size_t> ends_;
  bool follows_ = false, blank_ = false, was_run_ = false;
};

}  // namespace

void visit_words(std::string_view text, const WordRules& rules,
                 const std::function<void(const Word&)>& visit) {
  std::string cleared;
  if (!rules.markup && has_markup(text)) text = cleared = without_markup(text);
  const Walk::Visit take = [&](const Word& word, std::size_t, std::size_t) { visit(word); };
  if (is_ascii(text) && !is_turkic(rules.language)) {
    Walk(text, rules, take).run();
  } else {
    const std::string changed = normalized(text, is_turkic(rules.language));
    Walk(changed, rules, take).run();
  }
}

namespace {

/// What belongs to the letter before it.
bool is_attached(char32_t c) {
  if (c < 0x300) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
         category == UTF8PROC_CATEGORY_ME || (c >= 0x1160 && c < 0x1200) || c == 0xE33 || c == 0xEB3 ||
         c == 0xFF9E || c == 0xFF9F;
}

/// A stretch of text without blanks, in its normal form, letter by letter.
struct Letters {
  std::string normal;
  std::vector<std::size_t> normal_ends, ends;  // of each letter with its marks: there, and in the stretch
};

Letters letters_of(std::string_view stretch, bool turkic) {
  Letters out;
  for (std::size_t at = 0; at < stretch.size();) {
    const std::size_t begin = at;
    at += code_point_at(stretch, at).length;
    while (at < stretch.size() && is_attached(code_point_at(stretch, at).value))
      at += code_point_at(stretch, at).length;
    out.normal += normalized(stretch.substr(begin, at - begin), turkic);
    out.normal_ends.push_back(out.normal.size());
    out.ends.push_back(at);
  }
  return out;
}

void visit_stretch(std::string_view text, std::size_t begin, std::size_t end, const WordRules& rules,
                   const std::function<void(const PlacedWord&)>& visit) {
  const std::string_view stretch = text.substr(begin, end - begin);
  if (is_ascii(stretch) && !is_turkic(rules.language)) {
    Walk(stretch, rules, [&](const Word& word, std::size_t from, std::size_t to) {
      visit({word.text, begin + from, begin + to});
    }).run();
    return;
  }
  const std::string normal = normalized(stretch, is_turkic(rules.language));
  const Letters letters = letters_of(stretch, is_turkic(rules.language));
  const bool exact = letters.normal == normal;
  const auto letter_at = [&](std::size_t at) {
    const auto found = std::ranges::upper_bound(letters.normal_ends, at);
    return static_cast<std::size_t>(found - letters.normal_ends.begin());
  };
  Walk(normal, rules, [&](const Word& word, std::size_t from, std::size_t to) {
    if (!exact || to == from) return visit({word.text, begin, end});
    const std::size_t first = letter_at(from), last = letter_at(to - 1);
    visit({word.text, begin + (first == 0 ? 0 : letters.ends[first - 1]), begin + letters.ends[last]});
  }).run();
}

bool is_ascii_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

void visit_placed_words(std::string_view text, std::string_view language,
                        const std::function<void(const PlacedWord&)>& visit) {
  const WordRules rules{.markup = true, .language = language};
  if (is_ascii(text) && !is_turkic(language)) return visit_stretch(text, 0, text.size(), rules, visit);
  for (std::size_t at = 0; at < text.size();) {
    if (is_ascii_blank(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !is_ascii_blank(text[end])) ++end;
    visit_stretch(text, at, end, rules, visit);
    at = end;
  }
}

std::string said_text(std::string_view text) {
  return has_markup(text) ? without_markup(text) : std::string(text);
}

std::string lower_form(std::string_view text) {
  const std::string normal = normalized(text, false);
  std::string out;
  for (std::size_t at = 0; at < normal.size();) {
    const CodePoint c = code_point_at(normal, at);
    if (kind_of(c.value) != Kind::blank)
      out.append(normal, at, c.length);
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
    at += c.length;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

void visit_words(std::string_view text, const std::function<void(const Word&)>& visit) {
  visit_words(text, {}, visit);
}

}  // namespace shoal
