// Any bytes on their way to UTF-8, unpacked and decoded: never a crash, and the same in pieces of any size.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>

#include "shoal/core/error.h"
#include "shoal/read/text_encoding.h"
#include "shoal/read/unpack.h"

namespace {

std::string read_all(const std::string& bytes, const std::string& forced, std::size_t piece) {
  auto found = std::make_shared<shoal::TextEncoding>();
  std::string out, packed, buffer(piece, '\0');
  constexpr std::size_t kMost = 1u << 22;  // a few bytes may unpack to very many
  try {
    shoal::Input::Fetch fetch = [&, at = std::size_t{0}](char* to, std::size_t room) mutable {
      const std::size_t n = bytes.copy(to, std::min(room, piece), at);
      at += n;
      return n;
    };
    fetch = shoal::unpacked("fuzz", std::move(fetch), packed);
    fetch = shoal::as_utf8("fuzz", std::move(fetch), forced, found, {});
    while (const std::size_t got = fetch(buffer.data(), buffer.size())) {
      out.append(buffer, 0, got);
      if (out.size() > kMost) return "long";
    }
  } catch (const shoal::Error&) {  // cut, damaged or refused; what came before depends on the pieces
    return "error";
  }
  return out + "|" + packed + "|" + found->name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr const char* kForced[] = {"",         "",          "",        "UTF-8",       "UTF-16LE",
                                     "UTF-32BE", "Shift_JIS", "gb18030", "ISO-2022-JP", "Big5"};
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string forced = kForced[data[0] % std::size(kForced)];
  const std::string whole = read_all(bytes, forced, 1u << 16);
  if (read_all(bytes, forced, 1 + data[0] % 7) != whole) std::abort();
  return 0;
}
