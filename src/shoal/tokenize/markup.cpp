#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>

#include "shoal/core/utf8.h"
#include "shoal/tokenize/markup_impl.h"

namespace shoal {
namespace {

constexpr std::string_view kGap = " \x01 ";  // parts words and phrases
constexpr std::size_t kLongestTag = 2000;
constexpr std::size_t kHexDigits = 12;  // so many with a digit among them are no word

constexpr auto kTags = std::to_array<std::string_view>(
    {"a",          "abbr",     "address", "article",  "aside",      "audio",   "b",      "base",    "big",
     "blockquote", "body",     "br",      "button",   "canvas",     "caption", "center", "cite",    "code",
     "col",        "colgroup", "dd",      "del",      "details",    "dfn",     "dialog", "div",     "dl",
     "dt",         "em",       "embed",   "fieldset", "figcaption", "figure",  "font",   "footer",  "form",
     "frame",      "frameset", "h1",      "h2",       "h3",         "h4",      "h5",     "h6",      "head",
     "header",     "hr",       "html",    "i",        "iframe",     "img",     "input",  "ins",     "kbd",
     "label",      "legend",   "li",      "link",     "main",       "mark",    "meta",   "nav",     "nobr",
     "noscript",   "object",   "ol",      "optgroup", "option",     "p",       "param",  "picture", "pre",
     "q",          "s",        "samp",    "script",   "section",    "select",  "small",  "source",  "span",
     "strike",     "strong",   "style",   "sub",      "summary",    "sup",     "svg",    "table",   "tbody",
     "td",         "textarea", "tfoot",   "th",       "thead",      "title",   "tr",     "tt",      "u",
     "ul",         "var",      "video",   "wbr"});
static_assert(std::ranges::is_sorted(kTags));

/// Tags inside a line, which do not part what they stand between.
constexpr auto kInline = std::to_array<std::string_view>(
    {"a",      "abbr",   "b",     "big",  "cite", "del", "dfn", "em",   "font",  "i",
     "ins",    "kbd",    "label", "mark", "nobr", "q",   "s",   "samp", "small", "span",
     "strike", "strong", "sub",   "sup",  "tt",   "u",   "var", "wbr"});
static_assert(std::ranges::is_sorted(kInline));

constexpr auto kSkipped = std::to_array<std::string_view>({"code", "pre", "script", "style"});

struct Entity {
  std::string_view name;
  std::uint16_t value;
};
constexpr auto kEntities = std::to_array<Entity>(
    {{"AElig", 198},  {"Aacute", 193}, {"Acirc", 194},  {"Agrave", 192}, {"Aring", 197},  {"Atilde", 195},
     {"Auml", 196},   {"Ccedil", 199}, {"ETH", 208},    {"Eacute", 201}, {"Ecirc", 202},  {"Egrave", 200},
     {"Euml", 203},   {"Iacute", 205}, {"Icirc", 206},  {"Igrave", 204}, {"Iuml", 207},   {"Ntilde", 209},
     {"OElig", 338},  {"Oacute", 211}, {"Ocirc", 212},  {"Ograve", 210}, {"Oslash", 216}, {"Otilde", 213},
     {"Ouml", 214},   {"Scaron", 352}, {"THORN", 222},  {"Uacute", 218}, {"Ucirc", 219},  {"Ugrave", 217},
     {"Uuml", 220},   {"Yacute", 221}, {"aacute", 225}, {"acirc", 226},  {"aelig", 230},  {"agrave", 224},
     {"amp", '&'},    {"apos", '\''},  {"aring", 229},  {"atilde", 227}, {"auml", 228},   {"ccedil", 231},
     {"eacute", 233}, {"ecirc", 234},  {"egrave", 232}, {"eth", 240},    {"euml", 235},   {"gt", '>'},
     {"iacute", 237}, {"icirc", 238},  {"igrave", 236}, {"iuml", 239},   {"laquo", 171},  {"ldquo", 8220},
     {"lsquo", 8216}, {"lt", '<'},     {"mdash", 8212}, {"middot", 183}, {"nbsp", ' '},   {"ndash", 8211},
     {"ntilde", 241}, {"oacute", 243}, {"ocirc", 244},  {"oelig", 339},  {"ograve", 242}, {"oslash", 248},
     {"otilde", 245}, {"ouml", 246},   {"quot", '"'},   {"raquo", 187},  {"rdquo", 8221}, {"rsquo", 8217},
     {"scaron", 353}, {"shy", 173},    {"szlig", 223},  {"thorn", 254},  {"uacute", 250}, {"ucirc", 251},
     {"ugrave", 249}, {"uuml", 252},   {"yacute", 253}, {"yuml", 255}});
static_assert(std::ranges::is_sorted(kEntities, {}, &Entity::name));

/// Ends of names that are addresses without anything behind them; .net is not among them, which is also a
/// word.
constexpr auto kDomains = std::to_array<std::string_view>({"com", "edu", "gov", "org"});

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

/// `text.find(what, from)` without regard to the case of ASCII letters; `what` is in lower case.
std::size_t find_any_case(std::string_view text, std::string_view what, std::size_t from) {
  const auto at =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())), text.end(),
                  what.begin(), what.end(), [](char a, char b) { return lower(a) == b; });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

/// Entities as what they stand for: &eacute; &#233; &#xE9;. Others stay.
std::string without_entities(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('&', at), text.size());
    out += text.substr(at, next - at);
    at = next;
    if (at == text.size()) break;
    const std::size_t end = text.substr(at, 12).find(';');
    const std::string_view name = end == std::string_view::npos ? "" : text.substr(at + 1, end - 1);
    std::uint32_t value = 0;
    if (name.starts_with('#')) {
      const bool hex = name.size() > 1 && lower(name[1]) == 'x';
      const std::string_view digits = name.substr(hex ? 2 : 1);
      const auto [last, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
      if (error != std::errc() || last != digits.data() + digits.size()) value = 0;
    } else if (const auto found = std::ranges::lower_bound(kEntities, name, {}, &Entity::name);
               found != kEntities.end() && found->name == name) {
      value = found->value;
    }
    if (value == 0) {
      out += '&';
      ++at;
    } else {
      append_utf8(out, value);
      at += end + 1;
    }
  }
  return out;
}

constexpr std::size_t kLongestStretch = 2048;  // of an address before its path

/// Reads a text from its start and leaves out what is no word.
class Cleaner {
 public:
  explicit Cleaner(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '<' && take_tag()) continue;
      if (c == '`' && text_.substr(at_, 3) == "```") {
        const std::size_t end = text_.find("```", at_ + 3);
        skip_to(end == std::string_view::npos ? text_.size() : end + 3);
        continue;
      }
      if (is_alnum(c) && at_word_start() && take_address()) continue;
      if (c == '@' && take_user()) continue;
      out_ += c;
      ++at_;
    }
    return std::move(out_);
  }

 private:
  bool at_word_start() const { return at_ == 0 || !(is_alnum(text_[at_ - 1]) || text_[at_ - 1] == '_'); }

  void skip_to(std::size_t end) {
    out_ += kGap;
    at_ = end;
  }

  bool take_tag() {
    if (text_.substr(at_, 4) == "<!--") {
      const std::size_t end = open_comment_ ? npos : text_.find("-->", at_ + 4);
      open_comment_ = end == npos;  // no later one is closed either
      if (open_comment_) return false;
      skip_to(end + 3);
      return true;
    }
    const bool closes = text_.substr(at_ + 1, 1) == "/";
    const std::size_t begin = at_ + (closes ? 2 : 1);
    std::size_t end = begin;
    while (end < text_.size() && is_alnum(text_[end])) ++end;
    const std::string name = lowered(text_.substr(begin, end - begin));
    const bool doctype =
        text_.substr(begin, 1) == "!" && find_any_case(text_.substr(begin, 9), "!doctype", 0) == 0;
    if (!doctype && !std::ranges::binary_search(kTags, std::string_view(name))) return false;
    if (!doctype && end < text_.size() && !is_space(text_[end]) && text_[end] != '>' && text_[end] != '/')
      return false;
    const std::size_t close = text_.substr(0, std::min(text_.size(), at_ + kLongestTag)).find('>', at_);
    if (close == std::string_view::npos ||
        text_.substr(at_ + 1, close - at_ - 1).find('<') != std::string_view::npos)
      return false;
    if (!closes && std::ranges::find(kSkipped, name) != kSkipped.end()) {
      const std::size_t last = unclosed_.contains(name) ? npos : find_any_case(text_, "</" + name, close);
      if (last == npos) unclosed_.insert(name);
      const std::size_t after = last == std::string_view::npos ? last : text_.find('>', last);
      skip_to(after == std::string_view::npos ? close + 1 : after + 1);
    } else if (std::ranges::binary_search(kInline, std::string_view(name))) {
      at_ = close + 1;
    } else {
      skip_to(close + 1);
    }
    return true;
  }

  /// Where the address that has begun ends: letters of scripts with blanks belong to it, closing marks do
  /// not.
  std::size_t address_end(std::size_t from) const {
    std::size_t end = from;
    while (end < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[end]);
      if (c <= 0x20 || c == '<' || c == '>' || c == '"' || c == '`' || c >= 0xE0) break;
      ++end;
    }
    while (end > from && std::string_view(".,;:!?)'*]}").find(text_[end - 1]) != std::string_view::npos)
      --end;
    return end;
  }

  bool take_address() {
    std::size_t end = at_;  // of the first stretch: letters, digits and the signs within names
    while (end < text_.size() && end - at_ < kLongestStretch &&
           (is_alnum(text_[end]) || std::string_view("._%+-").find(text_[end]) != npos))
      ++end;
    const std::string_view stretch = text_.substr(at_, end - at_), rest = text_.substr(end);
    if (rest.starts_with("://") || (rest.starts_with(":") && lowered(stretch) == "mailto") ||
        (stretch.size() > 4 && lowered(stretch.substr(0, 4)) == "www.")) {
      skip_to(address_end(at_));
      return true;
    }
    if (rest.starts_with('@') && rest.size() > 1 && is_alnum(rest[1])) {
      skip_to(address_end(end));
      return true;
    }
    std::size_t name = stretch.size();
    while (name > 0 && !is_alnum(stretch[name - 1])) --name;
    const std::string_view whole = stretch.substr(0, name);
    const std::size_t point = whole.rfind('.');
    if (point != npos && point > 0 && whole.size() - point > 2 && is_domain(whole)) {
      const std::string last = lowered(whole.substr(point + 1));
      const bool path =
          name == stretch.size() && rest.starts_with('/') && rest.size() > 1 && !is_space(rest[1]);
      if (path || std::ranges::binary_search(kDomains, std::string_view(last))) {
        skip_to(address_end(at_));
        return true;
      }
    }
    if (is_hexadecimal(whole)) {
      skip_to(at_ + whole.size());
      return true;
    }
    // The whole stretch, so that its inner parts are not looked at again: up to the first sign that is no
    // letter.
    std::size_t letters = at_;
    while (letters < text_.size() && is_alnum(text_[letters])) ++letters;
    if (text_.substr(at_, letters - at_) == "RT" && beside_user(letters)) {
      skip_to(letters);
      return true;
    }
    out_ += text_.substr(at_, letters - at_);
    at_ = letters;
    return true;
  }

  /// Letters, digits and hyphens between single points, the last of letters alone.
  static bool is_domain(std::string_view name) {
    if (name.find("..") != npos || name.find_first_of("_%+") != npos) return false;
    return std::ranges::all_of(name.substr(name.rfind('.') + 1), is_alpha);
  }

  static bool is_hexadecimal(std::string_view word) {
    if (word.size() < kHexDigits || std::ranges::none_of(word, is_digit)) return false;
    return std::ranges::all_of(
        word, [](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == '-'; });
  }

  bool beside_user(std::size_t after) const {
    while (after < text_.size() && is_space(text_[after])) ++after;
    return users_ > 0 || (after < text_.size() && text_[after] == '@');
  }

  bool take_user() {
    if (at_ > 0 && (is_alnum(text_[at_ - 1]) || text_[at_ - 1] == '@')) return false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && (is_alnum(text_[end]) || text_[end] == '_')) ++end;
    if (end == at_ + 1) return false;
    ++users_;
    skip_to(end);
    return true;
  }

  static constexpr std::size_t npos = std::string_view::npos;

  std::string_view text_;
  std::size_t at_ = 0;
  int users_ = 0;
  std::string out_;
  bool open_comment_ = false;
  std::set<std::string> unclosed_;  // names of elements that nothing closes any more
};

}  // namespace

bool has_markup(std::string_view text) {
  std::size_t hex = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    hex = is_alnum(c) || c == '-' ? hex + 1 : 0;
    if (c == '<' || c == '&' || c == '@' || c == '`' || hex >= kHexDigits) return true;
    // A point between letters, or :// .
    if (c == '.' && at + 1 < text.size() && is_alnum(text[at + 1])) return true;
    if (c == ':' && at + 1 < text.size() && text[at + 1] == '/') return true;
  }
  return false;
}

std::string without_markup(std::string_view text) {
  if (text.find('&') == std::string_view::npos) return Cleaner(text).run();
  const std::string decoded = without_entities(text);
  return Cleaner(decoded).run();
}

}  // namespace shoal
