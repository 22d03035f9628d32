#include <zlib.h>

#include <array>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/core/utf8.h"
#include "shoal/map/page_blocks_impl.h"

namespace shoal::page {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr int kLevel = 6;            // 9 takes five times as long for one per cent
constexpr int kGzip = 15 + 16;       // window of 32 KB, with a gzip header
constexpr int kUnknownSystem = 255;  // RFC 1952: the same on every machine
constexpr std::size_t kPiece = 1 << 16;

void base64_group(std::string& out, unsigned a, unsigned b, unsigned c) {
  const unsigned bits = a << 16 | b << 8 | c;
  for (const int shift : {18, 12, 6, 0}) out += kDigits[bits >> shift & 63];
}

unsigned byte(std::string_view s, std::size_t i) {
  return i < s.size() ? static_cast<unsigned char>(s[i]) : 0;
}

/// The start of the code point that the byte at `at` belongs to.

}  // namespace

Block::Block(std::string& out) : out_(out), stream_(std::make_unique<z_stream>()) {
  if (deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  static gz_header header = [] {
    gz_header h{};
    h.os = kUnknownSystem;
    return h;
  }();
  deflateSetHeader(stream_.get(), &header);
}

Block::~Block() { deflateEnd(stream_.get()); }

void Block::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_->avail_in = static_cast<uInt>(piece.size());
    deflate_all(Z_NO_FLUSH);
    bytes.remove_prefix(piece.size());
  }
}

void Block::finish() {
  stream_->avail_in = 0;
  deflate_all(Z_FINISH);
  encode({}, true);
}

void Block::deflate_all(int flush) {
  std::array<char, kPiece> buffer;
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_->avail_out = static_cast<uInt>(buffer.size());
    deflate(stream_.get(), flush);
    encode({buffer.data(), buffer.size() - stream_->avail_out}, false);
  } while (stream_->avail_out == 0);
}

void Block::encode(std::string_view bytes, bool last) {
  rest_ += bytes;
  const std::size_t whole = rest_.size() / 3 * 3;
  for (std::size_t i = 0; i < whole; i += 3)
    base64_group(out_, byte(rest_, i), byte(rest_, i + 1), byte(rest_, i + 2));
  rest_.erase(0, whole);
  if (!last || rest_.empty()) return;
  base64_group(out_, byte(rest_, 0), byte(rest_, 1), 0);
  const std::size_t padding = 3 - rest_.size();
  out_.replace(out_.size() - padding, padding, padding, '=');
  rest_.clear();
}

std::string shown(std::string_view text, Index most) {
  const bool cut = text.size() > most;
  std::string out = repair_utf8(cut ? beginning_of(text, most) : text);
  for (std::size_t at = 0; (at = out.find('\0', at)) != std::string::npos;)
    out.replace(at, 1, "\xef\xbf\xbd");
  if (!cut) return out;
  const std::size_t end = out.find_last_not_of(" \t\r\n");
  out.resize(end == std::string::npos ? 0 : end + 1);
  return out += "\xe2\x80\xa6";
}

std::string script_safe(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view three = json.substr(i, 3);
    if (json[i] == '<') {
      out += "\\u003c";
    } else if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") {
      out += three[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

}  // namespace shoal::page
