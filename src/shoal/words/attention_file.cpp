#include "shoal/words/attention_file.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/encode/text_attention.h"
#include "shoal/words/word_attention.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kAny = ~Index{0};  // a side of any length

[[noreturn]] void damaged(const ArchiveReader& in, const std::string& what) {
  throw Error(Fault::format, in.path().string() + ": " + what + ": was it changed?");
}

/// A tensor as it lies in the file. Error(format) for another type or shape.
template <class T>
std::span<const T> numbers(const ArchiveReader& in, std::string_view name, TensorType type,
                           const std::vector<Index>& shape) {
  const Tensor& tensor = in.tensor(name);
  const bool fits =
      tensor.type == type && tensor.shape.size() == shape.size() &&
      std::ranges::equal(tensor.shape, shape, [](Index a, Index b) { return b == kAny || a == b; });
  if (!fits) damaged(in, "tensor " + std::string(name) + " has another type or shape than it should");
  if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(T) != 0)
    damaged(in, "tensor " + std::string(name) + " is not aligned");
  return {reinterpret_cast<const T*>(tensor.bytes.data()), tensor.bytes.size() / sizeof(T)};
}

Texts read_texts(const ArchiveReader& in, std::string_view bytes_name, std::string_view ends_name) {
  const auto bytes = numbers<char>(in, bytes_name, TensorType::u8, {kAny});
  const auto ends = numbers<std::uint64_t>(in, ends_name, TensorType::u64, {kAny});
  Texts out;
  std::uint64_t begin = 0;
  for (const std::uint64_t end : ends) {
    if (end < begin || end > bytes.size()) damaged(in, std::string(ends_name) + " goes beyond its text");
    out.add({bytes.data() + begin, end - begin});
    begin = end;
  }
  return out;
}

}  // namespace

std::vector<TensorPlan> attention_plan(Index words, Index word_bytes, Index forms, Index form_bytes,
                                       Index descriptions, Index text_bytes, Index members, Index pairs,
                                       Index head_channels, Index pair_channels, Index layers) {
  using enum TensorType;
  return {{"words", u8, {word_bytes}},
          {"word_ends", u64, {words}},
          {"frequency", u64, {words}},
          {"forms", u8, {form_bytes}},
          {"form_ends", u64, {forms}},
          {"form_words", u32, {forms}},
          {"offsets", u64, {descriptions + 1}},
          {"members", u32, {members}},
          {"head_from", f16, {members, head_channels}},
          {"head_to", f16, {members, head_channels}},
          {"pairs", f16, {pairs, pair_channels}},
          {"texts", u8, {text_bytes}},
          {"text_ends", u64, {descriptions}},
          {"shares", f64, {layers, kReceivers}}};
}

AttentionRows open_attention_rows(const fs::path& path) {
  const ArchiveReader in(path);
  check_kind(in, kWordAttention);
  AttentionRows out;
  out.owner = in.owner();
  out.space = read_space(in).id;
  const HeadCounts any{1 << 20, 1 << 20};
  const auto channels = [&](const char* key) {
    const std::string text = in.meta(key);
    if (text.empty()) return std::vector<LayerHead>();
    if (std::ranges::count(text, '.') != std::ranges::count(text, ',') + 1)
      damaged(in, std::string("metadata ") + key + " names no heads");
    try {
      return read_heads(text, any, key);
    } catch (const Error&) {
      damaged(in, std::string("metadata ") + key + " names no heads");
    }
  };
  out.head_channels = channels("heads");
  out.pair_channels = channels("pairs");
  out.words = read_texts(in, "words", "word_ends");
  const auto frequency = numbers<std::uint64_t>(in, "frequency", TensorType::u64, {out.words.size()});
  out.frequency.assign(frequency.begin(), frequency.end());
  out.old_version = !in.has("forms");
  if (!out.old_version) {
    out.forms = read_texts(in, "forms", "form_ends");
    const auto of = numbers<std::uint32_t>(in, "form_words", TensorType::u32, {out.forms.size()});
    for (const std::uint32_t word : of)
      if (word >= out.words.size())
        damaged(in, "a form is of word " + std::to_string(word) + ", beyond the last");
    out.form_words.assign(of.begin(), of.end());
  }
  out.offsets = numbers<std::uint64_t>(in, "offsets", TensorType::u64, {kAny});
  out.members = numbers<std::uint32_t>(in, "members", TensorType::u32, {kAny});
  if (out.offsets.empty() || out.offsets.front() != 0 || out.offsets.back() != out.members.size())
    damaged(in, "offsets do not cover the members");
  out.pair_offsets.push_back(0);
  for (Index d = 0; d + 1 < out.offsets.size(); ++d) {
    if (out.offsets[d + 1] <= out.offsets[d] || out.offsets[d + 1] > out.members.size())
      damaged(in, "offsets do not ascend at description " + std::to_string(d));
    const std::uint64_t n = out.offsets[d + 1] - out.offsets[d];
    out.pair_offsets.push_back(out.pair_offsets.back() + n * n * out.pair_channels.size());
  }
  for (const std::uint32_t word : out.members)
    if (word >= out.words.size())
      damaged(in, "a member is word " + std::to_string(word) + ", beyond the last");
  const std::vector<Index> of_heads = {out.members.size(), out.head_channels.size()};
  out.head_from = numbers<std::uint16_t>(in, "head_from", TensorType::f16, of_heads);
  out.head_to = numbers<std::uint16_t>(in, "head_to", TensorType::f16, of_heads);
  out.pairs = numbers<std::uint16_t>(in, "pairs", TensorType::f16, {kAny, out.pair_channels.size()});
  if (out.pairs.size() != out.pair_offsets.back()) damaged(in, "pairs are not those of the members");
  return out;
}

Texts description_texts(const fs::path& path) {
  const ArchiveReader in(path);
  check_kind(in, kWordAttention);
  return read_texts(in, "texts", "text_ends");
}

}  // namespace shoal
