#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kBlock = Index{1} << 20;

}  // namespace

FilesHash::FilesHash(std::vector<std::filesystem::path> files) : files_(std::move(files)) {
  for (const std::filesystem::path& file : files_) {
    mappings_.push_back(std::make_unique<const Mapping>(file));
    starts_.push_back(starts_.back() + chunk_count(mappings_.back()->bytes().size(), kBlock));
  }
  digests_.resize(starts_.back());
}

std::string FilesHash::of(std::vector<std::filesystem::path> files, const Run& run) {
  FilesHash all(std::move(files));
  for_chunks(run.quiet(), all.blocks(), 1, [&](Index block, Index, Index) { all.hash(block); });
  return all.finish();
}

void FilesHash::hash(Index block) {
  // Of equal starts, which empty files have, the last is that of the file that holds the block.
  const auto after = std::ranges::upper_bound(starts_, block);
  const auto file = static_cast<Index>(after - starts_.begin()) - 1;
  const auto bytes = mappings_[file]->bytes();
  const Index first = (block - starts_[file]) * kBlock;
  digests_[block] = sha256(bytes.subspan(first, std::min(kBlock, bytes.size() - first)));
}

std::string FilesHash::finish() const {
  constexpr std::size_t kDigits = 16;
  std::string all;
  for (Index file = 0; file < files_.size(); ++file) {
    all += files_[file].filename().string() + " " + std::to_string(mappings_[file]->bytes().size()) + "\n";
    for (Index block = starts_[file]; block < starts_[file + 1]; ++block) all += digests_[block] + "\n";
  }
  return sha256(std::as_bytes(std::span(all.data(), all.size()))).substr(0, kDigits);
}

}  // namespace shoal
