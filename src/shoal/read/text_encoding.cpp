#include "shoal/read/text_encoding.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/read/rust_encodings.h"
#include "shoal/read/scan.h"

namespace shoal {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kWindow = 1u << 20;  // what a guess rests on
constexpr std::size_t kHead = 1u << 16;    // what is checked to be text
constexpr std::size_t kPiece = 1u << 16;   // decoded at a time
constexpr std::size_t kContext = 16;       // ASCII before the first byte that is none
constexpr Index kFewFaults = 10;           // that may be damage

ShoalEncodingBytes borrowed(std::string_view text) { return {text.data(), text.size()}; }
std::string owned(ShoalEncodingBytes bytes) { return {bytes.data, bytes.size}; }

char32_t unit_at(std::string_view bytes, std::size_t at, std::size_t width, bool big) {
  char32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + (big ? i : width - 1 - i)]);
    value = value << 8 | byte;
  }
  return value;
}

bool is_text_character(char32_t c) {
  const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0);
  return !control && c <= 0x10FFFF && (c & 0xFFFE) != 0xFFFE && !(c >= 0xFDD0 && c <= 0xFDEF);
}

bool is_blank_or_comma(char32_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ','; }

// Whether all 32-bit units are characters of texts.
bool reads_as_utf32(std::string_view head, bool big) {
  for (std::size_t i = 0; i + 4 <= head.size(); i += 4) {
    const char32_t c = unit_at(head, i, 4, big);
    if (!is_text_character(c) || (c >= 0xD800 && c <= 0xDFFF)) return false;
  }
  return head.size() >= 8;
}

// How many 16-bit units are blanks or commas, if all are characters of texts and the zero bytes lie in those
// below U+0100; else 0.
Index blanks_as_utf16(std::string_view head, bool big) {
  Index blanks = 0;
  for (std::size_t i = 0; i + 2 <= head.size(); i += 2) {
    const char32_t c = unit_at(head, i, 2, big);
    const bool low_alone = c >= 0xDC00 && c <= 0xDFFF, private_use = c >= 0xE000 && c <= 0xF8FF;
    if (!is_text_character(c) || low_alone || private_use) return 0;
    blanks += is_blank_or_comma(c);
    if (c < 0xD800 || c > 0xDBFF) continue;
    i += 2;
    if (i + 2 > head.size()) break;
    const char32_t low = unit_at(head, i, 2, big);
    if (low < 0xDC00 || low > 0xDFFF) return 0;
  }
  return blanks;
}

// At most four of five bytes are ASCII that a text has: not so in texts of one byte a letter, even with zeros
// between.
bool is_unlike_ascii(std::string_view head) {
  const auto plain = std::count_if(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
  });
  return 5 * static_cast<Index>(plain) <= 4 * head.size();
}

// Well-formed sequences of several bytes, and ill-formed pieces. One that the end cuts is neither unless it
// is `whole`.
struct Utf8Count {
  Index good = 0, bad = 0;
};

Utf8Count count_utf8(std::string_view text, bool whole) {
  Utf8Count out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::min(first_invalid_utf8(text.substr(at)), text.size() - at);
    for (const char c : text.substr(at, length)) out.good += static_cast<unsigned char>(c) >= 0xC0;
    at += length;
    if (at == text.size()) break;
    const bool may_be_cut = !whole && text.size() - at < 4;
    out.bad += !may_be_cut;
    do ++at;  // to the next byte that may begin something
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return out;
}

std::string ill_formed_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (first_invalid_utf8(text.substr(0, end)) != std::string_view::npos) out += text.substr(0, end);
    text.remove_prefix(end);
  }
  return out;
}

bool has_iso_2022_jp(std::string_view head) {
  constexpr std::string_view kEscapes[] = {"\x1B$B"sv, "\x1B$@"sv, "\x1B(J"sv};
  return std::any_of(std::begin(kEscapes), std::end(kEscapes),
                     [&](std::string_view e) { return head.find(e) != std::string_view::npos; });
}

class Utf8Stream {
 public:
  Utf8Stream(std::string name, Input::Fetch from, std::string forced, std::shared_ptr<TextEncoding> found,
             std::function<void(std::string_view)> check)
      : name_(std::move(name)),
        from_(std::move(from)),
        forced_(std::move(forced)),
        found_(std::move(found)),
        check_(std::move(check)) {}

  std::size_t fetch(char* to, std::size_t room) {
    if (mode_ == Mode::begun) begin();
    for (;;) {
      if (mode_ == Mode::decoding) return decode(to, room);
      const std::size_t got = raw(to, room);
      if (mode_ == Mode::decided || got == 0) return got;
      const std::size_t ascii = static_cast<std::size_t>(find_non_ascii(to, to + got) - to);
      remember({to, ascii});
      if (ascii == got) return got;
      pending_.replace(0, given_, to + ascii, got - ascii);
      given_ = 0;
      decide();
      if (ascii > 0) return ascii;
    }
  }

 private:
  enum class Mode { begun, undecided, decided, decoding };
  struct FreeDecoder {
    void operator()(ShoalDecoder* decoder) const { shoal_decoder_free(decoder); }
  };

  // Raw bytes: first those read ahead.
  std::size_t raw(char* to, std::size_t room) {
    if (given_ == pending_.size()) return ended_ ? 0 : from_(to, room);
    const std::size_t n = std::min(room, pending_.size() - given_);
    std::memcpy(to, pending_.data() + given_, n);
    given_ += n;
    if (given_ == pending_.size()) {
      pending_.clear();
      given_ = 0;
    }
    return n;
  }

  // Reads ahead until `bytes` are pending or no more come.
  void fill(std::size_t bytes) {
    pending_.erase(0, given_);
    given_ = 0;
    while (!ended_ && pending_.size() < bytes) {
      const std::size_t had = pending_.size();
      pending_.resize(bytes);
      const std::size_t got = from_(pending_.data() + had, bytes - had);
      pending_.resize(had + got);
      ended_ = got == 0;
    }
  }

  void remember(std::string_view passed) {
    passed_ += passed.size();
    context_ += passed.substr(passed.size() - std::min(passed.size(), kContext));
    if (context_.size() > kContext) context_.erase(0, context_.size() - kContext);
  }

  void begin() {
    fill(kWindow);
    if (check_) check_(std::string_view(pending_).substr(0, kHead));
    mode_ = Mode::undecided;
    const std::string wide = wide_encoding(pending_);
    if (!wide.empty() && (forced_.empty() || forced_.starts_with(wide.substr(0, 6)))) {
      use(wide);
    } else if (!forced_.empty()) {
      use(forced_);
    } else if (pending_.starts_with("\xEF\xBB\xBF")) {
      use("UTF-8");
    } else if (has_iso_2022_jp(pending_)) {
      const ShoalEncodingGuess guess = shoal_encoding_guess(borrowed(pending_), ended_);
      if (owned(guess.name) == "ISO-2022-JP") use("ISO-2022-JP");
    }
  }

  void use(const std::string& encoding) {
    found_->name = encoding;
    if (encoding == "UTF-8") {
      mode_ = Mode::decided;
      return;
    }
    decoder_.reset(shoal_decoder_new(borrowed(encoding)));
    require(decoder_ != nullptr, Fault::unsupported, name_ + ": no decoder for " + encoding);
    found_->converted = true;
    mode_ = Mode::decoding;
  }

  // Pending begins with the first byte that is not ASCII.
  void decide() {
    fill(kWindow);
    const std::string_view window = std::string_view(pending_).substr(0, kWindow);
    const bool whole = ended_ && pending_.size() == window.size();
    const Utf8Count utf8 = count_utf8(window, whole);
    if (utf8.bad == 0 || (utf8.good >= utf8.bad && (utf8.bad < kFewFaults || 20 * utf8.bad <= utf8.good))) {
      use("UTF-8");
      return;
    }
    const bool mixed = utf8.good >= utf8.bad;
    const std::string text = mixed ? ill_formed_lines(window) : context_ + std::string(window);
    const ShoalEncodingGuess guess = shoal_encoding_guess(borrowed(text), whole);
    const bool one_odd = utf8.good == 0 && guess.odd <= 1 && guess.foreign >= 4;
    const bool like_text = 20 * guess.odd <= guess.foreign || one_odd;
    if (!mixed && guess.name.size > 0 && like_text) {
      use(owned(guess.name));
    } else if (utf8.bad < kFewFaults) {
      use("UTF-8");
    } else {
      refuse(utf8, owned(guess.name), mixed);
    }
  }

  [[noreturn]] void refuse(const Utf8Count& utf8, const std::string& likely, bool mixed) const {
    const std::string where =
        std::to_string(utf8.bad) + " places from byte " + std::to_string(passed_ + 1) + " on are not UTF-8";
    const std::string why = mixed ? "among " + std::to_string(utf8.good) +
                                        " characters that are; perhaps files of two encodings were joined, "
                                        "UTF-8 and " +
                                        likely
                                  : "and no encoding fits all of it; the likeliest is " + likely;
    throw Error(Fault::data, name_ + ": " + where + ", " + why,
                option_name("encoding") + " " + likely + " reads it so; " + option_name("encoding") +
                    " UTF-8 puts U+FFFD for what is not UTF-8");
  }

  std::size_t decode(char* to, std::size_t room) {
    while (out_given_ == out_.size()) {
      if (finished_) return 0;
      if (given_ == pending_.size()) fill(kPiece);
      const std::string_view rest = std::string_view(pending_).substr(given_, kPiece);
      const bool last = ended_ && given_ + rest.size() == pending_.size();
      out_.resize(3 * kPiece);
      out_given_ = 0;
      const ShoalDecoded got =
          shoal_decoder_feed(decoder_.get(), borrowed(rest), last, out_.data(), out_.size());
      if (got.failed) throw Error(Fault::data, name_ + ": the decoder of " + found_->name + " failed");
      given_ += got.read;
      out_.resize(got.written);
      finished_ = last && got.done;
    }
    const std::size_t n = std::min(room, out_.size() - out_given_);
    std::memcpy(to, out_.data() + out_given_, n);
    out_given_ += n;
    return n;
  }

  std::string name_;
  Input::Fetch from_;
  std::string forced_;
  std::shared_ptr<TextEncoding> found_;
  std::function<void(std::string_view)> check_;
  Mode mode_ = Mode::begun;
  bool ended_ = false, finished_ = false;
  std::string pending_, out_, context_;
  std::size_t given_ = 0, out_given_ = 0;  // of pending_ and out_
  std::size_t passed_ = 0;                 // bytes that were ASCII
  std::unique_ptr<ShoalDecoder, FreeDecoder> decoder_;
};

}  // namespace

std::string encoding_named(const std::string& label) {
  const std::string name = owned(shoal_encoding_named(borrowed(label)));
  if (!name.empty()) return name;
  throw Error(
      Fault::argument,
      option_name("encoding") + " " + label +
          ": no such encoding. There are UTF-8, UTF-16LE, UTF-16BE, UTF-32LE, UTF-32BE, windows-1250 to 1258 "
          "and "
          "874, ISO-8859-1 to 8, 10, 13 to 16, KOI8-R, KOI8-U, IBM866, macintosh, x-mac-cyrillic, Shift_JIS, "
          "EUC-JP, ISO-2022-JP, EUC-KR, GBK, GB18030 and Big5, and the other labels that the WHATWG gives "
          "them, "
          "as latin1, cp1251, sjis");
}

std::string wide_encoding(std::string_view head) {
  if (head.starts_with("\xFF\xFE\0\0"sv)) return "UTF-32LE";
  if (head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32BE";
  if (head.starts_with("\xFF\xFE"sv)) return "UTF-16LE";
  if (head.starts_with("\xFE\xFF"sv)) return "UTF-16BE";
  head = head.substr(0, kHead);
  const auto zeros = static_cast<Index>(std::count(head.begin(), head.end(), '\0'));
  if (zeros == 0) return {};
  for (const bool big : {false, true}) {
    if (9 * zeros >= 4 * head.size() && reads_as_utf32(head, big)) return big ? "UTF-32BE" : "UTF-32LE";
  }
  const Utf8Count utf8 = count_utf8(head, false);
  if (!is_unlike_ascii(head) || (utf8.bad == 0 && utf8.good > 0)) return {};
  const Index little = blanks_as_utf16(head, false), big = blanks_as_utf16(head, true);
  if (little == 0 && big == 0) return {};
  return big > little ? "UTF-16BE" : "UTF-16LE";
}

Input::Fetch as_utf8(std::string name, Input::Fetch from, std::string forced,
                     std::shared_ptr<TextEncoding> found, std::function<void(std::string_view head)> check) {
  auto stream = std::make_shared<Utf8Stream>(std::move(name), std::move(from), std::move(forced),
                                             std::move(found), std::move(check));
  return [stream](char* to, std::size_t room) { return stream->fetch(to, room); };
}

}  // namespace shoal
