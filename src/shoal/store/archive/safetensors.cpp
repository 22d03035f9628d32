#include "shoal/store/archive/safetensors_impl.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"

namespace shoal {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr std::uint64_t kAlignment = 64;

struct TypeFacts {
  TensorType type;
  const char* name;
  Index bytes;
};
constexpr std::array<TypeFacts, 13> kTypes = {{{TensorType::f64, "F64", 8},
                                               {TensorType::f32, "F32", 4},
                                               {TensorType::f16, "F16", 2},
                                               {TensorType::bf16, "BF16", 2},
                                               {TensorType::i64, "I64", 8},
                                               {TensorType::i32, "I32", 4},
                                               {TensorType::i16, "I16", 2},
                                               {TensorType::u64, "U64", 8},
                                               {TensorType::u32, "U32", 4},
                                               {TensorType::u16, "U16", 2},
                                               {TensorType::u8, "U8", 1},
                                               {TensorType::i8, "I8", 1},
                                               {TensorType::boolean, "BOOL", 1}}};

const TypeFacts& facts_of(TensorType type) { return *std::ranges::find(kTypes, type, &TypeFacts::type); }

/// Hears the JSON of a header event by event, so that nothing is built that the format does not know: an
/// object of tensors and at most one of strings, three levels deep, no key twice.
class HeaderListener {
 public:
  explicit HeaderListener(SafetensorsHeader& out) : out_(out) {}
  const std::string& fault() const { return fault_; }

  bool null() { return scalar_fault("null"); }
  bool boolean(bool) { return scalar_fault("true or false"); }
  bool binary(json::binary_t&) { return scalar_fault("binary"); }
  bool number_integer(json::number_integer_t value) { return scalar_fault(std::to_string(value)); }
  bool number_float(json::number_float_t, const std::string& text) { return scalar_fault(text); }
  bool number_unsigned(json::number_unsigned_t value);
  bool string(std::string& value);
  bool start_object(std::size_t);
  bool end_object();
  bool start_array(std::size_t);
  bool end_array();
  bool key(std::string& name);
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& error) {
    return fail("its header is not JSON at byte " + std::to_string(at) + " (" +
                std::string(beginning_of(error.what(), 200)) + ")");
  }

 private:
  enum class Level { outside, root, metadata, tensor, shape, offsets };

  bool fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
    return false;
  }
  std::string place() const {
    if (level_ == Level::outside || level_ == Level::root) return "its header";
    if (level_ == Level::metadata) return "metadata " + shown(field_);
    return "tensor " + shown(name_) + (field_.empty() ? "" : ", field " + shown(field_));
  }
  bool scalar_fault(const std::string& value) {
    return fail(place() + ": unexpected " + std::string(beginning_of(value, 80)));
  }
  bool finish_tensor();

  SafetensorsHeader& out_;
  Level level_ = Level::outside;
  std::string name_, field_, fault_;
  TensorPlace tensor_;
  std::vector<std::uint64_t> offsets_;
  bool has_type_ = false, has_shape_ = false, has_offsets_ = false, has_metadata_ = false;
};

bool HeaderListener::number_unsigned(json::number_unsigned_t value) {
  if (level_ == Level::shape) {
    tensor_.shape.push_back(value);
    return true;
  }
  if (level_ == Level::offsets && offsets_.size() < 2) {
    offsets_.push_back(value);
    return true;
  }
  return scalar_fault(std::to_string(value));
}

bool HeaderListener::string(std::string& value) {
  if (level_ == Level::metadata) {
    out_.metadata[field_] = std::move(value);
    return true;
  }
  if (level_ != Level::tensor || field_ != "dtype") return scalar_fault("text " + shown(value));
  const auto found = std::ranges::find_if(kTypes, [&](const TypeFacts& t) { return value == t.name; });
  if (found == kTypes.end()) return fail(place() + ": unknown type of number " + shown(value));
  tensor_.type = found->type;
  has_type_ = true;
  return true;
}

bool HeaderListener::start_object(std::size_t) {
  if (level_ == Level::outside) {
    level_ = Level::root;
    return true;
  }
  if (level_ != Level::root) return scalar_fault("object");
  field_.clear();
  level_ = name_ == "__metadata__" ? Level::metadata : Level::tensor;
  if (level_ == Level::metadata)
    return std::exchange(has_metadata_, true) ? fail("__metadata__ stands twice") : true;
  tensor_ = {};
  offsets_.clear();
  has_type_ = has_shape_ = has_offsets_ = false;
  return true;
}

bool HeaderListener::end_object() {
  if (level_ == Level::tensor && !finish_tensor()) return false;
  level_ = level_ == Level::root ? Level::outside : Level::root;
  return true;
}

bool HeaderListener::start_array(std::size_t) {
  if (level_ != Level::tensor) return scalar_fault("list");
  if (field_ == "shape") {
    level_ = Level::shape;
    has_shape_ = true;
  } else if (field_ == "data_offsets") {
    level_ = Level::offsets;
    has_offsets_ = true;
  } else {
    return scalar_fault("list");
  }
  return true;
}

bool HeaderListener::end_array() {
  level_ = Level::tensor;
  return true;
}

bool HeaderListener::key(std::string& name) {
  if (level_ == Level::root) {
    name_ = std::move(name);
    if (out_.tensors.contains(name_)) return fail("tensor " + shown(name_) + " stands twice");
    return true;
  }
  field_ = std::move(name);
  if (level_ == Level::metadata) {
    return out_.metadata.contains(field_) ? fail("metadata " + shown(field_) + " stands twice") : true;
  }
  const bool* seen = field_ == "dtype"          ? &has_type_
                     : field_ == "shape"        ? &has_shape_
                     : field_ == "data_offsets" ? &has_offsets_
                                                : nullptr;
  if (seen == nullptr) return fail(place() + ": unknown; dtype, shape and data_offsets are allowed");
  return *seen ? fail(place() + " stands twice") : true;
}

bool HeaderListener::finish_tensor() {
  field_.clear();
  if (!has_type_ || !has_shape_ || !has_offsets_ || offsets_.size() != 2) {
    return fail(place() + ": needs dtype, shape and two data_offsets");
  }
  tensor_.begin = offsets_[0];
  tensor_.end = offsets_[1];
  Index bytes = bytes_of(tensor_.type);
  for (const Index side : tensor_.shape) {
    if (__builtin_mul_overflow(bytes, side, &bytes)) {
      return fail(place() + ": its shape needs more bytes than a file can have");
    }
  }
  if (tensor_.begin > tensor_.end || tensor_.end - tensor_.begin != bytes) {
    return fail(place() + ": its shape and type need " + std::to_string(bytes) +
                " bytes, but its offsets are " + std::to_string(tensor_.begin) + " to " +
                std::to_string(tensor_.end));
  }
  out_.tensors.emplace(name_, std::move(tensor_));
  return true;
}

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(Fault::format, where + " is not a whole safetensors file: " + what);
}

std::uint64_t header_length(std::span<const std::byte> file, const std::string& where) {
  if (file.size() < kLengthBytes) {
    damaged(where, "it has " + std::to_string(file.size()) + " bytes; the header's length alone takes 8");
  }
  std::uint64_t length;  // little endian, as the machines shoal runs on
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kMostHeaderBytes) {
    damaged(where, "its header claims " + std::to_string(length) + " bytes; at most " +
                       std::to_string(kMostHeaderBytes) + " are allowed");
  }
  if (length > file.size() - kLengthBytes) {
    damaged(where, "its header claims " + std::to_string(length) + " bytes, but the file has only " +
                       std::to_string(file.size() - kLengthBytes) + " more");
  }
  return length;
}

}  // namespace

Index bytes_of(TensorType type) { return facts_of(type).bytes; }
const char* dtype_name(TensorType type) { return facts_of(type).name; }

std::string shown(std::string_view name) {
  constexpr std::size_t kMost = 80;
  std::string out = "'" + std::string(beginning_of(name, kMost)) + (name.size() > kMost ? "...'" : "'");
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where) {
  const std::uint64_t length = header_length(file, where);
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (text.empty() || text.front() != '{') damaged(where, "its header does not start with '{'");
  SafetensorsHeader header{.data_begin = kLengthBytes + length};
  HeaderListener listener(header);
  if (!json::sax_parse(text.begin(), text.end(), &listener)) damaged(where, listener.fault());
  return header;
}

void check_safetensors_layout(const SafetensorsHeader& header, std::uint64_t data_size,
                              const std::string& where) {
  using Named = std::pair<const std::string, TensorPlace>;
  std::vector<const Named*> in_order;
  for (const Named& tensor : header.tensors) in_order.push_back(&tensor);
  std::ranges::sort(in_order, {}, [](const Named* t) { return std::pair(t->second.begin, t->second.end); });
  std::uint64_t end = 0;
  for (const Named* tensor : in_order) {
    const auto& [name, place] = *tensor;
    if (place.begin != end) {
      damaged(where, "tensor " + shown(name) + " starts at byte " + std::to_string(place.begin) +
                         " of the data, but the one before it ends at " + std::to_string(end));
    }
    if (place.end > data_size) {
      damaged(where, "tensor " + shown(name) + " ends at byte " + std::to_string(place.end) +
                         " of the data, but the file has only " + std::to_string(data_size));
    }
    end = place.end;
  }
  if (end != data_size) {
    damaged(where, std::to_string(data_size - end) + " bytes after the last tensor belong to none");
  }
}

std::string safetensors_header_bytes(const SafetensorsHeader& header, std::size_t at_least) {
  json root = json::object();
  if (!header.metadata.empty()) root["__metadata__"] = header.metadata;
  for (const auto& [name, place] : header.tensors) {
    root[name] = {{"dtype", dtype_name(place.type)},
                  {"shape", place.shape},
                  {"data_offsets", {place.begin, place.end}}};
  }
  std::string text;
  try {
    text = root.dump();
  } catch (const json::exception&) {
    throw Error(Fault::argument, "a tensor's name or a metadata string is not valid UTF-8");
  }
  const std::size_t size = std::max<std::size_t>(kLengthBytes + text.size(), at_least);
  const std::uint64_t length = (size + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes;
  text.resize(length, ' ');
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + text;
}

}  // namespace shoal
