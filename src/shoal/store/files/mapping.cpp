#include "shoal/store/files/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "shoal/store/files/descriptor_impl.h"

namespace shoal {
namespace {

/// A mapping as a signal handler may see it: `path` is good while `begin` is set.
struct Place {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> size{0};
  std::atomic<const char*> path{nullptr};
  std::atomic<bool> taken{false};
};
std::array<Place, 1024> places;  // more mappings than that at once have no name

Place* enter(std::span<const std::byte> bytes, const char* path) {
  for (Place& place : places) {
    if (place.taken.exchange(true)) continue;
    place.size = bytes.size();
    place.path = path;
    place.begin = reinterpret_cast<std::uintptr_t>(bytes.data());
    return &place;
  }
  return nullptr;
}

}  // namespace

const char* mapped_file_at(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const Place& place : places) {
    const std::uintptr_t begin = place.begin;
    if (begin != 0 && at >= begin && at - begin < place.size) return place.path;
  }
  return nullptr;
}

Mapping::Mapping(const std::filesystem::path& path) : path_(path.string()) {
  const Descriptor file = open_regular(path, O_RDONLY);
  const std::uint64_t size = file_size(file, path);
  if (size == 0) return;  // mmap refuses a length of 0
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) throw_file_error("map", path, errno);
  bytes_ = {static_cast<const std::byte*>(start), size};
  place_ = enter(bytes_, path_.c_str());
}

Mapping::~Mapping() {
  if (auto* place = static_cast<Place*>(place_)) {
    place->begin = 0;
    place->taken = false;
  }
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace shoal
