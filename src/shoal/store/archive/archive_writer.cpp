#include <algorithm>
#include <cstring>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace {

template <class T>
std::vector<std::byte> copied(std::span<const T> x) {
  const auto bytes = std::as_bytes(x);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

ArchiveWriter::ArchiveWriter(std::string_view kind) {
  metadata_["format"] = "shoal";
  metadata_["version"] = "1";
  metadata_["kind"] = kind;
}

void ArchiveWriter::meta(std::string_view key, std::string_view value) {
  metadata_[std::string(key)] = value;
}
void ArchiveWriter::options(const std::vector<Field>& fields) { metadata_["options"] = flat_json(fields); }
void ArchiveWriter::space(const Space& space) { metadata_["space"] = space_json(space); }

ArchiveWriter::Entry& ArchiveWriter::entry(std::string_view name, TensorType type, std::vector<Index> shape) {
  require(name != "__metadata__", Fault::argument, "a tensor cannot be named __metadata__");
  const auto [at, added] = entries_.emplace(name, Entry{type, std::move(shape), {}, {}});
  if (!added) throw Error(Fault::argument, "two tensors are named " + shown(name));
  return at->second;
}

void ArchiveWriter::add(std::string_view name, MatrixView x) {
  std::vector<std::byte>& bytes = entry(name, TensorType::f32, {x.rows, x.cols}).bytes;
  const Index row_bytes = x.cols * sizeof(float);
  bytes.resize(x.rows * row_bytes);
  for (Index r = 0; r < x.rows && row_bytes > 0; ++r) {
    std::memcpy(bytes.data() + r * row_bytes, x[r].data(), row_bytes);
  }
}

void ArchiveWriter::lend(std::string_view name, MatrixView x, const std::vector<Index>& shape) {
  Index count = 1;
  for (const Index side : shape) count *= side;
  require(x.stride == x.cols && count == x.rows * x.cols, Fault::argument,
          "tensor " + shown(name) + " is not of that shape, or not in one piece");
  entry(name, TensorType::f32, shape).lent = std::as_bytes(std::span(x.data, count));
}

void ArchiveWriter::add_half(std::string_view name, MatrixView x) {
  std::vector<std::byte>& bytes = entry(name, TensorType::f16, {x.rows, x.cols}).bytes;
  std::vector<std::uint16_t> row(x.cols);
  for (Index r = 0; r < x.rows; ++r) {
    kernels().f32_to_f16(x[r].data(), row.data(), x.cols);
    const auto half = std::as_bytes(std::span<const std::uint16_t>(row));
    bytes.insert(bytes.end(), half.begin(), half.end());
  }
}

void ArchiveWriter::add(std::string_view name, std::span<const float> x) {
  entry(name, TensorType::f32, {x.size()}).bytes = copied(x);
}
void ArchiveWriter::add(std::string_view name, std::span<const double> x) {
  entry(name, TensorType::f64, {x.size()}).bytes = copied(x);
}
void ArchiveWriter::add(std::string_view name, std::span<const std::int32_t> x) {
  entry(name, TensorType::i32, {x.size()}).bytes = copied(x);
}
void ArchiveWriter::add(std::string_view name, std::span<const std::int64_t> x) {
  entry(name, TensorType::i64, {x.size()}).bytes = copied(x);
}

void ArchiveWriter::add_part(std::string_view name, const ArchiveWriter& part) {
  const std::string prefix = std::string(name) + "/";
  for (const auto& [key, value] : part.metadata_) metadata_[prefix + key] = value;
  for (const auto& [key, e] : part.entries_)
    entry(prefix + key, e.type, e.shape).bytes.assign(e.all().begin(), e.all().end());
}

void ArchiveWriter::write(const std::filesystem::path& path) const {
  // Widest numbers first: then every tensor is aligned to its own width, and the format allows no gaps.
  using Named = std::pair<const std::string, Entry>;
  std::vector<const Named*> in_order;
  for (const Named& e : entries_) in_order.push_back(&e);
  std::ranges::stable_sort(in_order, std::greater<>{},
                           [](const Named* e) { return bytes_of(e->second.type); });

  SafetensorsHeader header{.metadata = metadata_};
  std::uint64_t end = 0;
  for (const Named* e : in_order) {
    const std::uint64_t begin = std::exchange(end, end + e->second.all().size());
    header.tensors[e->first] = {e->second.type, e->second.shape, begin, end};
  }
  const std::string first = safetensors_header_bytes(header);
  NewFile file(path);
  file.write(first);
  for (const Named* e : in_order) file.write(e->second.all());
  file.keep();
}

}  // namespace shoal
