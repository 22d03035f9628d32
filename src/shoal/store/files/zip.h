#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// A member of a zip archive.
struct ZipMember {
  std::string name;
  bool deflated = false;             ///< else stored: its bytes stand in the archive as they are
  std::uint64_t size = 0;            ///< unpacked
  std::uint32_t crc = 0;             ///< of the unpacked bytes
  std::span<const std::byte> bytes;  ///< in the archive
};

/// The members of a zip archive given its bytes, in the order of its directory; folders are left out. Zip64
/// is read; encrypted members and other compression than deflate are Error(unsupported) naming the member.
/// Error(format) on all that does not fit the bytes: offsets, sizes, names that stand twice. `where` names
/// the archive.
std::vector<ZipMember> read_zip(std::span<const std::byte> archive, const std::string& where);

/// Gives all unpacked bytes of a member to `take`, in order and in pieces, until it returns false.
/// Error(format) if they are not as many as the directory says, or not those that its checksum is of.
void unpack(const ZipMember& member, const std::string& where,
            const std::function<bool(std::span<const std::byte>)>& take);

}  // namespace shoal
