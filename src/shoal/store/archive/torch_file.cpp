#include "shoal/store/archive/torch_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/archive/state_dict_impl.h"
#include "shoal/store/files/zip.h"

namespace shoal {
namespace {

using Bytes = std::span<const std::byte>;

bool starts_with(Bytes bytes, std::string_view start) {
  return bytes.size() >= start.size() && std::memcmp(bytes.data(), start.data(), start.size()) == 0;
}

/// What is no zip archive, by name.
void check_kind(Bytes bytes, const std::string& where) {
  if (starts_with(bytes, "PK")) return;
  constexpr std::string_view kMagic =
      "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // of the old format
  const bool old = bytes.size() > 2 && starts_with(bytes.subspan(2), kMagic);
  const bool tar = bytes.size() > 262 && starts_with(bytes.subspan(257), "ustar");
  if (old || tar)
    throw Error(
        Fault::unsupported, where + " is in the format of torch before version 1.6, which is not read",
        "load it with torch and save it again: torch.save(torch.load(path, weights_only=True), path)");
  throw Error(Fault::format, where + " is no file of torch.save: it does not start as a zip archive");
}

/// The members of the archive, without the folder in which torch puts all of them.
std::map<std::string, ZipMember> members_of(Bytes bytes, const std::string& where) {
  std::map<std::string, ZipMember> out;
  for (ZipMember& member : read_zip(bytes, where)) {
    const std::size_t slash = member.name.find('/');
    std::string name = slash == std::string::npos ? member.name : member.name.substr(slash + 1);
    if (member.deflated)
      throw Error(Fault::unsupported,
                  where + ": its member " + shown(member.name) + " is packed; torch.save packs none");
    if (!out.emplace(name, std::move(member)).second)
      throw Error(Fault::format, where + " holds " + shown(name) + " twice");
  }
  return out;
}

// Bytes that the copies of tensors out of order may take together: so many times the file's, or this. A
// state dict has each tensor once, and few are not in order.
constexpr Index kMostCopies = 4, kAlwaysCopied = Index{64} << 20;

/// The tensors of one file, while they are found.
class Finder {
 public:
  Finder(std::map<std::string, ZipMember> members, std::string where, Index file_bytes)
      : members_(std::move(members)),
        where_(std::move(where)),
        left_(std::max(kMostCopies * file_bytes, kAlwaysCopied)) {}

  Tensor find(const std::string& name, const TorchTensor& at) {
    const auto wrong = [&](const std::string& what) {
      throw Error(Fault::format, where_ + ": tensor " + shown(name) + " " + what);
    };
    const auto member = members_.find("data/" + at.storage);
    if (member == members_.end()) wrong("is in the storage " + shown(at.storage) + ", which is not there");
    const Bytes storage = member->second.bytes;
    const Index width = bytes_of(at.type), numbers = storage.size() / width;
    if (at.numbers > numbers)
      wrong("is in a storage of " + std::to_string(at.numbers) + " numbers, of which only " +
            std::to_string(numbers) + " are there");
    if (at.shape.size() != at.strides.size()) wrong("has more sides than strides, or fewer");
    // The place of its last number, and whether all stand side by side in order.
    Index count = 1, last = at.offset, next = 1;
    bool in_order = true;
    for (std::size_t i = at.shape.size(); i-- > 0;) {
      const Index side = at.shape[i], stride = at.strides[i];
      if (__builtin_mul_overflow(count, side, &count)) wrong("has more numbers than a file can hold");
      if (side > 1) in_order = in_order && stride == next;
      next = count;
      Index step = 0;
      if (side > 1 &&
          (__builtin_mul_overflow(side - 1, stride, &step) || __builtin_add_overflow(last, step, &last)))
        wrong("lies beyond its storage");
    }
    if (count == 0) return {at.type, at.shape, {}};
    if (last >= at.numbers) wrong("lies beyond its storage of " + std::to_string(at.numbers) + " numbers");
    if (in_order) return {at.type, at.shape, storage.subspan(at.offset * width, count * width)};
    if (count > std::max<Index>(at.numbers, 1 << 20)) wrong("repeats the numbers of its storage");
    if (count * width > left_)
      wrong("is one too many that repeats the numbers of a storage: together they take more than " +
            std::to_string(kMostCopies) + " times the bytes of the file");
    left_ -= count * width;
    return {at.type, at.shape, copy(at, storage, width, count)};
  }

  std::shared_ptr<const void> copies() const { return copies_; }

 private:
  /// Its numbers side by side, the last side running fastest.
  Bytes copy(const TorchTensor& at, Bytes storage, Index width, Index count) {
    std::vector<std::byte>& out = copies_->emplace_back(count * width);
    std::vector<Index> place(at.shape.size());
    for (Index i = 0; i < count; ++i) {
      Index from = at.offset;
      for (std::size_t s = 0; s < place.size(); ++s) from += place[s] * at.strides[s];
      std::memcpy(out.data() + i * width, storage.data() + from * width, width);
      for (std::size_t s = place.size(); s-- > 0 && ++place[s] == at.shape[s];) place[s] = 0;
    }
    return out;
  }

  std::map<std::string, ZipMember> members_;
  std::string where_;
  Index left_;  // bytes that may still be copied
  std::shared_ptr<std::vector<std::vector<std::byte>>> copies_ =
      std::make_shared<std::vector<std::vector<std::byte>>>();
};

}  // namespace

ArchiveReader read_torch_file(Bytes bytes, const std::filesystem::path& name,
                              std::shared_ptr<const void> owner) {
  const std::string where = name.string();
  check_kind(bytes, where);
  auto members = members_of(bytes, where);
  if (members.contains("constants.pkl"))
    throw Error(Fault::unsupported, where + " is a TorchScript program, not a file of weights",
                "save the weights: torch.save(torch.jit.load(path).state_dict(), path)");
  const auto pickle = members.find("data.pkl");
  require(pickle != members.end(), Fault::format, where + " holds no data.pkl: it is no file of torch.save");
  if (const auto order = members.find("byteorder");
      order != members.end() && starts_with(order->second.bytes, "big"))
    throw Error(Fault::unsupported,
                where + " was written on a big-endian machine, whose numbers are not read");
  unpack(pickle->second, where, [](Bytes) { return true; });  // its checksum
  const auto described = read_state_dict(pickle->second.bytes, where + ", data.pkl");
  Finder finder(std::move(members), where, bytes.size());
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const auto& [key, at] : described) tensors.emplace(key, finder.find(key, at));
  struct Owners {
    std::shared_ptr<const void> file, copies;
  };
  return ArchiveReader::of(name, std::move(tensors),
                           std::make_shared<const Owners>(Owners{std::move(owner), finder.copies()}));
}

ArchiveReader open_torch_file(const std::filesystem::path& path) {
  const auto mapping = std::make_shared<const Mapping>(path);
  return read_torch_file(mapping->bytes(), path, mapping);
}

}  // namespace shoal
