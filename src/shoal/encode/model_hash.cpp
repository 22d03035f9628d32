#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/mapping.h"

namespace shoal {

std::string hash_of_files(const std::vector<std::filesystem::path>& files, const Run& run) {
  constexpr Index kBlock = Index{1} << 20;
  constexpr std::size_t kDigits = 16;
  std::string all;
  for (const std::filesystem::path& file : files) {
    const Mapping mapping(file);
    const auto bytes = mapping.bytes();
    std::vector<std::string> digests(chunk_count(bytes.size(), kBlock));
    for_chunks(run, bytes.size(), kBlock, [&](Index chunk, Index first, Index last) {
      digests[chunk] = sha256(bytes.subspan(first, last - first));
    });
    all += file.filename().string() + " " + std::to_string(bytes.size()) + "\n";
    for (const std::string& digest : digests) all += digest + "\n";
  }
  return sha256(std::as_bytes(std::span(all.data(), all.size()))).substr(0, kDigits);
}

}  // namespace shoal
