#include "shoal/read/unpack.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr std::size_t kPiece = 1u << 17;
constexpr std::string_view kGzip = "\x1F\x8B";
constexpr std::string_view kZstd = "\x28\xB5\x2F\xFD";

// A packed file's bytes in pieces, and where one is.
class Packed {
 public:
  Packed(std::string name, Input::Fetch from, const char* what)
      : name_(std::move(name)), from_(std::move(from)), what_(what), piece_(kPiece) {}

  // What is there and not taken; none: the end.
  std::string_view rest() {
    if (at_ == size_ && !ended_) {
      size_ = from_(piece_.data(), piece_.size());
      at_ = 0;
      ended_ = size_ == 0;
    }
    return {piece_.data() + at_, size_ - at_};
  }
  void take(std::size_t bytes) {
    at_ += bytes;
    taken_ += bytes;
  }
  void given(std::size_t bytes) { given_ += bytes; }

  [[noreturn]] void cut() const {
    throw Error(Fault::data, name_ + " is cut short: its " + what_ + " data end in the middle, " + place(),
                "fetch or copy the file again");
  }
  [[noreturn]] void damaged(const std::string& why) const {
    throw Error(Fault::data, name_ + " is damaged: " + why + ", " + place(), "fetch or copy the file again");
  }

 private:
  std::string place() const {
    return "after " + std::to_string(taken_) + " bytes, which hold " + std::to_string(given_) + " unpacked";
  }

  std::string name_;
  Input::Fetch from_;
  const char* what_;
  std::vector<char> piece_;
  std::size_t at_ = 0, size_ = 0;
  std::uint64_t taken_ = 0, given_ = 0;
  bool ended_ = false;
};

class Gunzip {
 public:
  Gunzip(const std::string& name, Input::Fetch from) : packed_(name, std::move(from), "gzip") {
    constexpr int kGzipOnly = 15 + 16;
    require(::inflateInit2(&stream_, kGzipOnly) == Z_OK, Fault::unsupported, name + ": zlib does not start");
  }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() { ::inflateEnd(&stream_); }

  std::size_t fetch(char* to, std::size_t room) {
    for (;;) {
      const std::string_view rest = packed_.rest();
      if (rest.empty()) {
        if (inside_) packed_.cut();
        return 0;
      }
      if (!inside_ && !begin_member(rest)) continue;
      const std::size_t got = inflate(rest, to, room);
      if (got > 0) return got;
    }
  }

 private:
  // Zeros may fill the place after a member, as on tapes.
  bool begin_member(std::string_view rest) {
    if (rest.front() == '\0') {
      packed_.take(std::min(rest.find_first_not_of('\0'), rest.size()));
      return false;
    }
    if (rest.front() != kGzip.front()) packed_.damaged("what follows the gzip data is no gzip");
    ::inflateReset(&stream_);
    inside_ = true;
    return true;
  }

  std::size_t inflate(std::string_view rest, char* to, std::size_t room) {
    const auto most = static_cast<uInt>(std::min<std::size_t>(room, 1u << 30));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
    stream_.avail_in = static_cast<uInt>(rest.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = most;
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    packed_.take(rest.size() - stream_.avail_in);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
      packed_.damaged(stream_.msg != nullptr ? stream_.msg : "zlib gives error " + std::to_string(state));
    inside_ = state != Z_STREAM_END;
    packed_.given(most - stream_.avail_out);
    return most - stream_.avail_out;
  }

  Packed packed_;
  z_stream stream_{};
  bool inside_ = true;  // a member
};

class Unzstd {
 public:
  Unzstd(const std::string& name, Input::Fetch from)
      : packed_(name, std::move(from), "zstd"), stream_(::ZSTD_createDStream()) {
    require(stream_ != nullptr, Fault::unsupported, name + ": zstd does not start");
  }

  std::size_t fetch(char* to, std::size_t room) {
    for (;;) {
      const std::string_view rest = packed_.rest();
      if (rest.empty() && !inside_) return 0;
      ZSTD_inBuffer in{rest.data(), rest.size(), 0};
      ZSTD_outBuffer out{to, room, 0};
      const std::size_t left = ::ZSTD_decompressStream(stream_.get(), &out, &in);
      packed_.take(in.pos);
      if (::ZSTD_isError(left) != 0)
        packed_.damaged(std::string("zstd says \"") + ::ZSTD_getErrorName(left) + "\"");
      inside_ = left != 0;
      packed_.given(out.pos);
      if (out.pos > 0) return out.pos;
      if (rest.empty() && inside_) packed_.cut();
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
  };
  Packed packed_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool inside_ = true;  // a frame
};

Input::Fetch with_head(std::string head, Input::Fetch from) {
  return [head = std::move(head), from = std::move(from), at = std::size_t{0}](char* to,
                                                                               std::size_t room) mutable {
    if (at == head.size()) return from(to, room);
    const std::size_t n = std::min(room, head.size() - at);
    std::memcpy(to, head.data() + at, n);
    at += n;
    return n;
  };
}

bool begins_zstd(std::string_view head) {
  const bool skippable = head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50 &&
                         head.substr(1, 3) == "\x2A\x4D\x18";
  return head.starts_with(kZstd) || skippable;
}

template <class Stage>
Input::Fetch run(const std::string& name, Input::Fetch from) {
  auto stage = std::make_shared<Stage>(name, std::move(from));
  return [stage](char* to, std::size_t room) { return stage->fetch(to, room); };
}

}  // namespace

Input::Fetch unpacked(const std::string& name, Input::Fetch from, std::string& kind) {
  constexpr int kDeepest = 3;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const std::string head = begin_of(from, 4);
    const bool gzip = head.starts_with(kGzip);
    if (!gzip && !begins_zstd(head)) break;
    from = gzip ? run<Gunzip>(name, std::move(from)) : run<Unzstd>(name, std::move(from));
    kind += (kind.empty() ? "" : ", ") + std::string(gzip ? "gzip" : "zstd");
  }
  return from;
}

std::string begin_of(Input::Fetch& from, std::size_t bytes) {
  std::string head(bytes, '\0');
  std::size_t size = 0;
  for (std::size_t got = 1; got > 0 && size < bytes; size += got)
    got = from(head.data() + size, bytes - size);
  head.resize(size);
  from = with_head(head, std::move(from));
  return head;
}

std::string unpacked_name(std::string_view name) {
  constexpr std::string_view kEndings[] = {".gz", ".zst", ".zstd"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view ending : kEndings) {
      if (name.size() <= ending.size()) continue;
      const std::string_view last = name.substr(name.size() - ending.size());
      const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
      if (!std::equal(last.begin(), last.end(), ending.begin(), same)) continue;
      name.remove_suffix(ending.size());
      again = true;
    }
  }
  return std::string(name);
}

}  // namespace shoal
