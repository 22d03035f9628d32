#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "shoal/encode/bert_names.h"
#include "shoal/encode/bert_network.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

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
  const LayerNames names = layer_names(config.family);
  const std::string at = names.layers + std::to_string(number) + ".";
  return {.query_key_value = read_stacked(weights, at, names.query_key_value, config.hidden),
          .output = read_linear(weights, at + names.output, config.hidden, config.hidden),
          .attention_norm = read_norm(weights, at + names.attention_norm, config.hidden),
          .inner = read_linear(weights, at + names.inner, config.inner, config.hidden),
          .outer = read_linear(weights, at + names.outer, config.hidden, config.inner),
          .final_norm = read_norm(weights, at + names.final_norm, config.hidden)};
}

bool has_types(const BertConfig& config) {
  return config.family == Family::bert || config.family == Family::roberta;
}

/// BERT and RoBERTa add the vector of a token's type. Nearly always it is type 0: that goes into the
/// positions once, and what other types add to it is kept.
Matrix read_positions(const Weights& weights, const BertConfig& config, Matrix& types) {
  Matrix positions = weights.matrix("embeddings.position_embeddings.weight", config.positions, config.hidden);
  if (!has_types(config)) return positions;
  types = weights.matrix("embeddings.token_type_embeddings.weight", config.types, config.hidden);
  for (Index i = 0; i < positions.rows(); ++i)
    kernels().axpy(1.0f, types.data(), positions[i].data(), config.hidden);
  for (Index i = types.rows(); i-- > 0;) kernels().axpy(-1.0f, types.data(), types[i].data(), config.hidden);
  return positions;
}

Matrix read_relative_bias(const Weights& weights, const BertConfig& config) {
  const Matrix table = weights.matrix(kRelativeBias, kDistanceBuckets, config.heads);
  const Index furthest = config.max_tokens() - 1;
  Matrix bias(config.heads, 2 * furthest + 1);
  for (Index i = 0; i < bias.cols(); ++i) {
    const auto row =
        table[distance_bucket(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(furthest))];
    for (Index head = 0; head < config.heads; ++head) bias[head][i] = row[head];
  }
  return bias;
}

}  // namespace

BertNetwork BertNetwork::load(const BertConfig& config, Weights weights) {
  weights.find_prefix();
  BertNetwork out(config);
  out.words_ = weights.table("embeddings.word_embeddings.weight", config.vocabulary, config.hidden);
  out.positions_ = read_positions(weights, config, out.types_);
  out.embedding_norm_ = read_norm(weights, "embeddings.LayerNorm", config.hidden);
  if (config.family == Family::mpnet) out.bias_ = read_relative_bias(weights, config);
  for (Index i = 0; i < config.layers; ++i) out.layers_.push_back(read_layer(weights, config, i));
  return out;
}

}  // namespace shoal
