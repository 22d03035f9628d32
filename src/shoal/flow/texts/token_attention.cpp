#include "shoal/flow/texts/token_attention.h"

#include <algorithm>
#include <system_error>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/receipt.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/archive_file.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kVersion = "0.3.0";    // the first that makes the same numbers as this one
constexpr Index kBlockNumbers = Index{16} << 20;  // of the texts in memory at once
constexpr Index kTokenizedAtOnce = 128;

/// All tokens, and where they and their attention stand in the file.
struct Layout {
  std::vector<std::uint32_t> tokens, places;
  std::vector<std::uint64_t> token_offsets{0}, weight_offsets{0};
  Index cut = 0;
};

/// Bytes to characters: of a text, the code points before byte `at`. `at` ascends from call to call, mostly.
class Characters {
 public:
  explicit Characters(std::string_view text) : text_(text) {}
  std::uint32_t before(std::uint32_t at) {
    if (at < at_) at_ = 0, count_ = 0;
    for (; at_ < at && at_ < text_.size(); ++at_)
      count_ += (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80;
    return count_;
  }

 private:
  std::string_view text_;
  std::uint32_t at_ = 0, count_ = 0;
};

Layout lay_out(const Texts& texts, const Encoder& encoder, const EncodeOptions& options, Index channels,
               const Run& run) {
  std::vector<PlacedTokens> chunks(chunk_count(texts.size(), kTokenizedAtOnce));
  for_chunks(run, texts.size(), kTokenizedAtOnce, [&](Index chunk, Index first, Index last) {
    chunks[chunk] = encoder.placed_tokens(texts, first, last - first, options);
  });
  Layout out;
  for (Index i = 0; i < texts.size(); ++i) {
    const PlacedTokens& chunk = chunks[i / kTokenizedAtOnce];
    const Index own = i % kTokenizedAtOnce, at = chunk.starts[own], n = chunk.starts[own + 1] - at;
    const std::string text = repair_utf8(texts[i]);
    Characters characters(text);
    for (Index t = at; t < at + n; ++t) {
      out.tokens.push_back(chunk.ids[t]);
      out.places.push_back(characters.before(chunk.places[t].begin));
      out.places.push_back(characters.before(chunk.places[t].end));
    }
    out.token_offsets.push_back(out.tokens.size());
    out.weight_offsets.push_back(out.weight_offsets.back() + channels * n * n);
    out.cut += chunk.is_cut[own];
  }
  return out;
}

template <class T>
void write_weights(ArchiveFile& file, const Layout& layout, const Texts& texts, const Encoder& encoder,
                   std::span<const LayerHead> heads, const EncodeOptions& options, const Run& run) {
  const double all = static_cast<double>(layout.weight_offsets.back());
  for (Index first = 0, last; first < texts.size(); first = last) {
    const std::uint64_t begin = layout.weight_offsets[first];
    for (last = first + 1; last < texts.size() && layout.weight_offsets[last + 1] - begin <= kBlockNumbers;
         ++last) {
    }
    std::vector<T> block(layout.weight_offsets[last] - begin);
    Run inner = run;
    if (run.progress)
      inner.progress = [&](std::string_view, double done, double total) {
        run.progress("attention",
                     static_cast<double>(begin) + static_cast<double>(block.size()) * done / total, all);
      };
    encoder.attention(texts, first, last - first, heads, options, inner, [&](const TextAttention& text) {
      T* to = block.data() + (layout.weight_offsets[text.text] - begin);
      if constexpr (std::is_same_v<T, float>)
        std::ranges::copy(text.weights, to);
      else
        kernels().f32_to_f16(text.weights.data(), to, text.weights.size());
    });
    file.write("weights", begin, std::span<const T>(block));
  }
}

}  // namespace

TokenAttentionReport write_token_attention(Source& source, const Encoder& encoder,
                                           const EncodeOptions& encode, const TokenAttentionOptions& options,
                                           const fs::path& out, bool overwrite, const Run& run) {
  require(out.extension() == ".safetensors", Fault::argument,
          option_name("attention") + " is " + out.string() + "; attention is written as .safetensors");
  const auto counts = encoder.head_counts();
  TokenAttentionReport report;
  if (counts) report.heads = read_heads(options.heads, *counts, "attention_heads");
  encoder.attention({}, 0, 0, report.heads, encode, run.quiet(),
                    {});  // says what is wrong before anything is read
  const Error exists(Fault::argument, out.string() + " exists; " + option_name("overwrite") + " replaces it");
  const bool there = fs::exists(out);
  if (there && !overwrite && receipt_key(out).empty()) throw exists;

  Texts texts, batch;
  std::vector<Texts> others;
  Fingerprint print;
  while (source.next(2048, batch, others)) {
    check_stop(run);
    for (Index i = 0; i < batch.size(); ++i) {
      texts.add(batch[i]);
      print.add(batch, {}, i);
    }
    if (run.progress)
      run.progress("read", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
  }
  const Layout layout = lay_out(texts, encoder, encode, report.heads.size(), run);
  report.texts = texts.size();
  report.tokens = layout.tokens.size();
  report.numbers = layout.weight_offsets.back();
  report.cut = layout.cut;

  std::vector<Field> fields = list_fields(encode);
  for (Field& field : list_fields(options)) fields.push_back(std::move(field));
  const std::string key = step_key(encoder.space().id, "attention", fields, kVersion) + " " + print.text();
  if (there && !overwrite) {
    if (!read_receipt(out, key)) throw exists;
    report.done_before = true;
    return report;
  }

  ArchiveWriter meta("attention");
  meta.space(encoder.space());
  meta.options(fields);
  meta.meta("heads", heads_text(report.heads));
  const bool half = options.type == AttentionType::float16;
  const fs::path part = out.string() + ".part.safetensors";
  ArchiveFile file(part, meta,
                   {{"tokens", TensorType::u32, {layout.tokens.size()}},
                    {"token_offsets", TensorType::u64, {layout.token_offsets.size()}},
                    {"places", TensorType::u32, {layout.tokens.size(), 2}},
                    {"weights", half ? TensorType::f16 : TensorType::f32, {report.numbers}},
                    {"weight_offsets", TensorType::u64, {layout.weight_offsets.size()}}},
                   false, out);
  try {
    file.write("tokens", 0, std::span<const std::uint32_t>(layout.tokens));
    file.write("token_offsets", 0, std::span<const std::uint64_t>(layout.token_offsets));
    file.write("places", 0, std::span<const std::uint32_t>(layout.places));
    file.write("weight_offsets", 0, std::span<const std::uint64_t>(layout.weight_offsets));
    if (half)
      write_weights<std::uint16_t>(file, layout, texts, encoder, report.heads, encode, run);
    else
      write_weights<float>(file, layout, texts, encoder, report.heads, encode, run);
    file.commit();
    write_receipt(out, part, key, {{"texts", report.texts}});
    file.keep_as(out);
  } catch (...) {
    std::error_code ignored;
    fs::remove(part, ignored);
    throw;
  }
  return report;
}

}  // namespace shoal
