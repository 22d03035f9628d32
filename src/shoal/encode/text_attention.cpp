#include "shoal/encode/text_attention.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/windows.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

/// As of what is embedded, but smaller: of each text all its tokens' pairs are kept until it is taken.
constexpr Index kPieceTokens = 512;
constexpr Index kGroupTexts = 16384, kGroupBytes = Index{8} << 20;
constexpr Index kTokenizedAtOnce = 128;

/// The channels that a head of a layer is part of.
struct Use {
  Index channel = 0;
  bool mean = false;
};

/// By layer and head.
std::vector<std::vector<std::vector<Use>>> uses_of(std::span<const LayerHead> channels,
                                                   const HeadCounts& counts) {
  std::vector<std::vector<std::vector<Use>>> out(counts.layers, std::vector<std::vector<Use>>(counts.heads));
  for (Index c = 0; c < channels.size(); ++c) {
    const auto [layer, head] = channels[c];
    const bool fits = layer >= 0 && static_cast<Index>(layer) < counts.layers && head >= -1 &&
                      (head < 0 || static_cast<Index>(head) < counts.heads);
    require(fits, Fault::argument, "the model has no attention head " + heads_text(channels.subspan(c, 1)));
    auto& of_layer = out[static_cast<Index>(layer)];
    for (Index h = 0; h < counts.heads; ++h)
      if (head < 0 || h == static_cast<Index>(head)) of_layer[h].push_back({c, head < 0});
  }
  return out;
}

/// One call of Encoder::attention.
class Reading {
 public:
  Reading(const TransformerModel& model, const EncodePlan& plan, std::span<const LayerHead> channels,
          const Run& run, const TakeTextAttention& take)
      : model_(model),
        plan_(plan),
        counts_{model.model.transformer.layers, model.model.transformer.heads},
        channels_(channels.size()),
        uses_(uses_of(channels, counts_)),
        run_(run),
        take_(take) {
    for (const LayerHead& one : channels) layers_ = std::max(layers_, static_cast<Index>(one.layer) + 1);
  }

  void run(const Texts& texts, Index first, Index count);

 private:
  void run_group(const std::vector<PlacedTokens>& tokens, Index first, Index count) const;
  void run_piece(const std::vector<PlacedTokens>& tokens, std::span<const Index> which, Index first) const;

  const TransformerModel& model_;
  const EncodePlan& plan_;
  HeadCounts counts_;
  Index channels_;
  Index layers_ = 0;  // those that are computed
  std::vector<std::vector<std::vector<Use>>> uses_;
  const Run& run_;
  const TakeTextAttention& take_;
};

void Reading::run_piece(const std::vector<PlacedTokens>& tokens, std::span<const Index> which,
                        Index first) const {
  std::vector<std::uint32_t> ids, begins, ends;
  std::vector<Index> starts{0}, weight_starts{0};
  for (const Index i : which) {
    const PlacedTokens& chunk = tokens[i / kTokenizedAtOnce];
    const auto own = chunk[i % kTokenizedAtOnce];
    ids.insert(ids.end(), own.begin(), own.end());
    for (Index t = 0; t < own.size(); ++t) {
      const TokenPlace place = chunk.places[chunk.starts[i % kTokenizedAtOnce] + t];
      begins.push_back(place.begin);
      ends.push_back(place.end);
    }
    starts.push_back(ids.size());
    weight_starts.push_back(weight_starts.back() + channels_ * own.size() * own.size());
  }
  std::vector<float> weights(weight_starts.back());
  const float share = 1.0f / static_cast<float>(counts_.heads);
  BertScratch scratch;
  model_.transformer.attention(
      ids, starts, layers_,
      [&](Index layer, Index text, Index head, Index query, MatrixView scores) {
        for (const Use& use : uses_[layer][head]) {
          float* to =
              weights.data() + weight_starts[text] + (use.channel * scores.cols + query) * scores.cols;
          if (use.mean)
            kernels().axpy(share, scores.data, to, scores.rows * scores.cols);
          else
            std::copy_n(scores.data, scores.rows * scores.cols, to);
        }
      },
      scratch);
  for (Index i = 0; i < which.size(); ++i) {
    const Index at = starts[i], n = starts[i + 1] - at;
    const std::span own =
        std::span<const float>(weights).subspan(weight_starts[i], weight_starts[i + 1] - weight_starts[i]);
    require(std::isfinite(kernels().sum(own.data(), own.size())), Fault::format,
            model_.model.folder.string() + ": the weights give attention that is not finite");
    take_({.text = first + which[i],
           .ids = std::span<const std::uint32_t>(ids).subspan(at, n),
           .begins = std::span<const std::uint32_t>(begins).subspan(at, n),
           .ends = std::span<const std::uint32_t>(ends).subspan(at, n),
           .cut = tokens[which[i] / kTokenizedAtOnce].is_cut[which[i] % kTokenizedAtOnce] != 0,
           .weights = own});
  }
}

void Reading::run_group(const std::vector<PlacedTokens>& tokens, Index first, Index count) const {
  std::vector<Index> lengths(count);
  for (Index i = 0; i < count; ++i) lengths[i] = tokens[i / kTokenizedAtOnce][i % kTokenizedAtOnce].size();
  const Pieces pieces = cut_pieces(lengths, kPieceTokens);
  for_chunks(
      run_, pieces.size(), 1,
      [&](Index piece, Index, Index) {
        run_piece(tokens,
                  std::span(pieces.order)
                      .subspan(pieces.starts[piece], pieces.starts[piece + 1] - pieces.starts[piece]),
                  first);
      },
      "attention");
}

void Reading::run(const Texts& texts, Index first, Index count) {
  for (Index begin = 0, end; begin < count; begin = end) {
    Index bytes = 0;
    for (end = begin; end < count && end - begin < kGroupTexts && bytes < kGroupBytes; ++end)
      bytes += texts[first + end].size();
    std::vector<PlacedTokens> tokens(chunk_count(end - begin, kTokenizedAtOnce));
    for_chunks(run_, end - begin, kTokenizedAtOnce, [&](Index chunk, Index from, Index to) {
      tokens[chunk] = model_.placed_tokens(texts, first + begin + from, to - from, plan_);
    });
    run_group(tokens, first + begin, end - begin);
  }
}

std::optional<Index> number(std::string_view text) {
  Index out = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (fault != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string heads_text(std::span<const LayerHead> heads) {
  std::string out;
  for (const LayerHead& one : heads) {
    out += (out.empty() ? "" : ",") + std::to_string(one.layer) + ".";
    out += one.head < 0 ? "mean" : std::to_string(one.head);
  }
  return out;
}

std::vector<LayerHead> read_heads(std::string_view text, const HeadCounts& counts, std::string_view option) {
  const std::string whole(text);
  const auto refuse = [&](std::string_view part) {
    return Error(Fault::argument,
                 option_name(option) + " is " + whole + (part == text ? "" : ", with " + std::string(part)) +
                     "; allowed are all, mean, or a list of LAYER.HEAD, LAYER.mean and LAYER; layers of this "
                     "model are 0 to " +
                     std::to_string(counts.layers - 1) + ", heads 0 to " + std::to_string(counts.heads - 1));
  };
  std::vector<LayerHead> out;
  const auto add_layer = [&](Index layer) {
    for (Index h = 0; h < counts.heads; ++h) out.push_back({static_cast<int>(layer), static_cast<int>(h)});
  };
  if (text == "all" || text == "mean") {
    for (Index l = 0; l < counts.layers; ++l)
      text == "all" ? add_layer(l) : out.push_back({static_cast<int>(l), -1});
    return out;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    at = end + 1;
    const std::size_t dot = part.find('.');
    const auto layer = number(part.substr(0, dot));
    if (!layer || *layer >= counts.layers) throw refuse(part);
    if (dot == part.npos) {
      add_layer(*layer);
      continue;
    }
    const auto head = number(part.substr(dot + 1));
    const bool mean = part.substr(dot + 1) == "mean";
    if (!mean && (!head || *head >= counts.heads)) throw refuse(part);
    out.push_back({static_cast<int>(*layer), mean ? -1 : static_cast<int>(*head)});
  }
  for (Index i = 0; i < out.size(); ++i)
    if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) !=
        out.begin() + static_cast<std::ptrdiff_t>(i))
      throw Error(Fault::argument, option_name(option) + " has " + heads_text(std::span(out).subspan(i, 1)) +
                                       " more than once");
  return out;
}

PlacedTokens TransformerModel::placed_tokens(const Texts& texts, Index first, Index count,
                                             const EncodePlan& plan) const {
  if (plan.prompt.empty()) return tokenizer.encode_placed(texts, first, count, plan.limit);
  Texts prompted;
  for (Index i = 0; i < count; ++i) prompted.add(plan.prompt + std::string(texts[first + i]));
  PlacedTokens out = tokenizer.encode_placed(prompted, 0, count, plan.limit);
  const auto before = static_cast<std::uint32_t>(plan.prompt.size());
  for (TokenPlace& place : out.places)
    place = {place.begin > before ? place.begin - before : 0, place.end > before ? place.end - before : 0};
  return out;
}

namespace {

EncodePlan one_window(const TransformerModel& model, const EncodeOptions& options) {
  EncodePlan plan = make_plan(model.tokenizer, model.model, options);
  require(!plan.chunk, Fault::argument,
          option_name("long") +
              " is chunk; attention is between the tokens that the model sees at once: truncate is allowed");
  return plan;
}

void check_range(const Texts& texts, Index first, Index count) {
  if (first > texts.size() || count > texts.size() - first)
    throw Error(Fault::argument, "texts " + std::to_string(first) + ".." + std::to_string(first + count) +
                                     " were asked for, of " + std::to_string(texts.size()));
}

const TransformerModel& transformer_in(const Encoder& encoder) {
  const auto* model = std::get_if<TransformerModel>(&encoder.state().model);
  require(model != nullptr, Fault::unsupported,
          encoder.name() + " has no attention: it is of the kind " + std::string(name_of(encoder.kind())) +
              "; a transformer is needed" +
              (encoder.kind() == ModelKind::ensemble ? ", such as one of its parts" : ""));
  return *model;
}

}  // namespace

std::optional<HeadCounts> Encoder::head_counts() const {
  const auto* model = std::get_if<TransformerModel>(&state_->model);
  if (model == nullptr) return std::nullopt;
  return HeadCounts{model->model.transformer.layers, model->model.transformer.heads};
}

PlacedTokens Encoder::placed_tokens(const Texts& texts, Index first, Index count,
                                    const EncodeOptions& options) const {
  const TransformerModel& model = transformer_in(*this);
  check_range(texts, first, count);
  return model.placed_tokens(texts, first, count, one_window(model, options));
}

void Encoder::attention(const Texts& texts, Index first, Index count, std::span<const LayerHead> channels,
                        const EncodeOptions& options, const Run& run, const TakeTextAttention& take) const {
  const TransformerModel& model = transformer_in(*this);
  check_range(texts, first, count);
  const EncodePlan plan = one_window(model, options);
  Reading(model, plan, channels, run, take).run(texts, first, count);
}

}  // namespace shoal
