#include "shoal/store/files/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "shoal/store/files/descriptor_impl.h"

namespace shoal {

Mapping::Mapping(const std::filesystem::path& path) {
  const Descriptor file = open_regular(path, O_RDONLY);
  const std::uint64_t size = file_size(file, path);
  if (size == 0) return;  // mmap refuses a length of 0
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) throw_file_error("map", path, errno);
  bytes_ = {static_cast<const std::byte*>(start), size};
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace shoal
