#include <cstring>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/vectors/number_type.h"

namespace shoal {
namespace {

std::string shape_words(const std::vector<Index>& shape) {
  if (shape.empty()) return "a single number";
  constexpr std::size_t kMost = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(kMost, shape.size()); ++i) {
    out += (i == 0 ? "" : " x ") + std::to_string(shape[i]);
  }
  return out + (shape.size() > kMost ? " x ..." : "");
}

[[noreturn]] void wrong(const ArchiveReader& in, std::string_view name, const std::string& what) {
  throw Error(Fault::format, in.path().string() + ": tensor " + shown(name) + " " + what);
}

/// The numbers of a tensor, copied out because nothing promises their alignment.
template <class T>
std::vector<T> numbers(const Tensor& tensor) {
  std::vector<T> out(tensor.count());
  if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

/// out: tensor.count() floats. Error(format) if the tensor holds no floats, or one beyond the range of
/// float32.
void convert(const ArchiveReader& in, std::string_view name, const Tensor& tensor, float* out) {
  const Index n = tensor.count();
  switch (tensor.type) {
    case TensorType::f32:
      if (n > 0) std::memcpy(out, tensor.bytes.data(), tensor.bytes.size());
      return;
    case TensorType::f64:
      if (narrow(tensor.bytes.data(), n, out) < n)
        wrong(in, name, "holds a number beyond the range of float32 (3.4e38), in which shoal computes");
      return;
    case TensorType::f16:
      kernels().f16_to_f32(numbers<std::uint16_t>(tensor).data(), out, n);
      return;
    case TensorType::bf16:
      kernels().bf16_to_f32(numbers<std::uint16_t>(tensor).data(), out, n);
      return;
    default:
      wrong(in, name, std::string("is ") + dtype_name(tensor.type) + ", not floats");
  }
}

template <class T>
std::vector<std::int64_t> widened(const Tensor& tensor) {
  const auto narrow = numbers<T>(tensor);
  return {narrow.begin(), narrow.end()};
}

}  // namespace

Index Tensor::count() const {
  Index n = 1;
  for (const Index side : shape) n *= side;
  return n;
}

ArchiveReader::ArchiveReader(const std::filesystem::path& path) : path_(path) {
  const auto mapping = std::make_shared<const Mapping>(path);
  owner_ = mapping;
  open(mapping->bytes());
}

ArchiveReader ArchiveReader::of(const std::filesystem::path& name,
                                std::map<std::string, Tensor, std::less<>> tensors,
                                std::shared_ptr<const void> owner) {
  ArchiveReader out;
  out.path_ = name;
  out.tensors_ = std::move(tensors);
  out.owner_ = std::move(owner);
  return out;
}

ArchiveReader::ArchiveReader(std::span<const std::byte> borrowed, const std::filesystem::path& name)
    : path_(name) {
  open(borrowed);
}

void ArchiveReader::open(std::span<const std::byte> bytes) {
  SafetensorsHeader header = parse_safetensors_header(bytes, path_.string());
  const auto data = bytes.subspan(header.data_begin);
  check_safetensors_layout(header, data.size(), path_.string());
  for (auto& [name, place] : header.tensors) {
    const auto part = data.subspan(place.begin, place.end - place.begin);
    tensors_.emplace(name, Tensor{place.type, std::move(place.shape), part});
  }
  metadata_ = std::move(header.metadata);
}

bool ArchiveReader::has(std::string_view name) const { return tensors_.contains(name); }

const Tensor& ArchiveReader::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw Error(Fault::format, path_.string() + " has no tensor " + shown(name) + "; it has " +
                                 std::to_string(tensors_.size()) + " others" +
                                 (tensors_.empty() ? "" : ", the first " + shown(tensors_.begin()->first)));
}

Matrix ArchiveReader::matrix(std::string_view name) const {
  const Tensor& t = tensor(name);
  if (t.shape.size() > 2)
    wrong(*this, name, "is " + shape_words(t.shape) + "; at most two sides are allowed");
  const Index cols = t.shape.empty() ? 1 : t.shape.back(), rows = t.shape.size() < 2 ? 1 : t.shape.front();
  Matrix out(rows, cols);
  convert(*this, name, t, out.data());
  return out;
}

Matrix ArchiveReader::matrix(std::string_view name, Index rows, Index cols) const {
  const Tensor& t = tensor(name);
  if (t.shape != std::vector<Index>{rows, cols}) {
    wrong(*this, name, "is " + shape_words(t.shape) + "; " + shape_words({rows, cols}) + " is needed");
  }
  return matrix(name);
}

std::vector<float> ArchiveReader::floats(std::string_view name, Index count) const {
  const Tensor& t = tensor(name);
  if (t.count() != count) {
    wrong(*this, name, "is " + shape_words(t.shape) + "; " + std::to_string(count) + " numbers are needed");
  }
  std::vector<float> out(count);
  convert(*this, name, t, out.data());
  return out;
}

std::vector<double> ArchiveReader::doubles(std::string_view name, Index count) const {
  const Tensor& t = tensor(name);
  if (t.type != TensorType::f64 || t.count() != count)
    wrong(*this, name,
          "is " + shape_words(t.shape) + " of " + dtype_name(t.type) + "; " + std::to_string(count) +
              " numbers of F64 are needed");
  return numbers<double>(t);
}

std::vector<std::int64_t> ArchiveReader::integers(std::string_view name) const {
  const Tensor& t = tensor(name);
  switch (t.type) {
    case TensorType::i64:
      return numbers<std::int64_t>(t);
    case TensorType::i32:
      return widened<std::int32_t>(t);
    case TensorType::i16:
      return widened<std::int16_t>(t);
    case TensorType::i8:
      return widened<std::int8_t>(t);
    case TensorType::u32:
      return widened<std::uint32_t>(t);
    case TensorType::u16:
      return widened<std::uint16_t>(t);
    case TensorType::u8:
    case TensorType::boolean:
      return widened<std::uint8_t>(t);
    case TensorType::u64:
      break;
    default:
      wrong(*this, name, std::string("is ") + dtype_name(t.type) + ", not whole numbers");
  }
  std::vector<std::int64_t> out = widened<std::uint64_t>(t);
  for (const std::int64_t x : out) {
    if (x < 0)
      wrong(*this, name, "holds a number above " + std::to_string(std::numeric_limits<std::int64_t>::max()));
  }
  return out;
}

Rows ArchiveReader::rows(std::string_view name, Space space) const {
  const Tensor& t = tensor(name);
  if (t.shape.size() != 2) wrong(*this, name, "is " + shape_words(t.shape) + "; rows x columns are needed");
  return rows_over({t.bytes, t.shape[0], t.shape[1], {t.type}}, std::move(space),
                   path_.string() + ": tensor " + shown(name), owner_);
}

ArchiveReader ArchiveReader::part(std::string_view name) const {
  const std::string prefix = std::string(name) + "/";
  ArchiveReader inner;
  inner.path_ = path_;
  inner.owner_ = owner_;
  for (const auto& [key, tensor] : tensors_)
    if (key.starts_with(prefix)) inner.tensors_.emplace(key.substr(prefix.size()), tensor);
  for (const auto& [key, value] : metadata_)
    if (key.starts_with(prefix)) inner.metadata_.emplace(key.substr(prefix.size()), value);
  if (inner.metadata_.empty())
    throw Error(Fault::format, path_.string() + " has no part " + shown(name) + ": was it made by shoal?");
  return inner;
}

std::string ArchiveReader::meta(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found != metadata_.end()) return found->second;
  throw Error(Fault::format,
              path_.string() + " has no " + shown(key) + " in its metadata: was it made by shoal?");
}

void ArchiveReader::read(const OptionRefs& options) const {
  const auto saved = parse_flat_json(meta("options"), path_.string() + ", metadata 'options'");
  for (const OptionRef& option : options) {
    const auto found = saved.find(option.name);
    if (found == saved.end()) continue;
    try {
      option.set(found->second);
    } catch (const Error& e) {
      throw Error(Fault::format, path_.string() + ": " + e.what());
    }
  }
}

Space read_space(const ArchiveReader& in) {
  const auto found = in.metadata().find("space");
  if (found == in.metadata().end()) return {};
  return parse_space(found->second, in.path().string() + ", metadata 'space'");
}

void check_kind(const ArchiveReader& in, std::string_view kind) {
  if (in.meta("kind") != kind) {
    throw Error(Fault::format,
                in.path().string() + " holds " + shown(in.meta("kind")) + "; " + shown(kind) + " is needed");
  }
  if (in.meta("version") != "1") {
    throw Error(Fault::format, in.path().string() + " is of version " + shown(in.meta("version")) +
                                   "; this program reads version 1: update shoal");
  }
}

}  // namespace shoal
