#include "shoal/read/json_scan.h"

#include "shoal/core/utf8.h"
#include "shoal/read/scan.h"

namespace shoal {
namespace {

constexpr int kMostNested = 512;

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Recursive descent over one text; every function leaves p_ behind what it read, or sets the fault and
// returns false.
class Parser {
 public:
  explicit Parser(std::string_view text) : begin_(text.data()), p_(begin_), end_(begin_ + text.size()) {}

  std::optional<JsonFault> whole(std::vector<JsonMember>& members) {
    members.clear();
    spaces();
    bool good = at('{') || fail("a JSON object { was expected");
    good = good && object(&members, 1);
    spaces();
    if (good && p_ != end_) good = fail("more text follows the object");
    if (good) return std::nullopt;
    return JsonFault{static_cast<std::size_t>(p_ - begin_), reason_};
  }

 private:
  bool at(char c) const { return p_ != end_ && *p_ == c; }
  bool take(char c) {
    if (!at(c)) return false;
    ++p_;
    return true;
  }
  void spaces() {
    while (p_ != end_ && is_json_space(*p_)) ++p_;
  }
  bool fail(const char* reason) {
    reason_ = p_ == end_ ? "the text ends too early" : reason;
    return false;
  }
  std::string_view since(const char* start) const { return {start, static_cast<std::size_t>(p_ - start)}; }

  // At '{'. Members are listed for the outermost object only.
  bool object(std::vector<JsonMember>* members, int depth) {
    if (depth > kMostNested) return fail("nested more than 512 deep");
    ++p_;
    spaces();
    if (take('}')) return true;
    do {
      JsonMember member;
      spaces();
      if (!string(member.key, member.key_escaped)) return false;
      spaces();
      if (!take(':')) return fail("a colon was expected after a key");
      spaces();
      if (!value(member, depth)) return false;
      if (members != nullptr) members->push_back(member);
      spaces();
    } while (take(','));
    return take('}') || fail("a comma or } was expected after a value");
  }

  bool array(int depth) {
    if (depth > kMostNested) return fail("nested more than 512 deep");
    ++p_;
    spaces();
    if (take(']')) return true;
    do {
      JsonMember element;
      spaces();
      if (!value(element, depth)) return false;
      spaces();
    } while (take(','));
    return take(']') || fail("a comma or ] was expected after a value");
  }

  bool value(JsonMember& out, int depth) {
    if (at('"')) {
      out.kind = ValueKind::string;
      return string(out.value, out.value_escaped);
    }
    const char* start = p_;
    out.kind = at('n') ? ValueKind::null : ValueKind::other;
    const bool good = at('{') ? object(nullptr, depth + 1) : at('[') ? array(depth + 1) : scalar();
    out.value = since(start);
    return good;
  }

  bool scalar() {
    if (p_ == end_) return fail("");
    switch (*p_) {
      case 'n':
        return word("null");
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'N':
        return word("NaN");
      case 'I':
        return word("Infinity");
      default:
        return number();
    }
  }

  bool word(std::string_view w) {
    if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(w))
      return fail("a value was expected");
    p_ += w.size();
    return true;
  }

  bool digits() {
    const char* start = p_;
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return p_ != start || fail("a digit was expected");
  }

  bool number() {
    if (take('-') && at('I')) return word("Infinity");
    if (p_ == end_ || !is_digit(*p_)) return fail("a value was expected");
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (at('e') || at('E')) {
      ++p_;
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool string(std::string_view& inside, bool& escaped) {
    if (!take('"')) return fail("a quote was expected");
    const char* start = p_;
    for (;;) {
      p_ = find_string_stop(p_, end_);
      if (p_ == end_) return fail("");
      if (*p_ == '"') break;
      if (*p_ != '\\') return fail("a control character in a string: write it as an escape, like \\n");
      escaped = true;
      if (!escape()) return false;
    }
    inside = since(start);
    ++p_;
    return true;
  }

  // At a backslash.
  bool escape() {
    const char* start = p_++;
    if (p_ == end_) return fail("");
    if (*p_ != 'u') {
      if (std::string_view("\"\\/bfnrt").find(*p_) == std::string_view::npos) {
        p_ = start;
        return fail("an unknown escape in a string");
      }
      ++p_;
      return true;
    }
    ++p_;
    for (int i = 0; i < 4; ++i, ++p_) {
      if (p_ == end_ || hex_digit(*p_) < 0) return fail("\\u needs four hexadecimal digits");
    }
    return true;
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  std::string reason_;
};

// The code unit of a checked \uXXXX whose backslash is at `i`, or nothing if there is none.
std::optional<char32_t> code_unit(std::string_view s, std::size_t i) {
  if (i + 6 > s.size() || s[i] != '\\' || s[i + 1] != 'u') return std::nullopt;
  char32_t unit = 0;
  for (std::size_t k = i + 2; k < i + 6; ++k) unit = unit * 16 + static_cast<char32_t>(hex_digit(s[k]));
  return unit;
}

// Appends the character of the \uXXXX at `i`, with its partner if it is a high surrogate; moves `i` behind.
bool append_unicode_escape(std::string_view s, std::size_t& i, std::string& out) {
  const char32_t unit = *code_unit(s, i);
  i += 6;
  if (unit < 0xD800 || unit > 0xDFFF) {
    append_utf8(out, unit);
    return true;
  }
  const std::optional<char32_t> next = unit < 0xDC00 ? code_unit(s, i) : std::nullopt;
  if (!next || *next < 0xDC00 || *next > 0xDFFF) {
    out += '\xFF';
    return false;
  }
  i += 6;
  append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (*next - 0xDC00));
  return true;
}

char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

std::optional<JsonFault> parse_json_object(std::string_view text, std::vector<JsonMember>& members) {
  return Parser(text).whole(members);
}

bool decode_json_string(std::string_view escaped, std::string& out) {
  bool paired = true;
  std::size_t i = 0;
  for (;;) {
    const std::size_t slash = escaped.find('\\', i);
    out.append(escaped, i, slash - i);
    if (slash == std::string_view::npos) return paired;
    i = slash;
    if (escaped[i + 1] == 'u') {
      paired &= append_unicode_escape(escaped, i, out);
    } else {
      out += plain_escape(escaped[i + 1]);
      i += 2;
    }
  }
}

std::size_t json_extent(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  for (std::size_t depth = 0; p != end; ++p) {
    if (*p == '{' || *p == '[') ++depth;
    if ((*p == '}' || *p == ']') && --depth == 0) return static_cast<std::size_t>(p - text.data()) + 1;
    if (*p != '"') continue;
    for (++p; (p = find_string_stop(p, end)) != end && *p != '"'; ++p) {
      if (*p == '\\' && ++p == end) return 0;
    }
    if (p == end) return 0;
  }
  return 0;
}

}  // namespace shoal
