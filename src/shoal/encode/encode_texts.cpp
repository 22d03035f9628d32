#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/pool.h"
#include "shoal/encode/windows.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

/// Tokens of a piece: enough rows for the matrix products, few enough that a piece's activations stay near
/// and that threads end together.
constexpr Index kPieceTokens = 1024;
/// Texts are taken through in groups of at most so many, or so many bytes, or so many windows: this bounds
/// the memory, whatever the number of texts.
constexpr Index kGroupTexts = 16384, kGroupBytes = Index{8} << 20, kGroupWindows = 16384;
constexpr Index kTokenizedAtOnce = 128;

/// What one thread works with while it has a piece.
struct Scratch {
  std::vector<std::uint32_t> ids;
  std::vector<Index> starts;
  BertScratch transformer;
};

/// Hands scratch out to whoever works and takes it back, so that it is allocated once a thread.
class Scratches {
 public:
  std::unique_ptr<Scratch> take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return std::make_unique<Scratch>();
    auto out = std::move(free_.back());
    free_.pop_back();
    return out;
  }
  void give(std::unique_ptr<Scratch> scratch) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

/// Token ids of a group of texts, tokenized in chunks.
struct GroupTokens {
  std::vector<Tokens> chunks;
  std::span<const std::uint32_t> operator[](Index i) const {
    return chunks[i / kTokenizedAtOnce][i % kTokenizedAtOnce];
  }
};

/// One call of TransformerModel::encode.
class Encoding {
 public:
  Encoding(const Tokenizer& tokenizer, const ModelFolder& model, const BertNetwork& transformer,
           const AfterPooling& head, const EncodePlan& plan, bool unit, const Run& run, TextFates& fates)
      : tokenizer_(tokenizer),
        model_(model),
        transformer_(transformer),
        head_(head),
        plan_(plan),
        unit_(unit),
        run_(run),
        fates_(fates) {}

  /// Texts [first, first + result.rows) into the rows of `result`.
  void encode(const Texts& texts, Index first, MatrixSpan result);

 private:
  GroupTokens tokenize(const Texts& texts, Index first, Index count) const;
  void count(const GroupTokens& tokens, Index first, Index count);
  std::vector<Window> windows(const GroupTokens& tokens, Index count) const;
  void gather(const GroupTokens& tokens, const Window& window, std::vector<std::uint32_t>& ids) const;
  Matrix run_piece(const GroupTokens& tokens, std::span<const Window> windows, std::span<const Index> which,
                   Scratch& scratch) const;
  void run_windows(const GroupTokens& tokens, std::span<const Window> windows, MatrixSpan vectors);
  void join(std::span<const Window> all, Index first, Index last, MatrixView vectors,
            MatrixSpan result) const;

  const Tokenizer& tokenizer_;
  const ModelFolder& model_;
  const BertNetwork& transformer_;
  const AfterPooling& head_;
  const EncodePlan& plan_;
  const bool unit_;
  const Run& run_;
  Scratches scratches_;
  TextFates& fates_;
};

GroupTokens Encoding::tokenize(const Texts& texts, Index first, Index count) const {
  GroupTokens out{.chunks = std::vector<Tokens>(chunk_count(count, kTokenizedAtOnce))};
  for_chunks(run_, count, kTokenizedAtOnce, [&](Index chunk, Index begin, Index end) {
    const Texts* from = &texts;
    Index at = first + begin;
    Texts prompted;
    if (!plan_.prompt.empty()) {
      for (Index i = begin; i < end; ++i) prompted.add(plan_.prompt + std::string(texts[first + i]));
      from = &prompted;
      at = 0;
    }
    out.chunks[chunk] = plan_.chunk ? tokenizer_.encode_plain(*from, at, end - begin)
                                    : tokenizer_.encode(*from, at, end - begin, plan_.limit);
  });
  return out;
}

/// Of the group's texts, which begin at `first` among those of the call.
void Encoding::count(const GroupTokens& tokens, Index first, Index count) {
  for (const Tokens& chunk : tokens.chunks) fates_.cut += chunk.cut;
  const Index before = plan_.prompt_ids + (plan_.chunk ? 0 : tokenizer_.prefix().size());
  const Index after = plan_.chunk ? 0 : tokenizer_.suffix().size();
  for (Index i = 0; i < count; ++i) {
    const auto ids = tokens[i];
    const Index own = ids.size() > before + after ? ids.size() - before - after : 0;
    fates_.unknown[first + i] = !tokenizer_.knows_any(ids.subspan(std::min(before, ids.size()), own));
  }
}

std::vector<Window> Encoding::windows(const GroupTokens& tokens, Index count) const {
  std::vector<Window> out;
  for (Index i = 0; i < count; ++i) {
    const Index length = tokens[i].size();
    if (!plan_.chunk)
      out.push_back({i, 0, length, length});
    else
      cut_windows(i, length - std::min(length, plan_.prompt_ids), plan_.room, plan_.overlap, out);
  }
  return out;
}

/// The ids that go through the model: as tokenized, or under `chunk` a window with the prompt and the special
/// tokens around it.
void Encoding::gather(const GroupTokens& tokens, const Window& window,
                      std::vector<std::uint32_t>& ids) const {
  const auto own = tokens[window.text];
  const auto append = [&](std::span<const std::uint32_t> more) {
    ids.insert(ids.end(), more.begin(), more.end());
  };
  if (!plan_.chunk) return append(own);
  const Index prompt = std::min<Index>(own.size(), plan_.prompt_ids);
  append(tokenizer_.prefix());
  append(own.first(prompt));
  append(own.subspan(prompt + window.first, window.last - window.first));
  append(tokenizer_.suffix());
}

/// The vectors of some windows, in their order.
Matrix Encoding::run_piece(const GroupTokens& tokens, std::span<const Window> windows,
                           std::span<const Index> which, Scratch& scratch) const {
  scratch.ids.clear();
  scratch.starts.assign(1, 0);
  for (const Index i : which) {
    gather(tokens, windows[i], scratch.ids);
    scratch.starts.push_back(scratch.ids.size());
  }
  const MatrixView states = transformer_.forward(scratch.ids, scratch.starts, scratch.transformer);
  Matrix pooled(which.size(), model_.pooling.modes.size() * model_.transformer.hidden);
  for (Index i = 0; i < which.size(); ++i) {
    const Index first = scratch.starts[i];
    pool(model_.pooling.modes, states.slice(first, scratch.starts[i + 1] - first), plan_.left_out, pooled[i]);
  }
  return head_.apply(std::move(pooled));
}

void Encoding::run_windows(const GroupTokens& tokens, std::span<const Window> windows, MatrixSpan vectors) {
  const Index around = plan_.chunk ? plan_.limit - plan_.room : 0;
  std::vector<Index> lengths;
  for (const Window& window : windows) lengths.push_back(window.last - window.first + around);
  const Pieces pieces = cut_pieces(lengths, kPieceTokens);
  for_chunks(
      run_, pieces.size(), 1,
      [&](Index piece, Index, Index) {
        const std::span which =
            std::span(pieces.order)
                .subspan(pieces.starts[piece], pieces.starts[piece + 1] - pieces.starts[piece]);
        auto scratch = scratches_.take();
        const Matrix found = run_piece(tokens, windows, which, *scratch);
        scratches_.give(std::move(scratch));
        for (Index i = 0; i < which.size(); ++i) {
          if (!std::isfinite(kernels().dot(found[i].data(), found[i].data(), found.cols())))
            throw Error(Fault::format,
                        model_.folder.string() + ": the weights give a vector that is not finite");
          std::copy_n(found[i].data(), vectors.cols,
                      vectors[which[i]].data());  // cols: fewer under truncate_dim
        }
      },
      "encode");
}

/// The weighted mean of each text's windows [first, last) of `all`, whose vectors are `vectors`; a text may
/// begin before `first` and go on after `last`. The vector of a text's only window is taken as it is.
void Encoding::join(std::span<const Window> all, Index first, Index last, MatrixView vectors,
                    MatrixSpan result) const {
  for (Index i = first; i < last; ++i) {
    const auto row = result[all[i].text];
    const float* vector = vectors[i - first].data();
    const bool is_first = i == 0 || all[i - 1].text != all[i].text;
    const bool is_last = i + 1 == all.size() || all[i + 1].text != all[i].text;
    if (is_first && is_last) {
      std::copy_n(vector, row.size(), row.data());
      continue;
    }
    kernels().axpy(static_cast<float>(all[i].added), vector, row.data(), row.size());
    if (!is_last) continue;
    for (float& x : row) x /= static_cast<float>(all[i].last);  // the sum of all `added`
    if (unit_) normalise(row);
  }
}

void Encoding::encode(const Texts& texts, Index first, MatrixSpan result) {
  for (Index begin = 0, end; begin < result.rows; begin = end) {
    Index bytes = 0;
    for (end = begin; end < result.rows && end - begin < kGroupTexts && bytes < kGroupBytes; ++end)
      bytes += texts[first + end].size();
    const GroupTokens tokens = tokenize(texts, first + begin, end - begin);
    this->count(tokens, begin, end - begin);
    const std::vector<Window> all = windows(tokens, end - begin);
    const MatrixSpan rows = result.slice(begin, end - begin);
    if (all.size() == rows.rows) {  // one window a text: its vector is the text's
      run_windows(tokens, all, rows);
      continue;
    }
    for (Index w = 0; w < all.size(); w += kGroupWindows) {
      const Index last = std::min(w + kGroupWindows, all.size());
      Matrix vectors(last - w, result.cols);
      run_windows(tokens, std::span(all).subspan(w, last - w), vectors.span());
      join(all, w, last, vectors.view(), rows);
    }
  }
}

}  // namespace

Matrix TransformerModel::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                                const Run& run, TextFates& fates) const {
  const EncodePlan plan = make_plan(tokenizer, model, options);
  Matrix result(count, dims());
  Encoding(tokenizer, model, transformer, head, plan, unit(), run, fates).encode(texts, first, result.span());
  return result;
}

}  // namespace shoal
