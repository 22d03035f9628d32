#include "shoal/tokenize/words.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

enum class Kind : std::uint8_t { other, blank, word, ideograph, joiner, plus, hash };

/// Han, kana and their extensions: written without spaces.
bool is_ideograph(char32_t c) {
  return (c >= 0x3040 && c < 0x3100) || (c >= 0x31F0 && c < 0x3200) || (c >= 0x3400 && c < 0x4DC0) ||
         (c >= 0x4E00 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) || (c >= 0x20000 && c < 0x32000) ||
         c == 0x3005;
}

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return Kind::word;
    if (c == ' ' || (c >= '\t' && c <= '\r')) return Kind::blank;
    if (c == '\'' || c == '-') return Kind::joiner;
    return c == '+' ? Kind::plus : c == '#' ? Kind::hash : Kind::other;
  }
  if (is_ideograph(c)) return Kind::ideograph;
  if (c == 0x2019 || c == 0x2010) return Kind::joiner;  // right quotation mark, hyphen
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

/// Case-folded NFKC without invisible characters (soft hyphens, joiners).
std::string normalized(std::string_view text) {
  const std::string valid = repair_utf8(text);
  utf8proc_uint8_t* raw = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                   static_cast<utf8proc_ssize_t>(valid.size()), &raw,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                                  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
  return size < 0 ? std::string()
                  : std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

/// Walks a text that is ASCII or normalized, gathering one word at a time.
class Walk {
 public:
  Walk(std::string_view text, const std::function<void(const Word&)>& visit) : text_(text), visit_(visit) {}

  void run() {
    while (at_ < text_.size()) {
      const CodePoint c = code_point_at(text_, at_);
      switch (kind_of(c.value)) {
        case Kind::word:
          take_word();
          break;
        case Kind::ideograph:
          take_pairs();
          break;
        case Kind::blank:
          at_ += c.length;
          break;
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
    for (;;) {
      const CodePoint c = code_point_at(text_, at_);
      const Kind kind = kind_of(c.value);
      if (kind == Kind::word) {
        append(c);
      } else if (kind == Kind::joiner && kind_at(at_ + c.length) == Kind::word) {
        word_ += c.value == '-' || c.value == 0x2010 ? '-' : '\'';
      } else {
        break;
      }
      at_ += c.length;
      if (at_ >= text_.size()) break;
    }
    take_sign();
    if (word_.ends_with("'s")) word_.resize(word_.size() - 2);
    give(word_);
  }

  void append(CodePoint c) {
    if (c.value < 0x80)
      word_ += static_cast<char>(c.value >= 'A' && c.value <= 'Z' ? c.value + 32 : c.value);
    else
      word_.append(text_, at_, c.length);
  }

  void take_sign() {
    const bool plus = text_.substr(at_, 2) == "++" && kind_at(at_ + 2) != Kind::plus;
    const bool hash = word_.size() == 1 && text_.substr(at_, 1) == "#";
    const std::size_t length = plus ? 2 : hash ? 1 : 0;
    if (length == 0 || kind_at(at_ + length) == Kind::word) return;
    word_.append(text_, at_, length);
    at_ += length;
  }

  /// Each two neighbours of a run of ideographs; a single one alone.
  void take_pairs() {
    std::size_t before = at_;
    at_ += code_point_at(text_, at_).length;
    if (kind_at(at_) != Kind::ideograph) give(text_.substr(before, at_ - before));
    while (at_ < text_.size() && kind_at(at_) == Kind::ideograph) {
      const std::size_t length = code_point_at(text_, at_).length;
      give(text_.substr(before, at_ + length - before));
      before = at_;
      at_ += length;
    }
    follows_ = false;
  }

  void give(std::string_view word) {
    visit_({word, follows_});
    follows_ = true;
  }

  std::string_view text_;
  const std::function<void(const Word&)>& visit_;
  std::size_t at_ = 0;
  std::string word_;
  bool follows_ = false;
};

}  // namespace

void visit_words(std::string_view text, const std::function<void(const Word&)>& visit) {
  if (is_ascii(text)) {
    Walk(text, visit).run();
  } else {
    const std::string changed = normalized(text);
    Walk(changed, visit).run();
  }
}

std::string_view singular(std::string_view word, std::string& buffer) {
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  if (word.size() < 4 || !ends("s") || ends("ss") || ends("us") || ends("is") || ends("'s")) return word;
  if (ends("ies") && word.size() > 4) {
    buffer.assign(word, 0, word.size() - 3);
    buffer += 'y';
    return buffer;
  }
  const bool hissing = ends("sses") || ends("xes") || ends("ches") || ends("shes") || ends("zzes");
  return word.substr(0, word.size() - (hissing ? 2 : 1));
}

}  // namespace shoal
