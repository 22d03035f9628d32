#include <algorithm>
#include <charconv>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/vectors/npy_impl.h"
#include "shoal/store/vectors/number_type.h"

namespace shoal {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeaderBytes = 65'536;

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(Fault::format, where + " cannot be read as .npy: " + what);
}

/// Reads the header's Python dictionary: three known keys in any order, nothing else.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ != text_.size()) fail();
    if (!descr || !fortran || !shape) damaged(where_, "its header lacks descr, fortran_order or shape");
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<Index>> shape;

 private:
  [[noreturn]] void fail() {
    damaged(where_, "its header is not understood at " + shown(text_.substr(std::min(at_, text_.size()))));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  std::string_view string() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail();
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail();
    const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inner;
  }
  bool word(std::string_view expected) {
    skip();
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  Index number() {
    skip();
    Index n = 0;
    const auto [end, fault] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), n);
    if (fault != std::errc()) fail();
    at_ = static_cast<std::size_t>(end - text_.data());
    return n;
  }
  std::vector<Index> tuple() {
    std::vector<Index> out;
    expect('(');
    while (!accept(')')) {
      out.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }
  void value(std::string_view key) {
    if (key == "descr" && !descr) {
      skip();
      if (at_ < text_.size() && text_[at_] == '[') damaged(where_, "it holds records, not numbers");
      descr = string();
    } else if (key == "fortran_order" && !fortran) {
      if (word("True")) {
        fortran = true;
      } else if (word("False")) {
        fortran = false;
      } else {
        fail();
      }
    } else if (key == "shape" && !shape) {
      shape = tuple();
    } else {
      damaged(where_, "its header has an unknown or repeated key " + shown(key));
    }
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

/// The header's text; out: where the data starts.
std::string_view header_text(std::span<const std::byte> file, const std::string& where, std::size_t& data) {
  const std::string_view all(reinterpret_cast<const char*>(file.data()), file.size());
  if (!all.starts_with(kMagic)) damaged(where, "it does not start with \\x93NUMPY");
  if (all.size() < 10) damaged(where, "it ends inside its header");
  const int version = static_cast<unsigned char>(all[6]);
  if (version < 1 || version > 3)
    damaged(where, "its version is " + std::to_string(version) + "; 1 to 3 are known");
  const std::size_t width = version == 1 ? 2 : 4;
  if (all.size() < 8 + width) damaged(where, "it ends inside its header");
  std::size_t length = 0;
  for (std::size_t i = width; i-- > 0;) length = length << 8 | static_cast<unsigned char>(all[8 + i]);
  if (length > kMostHeaderBytes) {
    damaged(where, "its header claims " + std::to_string(length) + " bytes; at most " +
                       std::to_string(kMostHeaderBytes) + " are allowed");
  }
  data = 8 + width + length;
  if (data > all.size()) {
    damaged(where, "its header claims " + std::to_string(length) + " bytes, but the file has only " +
                       std::to_string(all.size() - 8 - width) + " more");
  }
  return all.substr(8 + width, length);
}

/// "<f8": the order of the bytes, the kind of number, and its bytes.
NumberType type_of(std::string_view descr, const std::string& where) {
  static constexpr std::pair<std::string_view, TensorType> kKinds[] = {
      {"f8", TensorType::f64}, {"f4", TensorType::f32}, {"f2", TensorType::f16}, {"i8", TensorType::i64},
      {"i4", TensorType::i32}, {"i2", TensorType::i16}, {"i1", TensorType::i8},  {"u8", TensorType::u64},
      {"u4", TensorType::u32}, {"u2", TensorType::u16}, {"u1", TensorType::u8},  {"b1", TensorType::boolean}};
  const std::string_view kind = descr.substr(std::min<std::size_t>(descr.size(), 1));
  const auto* found = std::ranges::find(kKinds, kind, &std::pair<std::string_view, TensorType>::first);
  const bool known =
      found != std::end(kKinds) && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const bool one_byte = known && kind[1] == '1';
  if (known && (one_byte || descr[0] != '|')) return {found->second, descr[0] == '>' && !one_byte};
  const bool objects = !descr.empty() && descr.back() == 'O';
  damaged(where,
          "its numbers are " + shown(descr) +
              (objects ? ", Python objects, which are not read" : ", which are not read") +
              "; floats of 2, 4 and 8 bytes, whole numbers and bool are: save x.astype('float32') instead");
}

}  // namespace

Rows parse_npy(std::span<const std::byte> file, const std::string& where, std::shared_ptr<const void> owner) {
  std::size_t data = 0;
  HeaderParser header(header_text(file, where, data), where);
  header.parse();
  const NumberType type = type_of(*header.descr, where);
  const std::vector<Index>& shape = *header.shape;
  if (shape.size() == 1)
    damaged(where, "it is one list of " + std::to_string(shape[0]) +
                       " numbers; rows x columns are needed: save x.reshape(1, -1) for one vector, "
                       "x.reshape(-1, 1) for vectors of one number");
  if (shape.size() != 2)
    damaged(where, "it has " + std::to_string(shape.size()) + " sides; rows x columns are needed");
  const Index rows = shape.front(), cols = shape.back();
  Index bytes = bytes_of(type.type);
  const bool absurd =
      __builtin_mul_overflow(bytes, rows, &bytes) || __builtin_mul_overflow(bytes, cols, &bytes);
  if (absurd || bytes != file.size() - data) {
    damaged(where, "its shape " + std::to_string(rows) + " x " + std::to_string(cols) + " does not fit the " +
                       std::to_string(file.size() - data) + " bytes of data");
  }
  return rows_over({file.subspan(data), rows, cols, type, *header.fortran && rows > 1 && cols > 1},
                   {.dims = cols}, where, std::move(owner));
}

std::string npy_kind(std::span<const std::byte> file, const std::string& where, bool& is_table) {
  std::size_t data = 0;
  HeaderParser header(header_text(file, where, data), where);
  header.parse();
  std::string out;
  for (const Index side : *header.shape) out += (out.empty() ? "" : " x ") + std::to_string(side);
  if (header.shape->empty()) out = "a single value";
  is_table = header.shape->size() == 2;
  try {
    return out + ", " + type_of(*header.descr, where).name();
  } catch (const Error&) {
    is_table = false;
    return out + ", " + shown(*header.descr);
  }
}

std::string npy_header(Index rows, Index cols, Dtype dtype) {
  std::string text = std::string("{'descr': '") + (dtype == Dtype::f32 ? "<f4" : "<f2") +
                     "', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                     std::to_string(cols) + "), }";
  constexpr std::size_t kBefore = 10, kAlignment = 64;
  const std::size_t length = (kBefore + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - kBefore;
  text.resize(length - 1, ' ');
  text += '\n';
  std::string out(kMagic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, length & 255, length >> 8})
    out += static_cast<char>(byte);
  return out + text;
}

}  // namespace shoal
