// Zip archives as APPNOTE.TXT of PKWARE describes them.
#include "shoal/store/files/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <set>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"

namespace shoal {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50, kEntry = 0x02014b50,
                        kLocal = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kLocator64Bytes = 20, kEnd64Bytes = 56, kEntryBytes = 46,
                      kLocalBytes = 30;
constexpr std::uint64_t kElsewhere = 0xFFFFFFFF;  // the number stands in the zip64 part
constexpr std::size_t kPiece = std::size_t{1} << 20;

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(Fault::format, where + " is not a whole zip archive: " + what);
}

std::string in_quotes(std::string_view name) {
  std::string out(beginning_of(name, 80));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return "'" + out + "'";
}

/// Little-endian numbers of a record that is wholly there.
class Record {
 public:
  Record(Bytes all, std::uint64_t at, std::size_t size, const std::string& where, const char* what) {
    if (at > all.size() || size > all.size() - at) damaged(where, std::string("it ends inside ") + what);
    bytes_ = all.subspan(at, size);
  }
  template <class T>
  T at(std::size_t offset) const {
    T out;
    std::memcpy(&out, bytes_.data() + offset, sizeof out);
    return out;
  }
  std::uint16_t u16(std::size_t offset) const { return at<std::uint16_t>(offset); }
  std::uint32_t u32(std::size_t offset) const { return at<std::uint32_t>(offset); }
  std::uint64_t u64(std::size_t offset) const { return at<std::uint64_t>(offset); }

 private:
  Bytes bytes_;
};

/// Where the directory stands, and how many members it has.
struct Directory {
  std::uint64_t at = 0, count = 0;
};

Directory find_directory(Bytes all, const std::string& where) {
  constexpr std::size_t kMostComment = 0xFFFF;
  if (all.size() < kEndBytes) damaged(where, "it has only " + std::to_string(all.size()) + " bytes");
  const std::size_t last = all.size() - kEndBytes, first = last > kMostComment ? last - kMostComment : 0;
  std::size_t at = last;
  for (;; --at) {
    const Record end(all, at, kEndBytes, where, "its directory");
    if (end.u32(0) == kEnd && end.u16(20) == last - at) break;
    if (at == first) damaged(where, "its directory, which stands at the end, is not there: was it cut?");
  }
  const Record end(all, at, kEndBytes, where, "its directory");
  Directory out{end.u32(16), end.u16(10)};
  if (out.at != kElsewhere && out.count != 0xFFFF && end.u32(12) != kElsewhere) return out;
  if (at < kLocator64Bytes) return out;
  const Record locator(all, at - kLocator64Bytes, kLocator64Bytes, where, "its directory");
  if (locator.u32(0) != kLocator64) return out;
  const Record end64(all, locator.u64(8), kEnd64Bytes, where, "its directory");
  if (end64.u32(0) != kEnd64) damaged(where, "its zip64 directory is not where it says");
  return {end64.u64(48), end64.u64(32)};
}

/// What an entry's zip64 part says of the three numbers that did not fit.
void read_zip64(Bytes extra, std::uint64_t& size, std::uint64_t& packed, std::uint64_t& offset) {
  const auto u16 = [&](std::size_t at) {
    return std::to_integer<unsigned>(extra[at]) | std::to_integer<unsigned>(extra[at + 1]) << 8;
  };
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::size_t length = u16(at + 2);
    if (at + 4 + length > extra.size()) return;
    if (u16(at) == 1) {
      std::size_t next = at + 4;
      for (std::uint64_t* number : {&size, &packed, &offset}) {
        if (*number != kElsewhere || next + 8 > at + 4 + length) continue;
        std::memcpy(number, extra.data() + next, 8);
        next += 8;
      }
    }
    at += 4 + length;
  }
}

class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

std::vector<ZipMember> read_zip(Bytes archive, const std::string& where) {
  const Directory directory = find_directory(archive, where);
  if (directory.count > archive.size() / kEntryBytes)
    damaged(where, "its directory claims " + std::to_string(directory.count) + " members");
  std::vector<ZipMember> out;
  std::set<std::string> names;
  std::uint64_t at = directory.at;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    const Record entry(archive, at, kEntryBytes, where, "its directory");
    if (entry.u32(0) != kEntry)
      damaged(where, "member " + std::to_string(i) + " of its directory is not there");
    const std::size_t name_bytes = entry.u16(28), extra_bytes = entry.u16(30);
    const Record whole(archive, at, kEntryBytes + name_bytes + extra_bytes, where, "its directory");
    ZipMember member;
    member.name.assign(reinterpret_cast<const char*>(archive.data()) + at + kEntryBytes, name_bytes);
    std::uint64_t size = entry.u32(24), packed = entry.u32(20), offset = entry.u32(42);
    read_zip64(archive.subspan(at + kEntryBytes + name_bytes, extra_bytes), size, packed, offset);
    at += kEntryBytes + name_bytes + extra_bytes + entry.u16(32);

    const std::string what = where + ": member " + in_quotes(member.name);
    if ((entry.u16(8) & 1) != 0) throw Error(Fault::unsupported, what + " is encrypted");
    const unsigned method = entry.u16(10);
    if (method != 0 && method != 8)
      throw Error(Fault::unsupported, what + " is packed by method " + std::to_string(method) +
                                          "; stored and deflated members are read");
    const Record local(archive, offset, kLocalBytes, where, "a member");
    if (local.u32(0) != kLocal)
      damaged(where, "member " + in_quotes(member.name) + " is not where its directory says");
    const std::uint64_t start = offset + kLocalBytes + local.u16(26) + local.u16(28);
    if (start > archive.size() || packed > archive.size() - start)
      damaged(where, "member " + in_quotes(member.name) + " ends beyond the archive");
    member.deflated = method == 8;
    member.size = size;
    member.crc = entry.u32(16);
    member.bytes = archive.subspan(start, packed);
    if (!member.deflated && packed != size)
      damaged(where, "member " + in_quotes(member.name) + " is stored, but its two sizes differ");
    if (member.name.ends_with('/')) continue;
    if (!names.insert(member.name).second)
      damaged(where, "member " + in_quotes(member.name) + " stands twice");
    out.push_back(std::move(member));
  }
  return out;
}

void unpack(const ZipMember& member, const std::string& where, const std::function<bool(Bytes)>& take) {
  const auto check = [&](std::uint64_t got, std::uint32_t crc) {
    if (got == member.size && crc == member.crc) return;
    damaged(where, "member " + in_quotes(member.name) +
                       (got != member.size ? " has another size than" : " is not what") +
                       " its directory says");
  };
  auto crc = static_cast<std::uint32_t>(crc32(0, nullptr, 0));
  const auto add = [&](Bytes piece) {
    crc = static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size())));
    return take(piece);
  };
  if (!member.deflated) {
    for (std::size_t at = 0; at < member.bytes.size(); at += kPiece)
      if (!add(member.bytes.subspan(at, std::min(kPiece, member.bytes.size() - at)))) return;
    return check(member.bytes.size(), crc);
  }
  Inflater inflater;
  z_stream& stream = inflater.stream();
  const auto room = std::make_unique<std::byte[]>(kPiece);
  std::uint64_t got = 0;
  std::size_t given = 0;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const std::size_t n = std::min(kPiece, member.bytes.size() - given);
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(member.bytes.data() + given));
      stream.avail_in = static_cast<uInt>(n);
      given += n;
    }
    stream.next_out = reinterpret_cast<Bytef*>(room.get());
    stream.avail_out = kPiece;
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = kPiece - stream.avail_out;
    got += made;
    if ((state != Z_OK && state != Z_STREAM_END) || got > member.size)
      damaged(where, "member " + in_quotes(member.name) + " cannot be unpacked");
    if (made > 0 && !add({room.get(), made})) return;
  }
  check(got, crc);
}

}  // namespace shoal
