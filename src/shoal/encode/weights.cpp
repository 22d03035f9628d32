#include "shoal/encode/weights.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>

#include "shoal/core/error.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/torch_file.h"
#include "shoal/store/vectors/number_type.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> shards(const fs::path& index) {
  const JsonFields fields = JsonFields::read(index);
  const nlohmann::json* map = fields.find("weight_map");
  if (!map || !map->is_object() || map->empty())
    fields.fail("weight_map", "it must name a file for each tensor");
  std::set<std::string> names;
  for (const auto& item : map->items()) {
    if (!item.value().is_string() || fs::path(item.value().get<std::string>()).has_parent_path())
      fields.fail("weight_map", "each tensor's file must be a file name in this folder");
    names.insert(item.value().get<std::string>());
  }
  std::vector<fs::path> paths;
  for (const std::string& name : names) paths.push_back(index.parent_path() / name);
  return paths;
}

std::vector<fs::path> weight_files(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    const fs::path single = folder / name, index = folder / (std::string(name) + ".index.json");
    if (fs::exists(single)) return {single};
    if (fs::exists(index)) return shards(index);
  }
  throw Error(Fault::file, (folder / "model.safetensors").string() + ": missing");
}

/// Where a repository was cloned without Git LFS there is a small text instead of a large file.
void check_is_fetched(const fs::path& path) {
  constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
  std::string start(kPointer.size(), '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
  require(
      start != kPointer, Fault::file,
      path.string() + ": a pointer of Git LFS, not the weights; 'git lfs pull' in its folder brings them");
}

ArchiveReader open_weights(const fs::path& path) {
  check_is_fetched(path);
  return path.extension() == ".safetensors" ? ArchiveReader(path) : open_torch_file(path);
}

std::string shown(const std::vector<Index>& shape) {
  std::string out = "[";
  for (const Index side : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(side);
  return out + "]";
}

}  // namespace

TensorTable::TensorTable(std::shared_ptr<const ArchiveReader> file, const Tensor& tensor)
    : file_(std::move(file)), tensor_(tensor) {}

void TensorTable::read(Index i, std::span<float> row) const {
  const Index n = row.size();
  if (tensor_.type == TensorType::f32) {
    std::memcpy(row.data(), tensor_.bytes.data() + i * n * sizeof(float), n * sizeof(float));
    return;
  }
  if (tensor_.type == TensorType::f64) {
    const Index bad = narrow(tensor_.bytes.data() + i * n * sizeof(double), n, row.data());
    if (bad < n)
      throw Error(Fault::format, file_->path().string() + ": row " + std::to_string(i) +
                                     " of a table holds a number beyond the range of float32");
    return;
  }
  if (tensor_.type == TensorType::i8) {
    const auto* from = reinterpret_cast<const signed char*>(tensor_.bytes.data() + i * n);
    std::copy_n(from, n, row.data());
    return;
  }
  const auto convert = tensor_.type == TensorType::f16 ? kernels().f16_to_f32 : kernels().bf16_to_f32;
  constexpr Index kAtOnce = 256;  // through a small aligned copy: a tensor may start at any byte
  std::uint16_t halves[kAtOnce];
  for (Index first = 0; first < n; first += kAtOnce) {
    const Index count = std::min(kAtOnce, n - first);
    std::memcpy(halves, tensor_.bytes.data() + (i * n + first) * sizeof(halves[0]),
                count * sizeof(halves[0]));
    convert(halves, row.data() + first, count);
  }
}

const float* TensorTable::row(Index i, std::span<float> row) const {
  const std::byte* at = tensor_.bytes.data() + i * row.size() * sizeof(float);
  if (tensor_.type == TensorType::f32 && reinterpret_cast<std::uintptr_t>(at) % alignof(float) == 0)
    return reinterpret_cast<const float*>(at);
  read(i, row);
  return row.data();
}

Weights::Weights(const fs::path& folder) : folder_(folder), paths_(weight_files(folder)) {
  for (const fs::path& path : paths_)
    readers_.push_back(std::make_shared<const ArchiveReader>(open_weights(path)));
}

bool Weights::has(std::string_view name) const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [&](const auto& reader) { return reader->has(full(name)); });
}

const std::shared_ptr<const ArchiveReader>& Weights::holder(std::string_view name) const {
  for (const auto& reader : readers_)
    if (reader->has(full(name))) return reader;
  throw Error(Fault::format, paths_.front().string() + ": has no tensor " + full(name) +
                                 ", which the model's config asks for");
}

void Weights::for_each(
    const std::function<void(const std::string&, const Tensor&, const ArchiveReader&)>& take) const {
  for (const auto& reader : readers_)
    for (const auto& [name, tensor] : reader->tensors()) take(name, tensor, *reader);
}

void Weights::find_prefix() {
  for (const char* prefix : {"bert.", "roberta.", "distilbert.", "mpnet.", "model."}) {
    if (!has(prefix + std::string("embeddings.word_embeddings.weight"))) continue;
    prefix_ = prefix;
    return;
  }
}

const std::vector<Index>& Weights::shape(std::string_view name) const {
  return holder(name)->tensor(full(name)).shape;
}

void Weights::expect(std::string_view name, const std::vector<Index>& shape) const {
  const auto& reader = holder(name);
  const Tensor& tensor = reader->tensor(full(name));
  const std::string what = reader->path().string() + ": tensor " + full(name);
  if (tensor.shape != shape)
    throw Error(Fault::format, what + " has the shape " + shown(tensor.shape) +
                                   "; the model's config asks for " + shown(shape));
  if (tensor.type != TensorType::f32 && tensor.type != TensorType::f16 && tensor.type != TensorType::bf16 &&
      tensor.type != TensorType::f64)
    throw Error(Fault::unsupported, what + " is not of type F64, F32, F16 or BF16");
}

Matrix Weights::matrix(std::string_view name, Index rows, Index cols) const {
  expect(name, {rows, cols});
  return holder(name)->matrix(full(name), rows, cols);
}

std::vector<float> Weights::vector(std::string_view name, Index count) const {
  expect(name, {count});
  return holder(name)->floats(full(name), count);
}

TensorTable Weights::table(std::string_view name, Index rows, Index cols) const {
  expect(name, {rows, cols});
  const auto& reader = holder(name);
  return {reader, reader->tensor(full(name))};
}

TensorTable Weights::quantised_table(std::string_view name, Index rows, Index cols) const {
  const auto& reader = holder(name);
  const Tensor& tensor = reader->tensor(full(name));
  if (tensor.type != TensorType::i8 || tensor.shape != std::vector<Index>{rows, cols})
    return table(name, rows, cols);
  return {reader, tensor};
}

std::vector<std::int64_t> Weights::integers(std::string_view name) const {
  return holder(name)->integers(full(name));
}

}  // namespace shoal
