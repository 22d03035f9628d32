#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "shoal/encode/bert_network.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

/// What the parts of layer i are called after "PREFIX.i.".
struct LayerNames {
  const char* layers;
  std::array<const char*, 3> query_key_value;
  const char *output, *attention_norm, *inner, *outer, *final_norm;
};

LayerNames names_of(Family family) {
  switch (family) {
    case Family::distilbert:
      return {"transformer.layer.", {"attention.q_lin", "attention.k_lin", "attention.v_lin"},
              "attention.out_lin",  "sa_layer_norm",
              "ffn.lin1",           "ffn.lin2",
              "output_layer_norm"};
    case Family::mpnet:
      return {"encoder.layer.",     {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
              "attention.attn.o",   "attention.LayerNorm",
              "intermediate.dense", "output.dense",
              "output.LayerNorm"};
    case Family::bert:
    case Family::roberta:
      break;
  }
  return {"encoder.layer.",         {"attention.self.query", "attention.self.key", "attention.self.value"},
          "attention.output.dense", "attention.output.LayerNorm",
          "intermediate.dense",     "output.dense",
          "output.LayerNorm"};
}

/// Old checkpoints call the scale gamma and the shift beta.
LayerNorm read_norm(const Weights& weights, const std::string& name, Index size) {
  if (!weights.has(name + ".weight") && weights.has(name + ".gamma"))
    return {weights.vector(name + ".gamma", size), weights.vector(name + ".beta", size)};
  return {weights.vector(name + ".weight", size), weights.vector(name + ".bias", size)};
}

LinearLayer read_linear(const Weights& weights, const std::string& name, Index outputs, Index inputs) {
  return {Packed::rows(weights.matrix(name + ".weight", outputs, inputs)),
          weights.vector(name + ".bias", outputs)};
}

/// Three hidden x hidden matrices on top of each other.
LinearLayer read_stacked(const Weights& weights, const std::string& layer,
                         const std::array<const char*, 3>& names, Index hidden) {
  for (const char* name : names) weights.expect(layer + name + ".weight", {hidden, hidden});
  Matrix stacked(3 * hidden, hidden);
  std::vector<float> bias;
  for (Index part = 0; part < names.size(); ++part) {
    const Matrix one = weights.matrix(layer + names[part] + ".weight", hidden, hidden);
    std::copy_n(one.data(), hidden * hidden, stacked[part * hidden].data());
    const std::vector<float> shift = weights.vector(layer + names[part] + ".bias", hidden);
    bias.insert(bias.end(), shift.begin(), shift.end());
  }
  return {Packed::rows(stacked.view()), std::move(bias)};
}

BertLayer read_layer(const Weights& weights, const BertConfig& config, Index number) {
  const LayerNames names = names_of(config.family);
  const std::string at = names.layers + std::to_string(number) + ".";
  return {.query_key_value = read_stacked(weights, at, names.query_key_value, config.hidden),
          .output = read_linear(weights, at + names.output, config.hidden, config.hidden),
          .attention_norm = read_norm(weights, at + names.attention_norm, config.hidden),
          .inner = read_linear(weights, at + names.inner, config.inner, config.hidden),
          .outer = read_linear(weights, at + names.outer, config.hidden, config.inner),
          .final_norm = read_norm(weights, at + names.final_norm, config.hidden)};
}

/// BERT and RoBERTa add the vector of token type 0 to every token: it goes into the positions once.
Matrix read_positions(const Weights& weights, const BertConfig& config) {
  Matrix positions = weights.matrix("embeddings.position_embeddings.weight", config.positions, config.hidden);
  if (config.family != Family::bert && config.family != Family::roberta) return positions;
  const std::string name = "embeddings.token_type_embeddings.weight";
  const Matrix types = weights.matrix(name, config.types, config.hidden);
  for (Index i = 0; i < positions.rows(); ++i)
    kernels().axpy(1.0f, types.data(), positions[i].data(), config.hidden);
  return positions;
}

/// Which of the 32 rows of MPNet's (T5's) bias table belongs to a key `distance` places after its query: one
/// row for each of 8 near distances, then rows that widen by the logarithm up to 128; the second half of the
/// table is for keys behind. floor(log(d / 8) / log(16) * 8) in whole numbers.
Index bucket(std::ptrdiff_t distance) {
  constexpr Index kHalf = 16, kNear = 8;
  const Index half = distance > 0 ? kHalf : 0;
  const Index d = static_cast<Index>(distance > 0 ? distance : -distance);
  if (d < kNear) return half + d;
  Index step = 0;
  while (step + 1 < kNear && d * d >= (Index{128} << step)) ++step;
  return half + kNear + step;
}

Matrix read_relative_bias(const Weights& weights, const BertConfig& config) {
  constexpr Index kBuckets = 32;
  const Matrix table = weights.matrix("encoder.relative_attention_bias.weight", kBuckets, config.heads);
  const Index furthest = config.max_tokens() - 1;
  Matrix bias(config.heads, 2 * furthest + 1);
  for (Index i = 0; i < bias.cols(); ++i) {
    const auto row = table[bucket(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(furthest))];
    for (Index head = 0; head < config.heads; ++head) bias[head][i] = row[head];
  }
  return bias;
}

}  // namespace

BertNetwork BertNetwork::load(const BertConfig& config, Weights weights) {
  weights.find_prefix();
  BertNetwork out(config);
  out.words_ = weights.table("embeddings.word_embeddings.weight", config.vocabulary, config.hidden);
  out.positions_ = read_positions(weights, config);
  out.embedding_norm_ = read_norm(weights, "embeddings.LayerNorm", config.hidden);
  if (config.family == Family::mpnet) out.bias_ = read_relative_bias(weights, config);
  for (Index i = 0; i < config.layers; ++i) out.layers_.push_back(read_layer(weights, config, i));
  return out;
}

}  // namespace shoal
