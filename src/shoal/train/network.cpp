#include "shoal/train/network.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/encode/bert_names.h"
#include "shoal/kernels/kernels.h"
#include "shoal/train/backward_impl.h"

namespace shoal {
namespace {

// Where numbers are dropped: each place draws by a seed of its own.
constexpr Index kAfterAttention = 0, kAfterInner = 1, kInAttention = 2, kPlacesOfALayer = 3;

Seed layer_seed(const NetworkDropout& dropout, Index layer, Index place) {
  return dropout.seed.child(1 + layer * kPlacesOfALayer + place);
}

std::span<const float> row_of(const Parameters& parameters, Index place) {
  return parameters[place].value[0];
}

/// c = a b^T, a: m x k, b: n x k, each with its stride.
class Products {
 public:
  void rows(const float* a, Index a_stride, const float* b, Index b_stride, Index m, Index n, Index k,
            float* c, Index c_stride) {
    pack(b, n, k, b_stride, 1);
    kernels().gemm(a, a_stride, packed_.data(), m, n, k, nullptr, Activation::none, c, c_stride);
  }
  /// c = a b, b: k x n.
  void columns(const float* a, Index a_stride, const float* b, Index b_stride, Index m, Index n, Index k,
               float* c, Index c_stride) {
    pack(b, n, k, 1, b_stride);
    kernels().gemm(a, a_stride, packed_.data(), m, n, k, nullptr, Activation::none, c, c_stride);
  }

 private:
  void pack(const float* b, Index n, Index k, Index output_stride, Index term_stride) {
    const Index size = kernels().pack_size(n, k);
    if (packed_.cols() < size) packed_ = Matrix(1, size);
    kernels().pack(b, n, k, output_stride, term_stride, packed_.data());
  }
  Matrix packed_;
};

Matrix transposed(const Matrix& x) {
  Matrix out(x.cols(), x.rows());
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) out[j][i] = x[i][j];
  return out;
}

/// The attention of one head of one text: tokens x tokens, each row adds up to 1.
Matrix head_attention(MatrixView qkv, Index at, Index size, std::span<const float> bias, Products& products) {
  const Index tokens = qkv.rows, hidden = qkv.cols / 3;
  const float factor = 1.0f / std::sqrt(static_cast<float>(size));
  const float* query = qkv.data + at;
  Matrix out(tokens, tokens);
  products.rows(query, qkv.stride, query + hidden, qkv.stride, tokens, tokens, size, out.data(), tokens);
  for (Index i = 0; i < tokens; ++i) {
    if (!bias.empty()) {
      kernels().scale(factor, out[i].data(), tokens);
      kernels().axpy(1, bias.data() + bias.size() / 2 - i, out[i].data(), tokens);
    }
    kernels().softmax(bias.empty() ? factor : 1.0f, out[i].data(), tokens);
  }
  return out;
}

/// What dropout leaves of it: factors 0 or 1 / (1 - share). Empty without dropout.
Matrix kept_attention(const NetworkDropout& dropout, Index layer, Index text, Index head, Index heads,
                      Index tokens) {
  if (dropout.attention <= 0) return {};
  const Dropped dropped(dropout.attention,
                        layer_seed(dropout, layer, kInAttention).child(text * heads + head));
  Matrix out(tokens, tokens);
  std::fill_n(out.data(), tokens * tokens, 1.0f);
  dropped.times(0, {out.data(), tokens * tokens});
  return out;
}

void times(Matrix& x, const Matrix& by) {
  if (by.rows() == 0) return;
  for (Index i = 0; i < x.rows() * x.cols(); ++i) x.data()[i] *= by.data()[i];
}

void add_to(const Matrix& x, Matrix& to) {
  for (Index i = 0; i < x.rows(); ++i) kernels().axpy(1, x[i].data(), to[i].data(), x.cols());
}

Matrix zeros_like(const Matrix& x) { return Matrix(x.rows(), x.cols()); }

}  // namespace

Index TrainableNetwork::add(Parameters& parameters, const Weights& weights, const std::string& name,
                            Index rows, Index cols, bool decays) const {
  if (rows > 1 || decays) return parameters.add(name, weights.matrix(name, rows, cols), decays);
  Matrix value(1, cols);
  std::ranges::copy(weights.vector(name, cols), value.data());
  return parameters.add(name, std::move(value), false);
}

TrainableNetwork::Norm TrainableNetwork::add_norm(Parameters& parameters, const Weights& weights,
                                                  const std::string& name) const {
  // Old checkpoints call the scale gamma and the shift beta.
  const bool old = !weights.has(name + ".weight") && weights.has(name + ".gamma");
  Norm out;
  out.gamma = add(parameters, weights, name + (old ? ".gamma" : ".weight"), 1, config_.hidden, false);
  out.beta = add(parameters, weights, name + (old ? ".beta" : ".bias"), 1, config_.hidden, false);
  return out;
}

TrainableNetwork::Linear TrainableNetwork::add_linear(Parameters& parameters, const Weights& weights,
                                                      const std::string& name, Index outputs,
                                                      Index inputs) const {
  Linear out;
  out.weight = add(parameters, weights, name + ".weight", outputs, inputs, true);
  out.bias = add(parameters, weights, name + ".bias", 1, outputs, false);
  return out;
}

TrainableNetwork TrainableNetwork::load(const BertConfig& config, Weights weights, Parameters& parameters) {
  weights.find_prefix();
  TrainableNetwork out(config);
  const Index hidden = config.hidden;
  out.words_ =
      out.add(parameters, weights, "embeddings.word_embeddings.weight", config.vocabulary, hidden, true);
  parameters.make_table(out.words_);
  out.positions_ =
      out.add(parameters, weights, "embeddings.position_embeddings.weight", config.positions, hidden, true);
  if (config.family == Family::bert || config.family == Family::roberta)
    out.types_ =
        out.add(parameters, weights, "embeddings.token_type_embeddings.weight", config.types, hidden, true);
  out.embedding_norm_ = out.add_norm(parameters, weights, "embeddings.LayerNorm");
  if (config.family == Family::mpnet)
    out.relative_ = out.add(parameters, weights, kRelativeBias, kDistanceBuckets, config.heads, true);
  const LayerNames names = layer_names(config.family);
  for (Index i = 0; i < config.layers; ++i) {
    const std::string at = names.layers + std::to_string(i) + ".";
    Layer layer;
    for (Index part = 0; part < 3; ++part)
      layer.parts[part] =
          out.add_linear(parameters, weights, at + names.query_key_value[part], hidden, hidden);
    layer.output = out.add_linear(parameters, weights, at + names.output, hidden, hidden);
    layer.attention_norm = out.add_norm(parameters, weights, at + names.attention_norm);
    layer.inner = out.add_linear(parameters, weights, at + names.inner, config.inner, hidden);
    layer.outer = out.add_linear(parameters, weights, at + names.outer, hidden, config.inner);
    layer.final_norm = out.add_norm(parameters, weights, at + names.final_norm);
    out.layers_.push_back(std::move(layer));
  }
  out.prepare(parameters, {});
  return out;
}

Matrix TrainableNetwork::distance_bias(const Parameters& parameters) const {
  if (!relative_) return {};
  const Matrix& table = parameters[*relative_].value;
  const auto furthest = static_cast<std::ptrdiff_t>(config_.max_tokens()) - 1;
  Matrix out(config_.heads, 2 * config_.max_tokens() - 1);
  for (Index i = 0; i < out.cols(); ++i) {
    const auto row = table[distance_bucket(static_cast<std::ptrdiff_t>(i) - furthest)];
    for (Index head = 0; head < config_.heads; ++head) out[head][i] = row[head];
  }
  return out;
}

void TrainableNetwork::prepare(const Parameters& parameters, const Run& run) {
  for_chunks(run.quiet(), layers_.size(), 1, [&](Index, Index number, Index) {
    Layer& layer = layers_[number];
    const Index hidden = config_.hidden;
    Matrix stacked(3 * hidden, hidden);
    layer.stacked_bias.clear();
    for (Index part = 0; part < 3; ++part) {
      std::copy_n(parameters[layer.parts[part].weight].value.data(), hidden * hidden,
                  stacked[part * hidden].data());
      const auto bias = row_of(parameters, layer.parts[part].bias);
      layer.stacked_bias.insert(layer.stacked_bias.end(), bias.begin(), bias.end());
    }
    layer.stacked = Packed::rows(stacked);
    layer.stacked_back = Packed::columns(stacked.view());
    for (Linear* linear : {&layer.output, &layer.inner, &layer.outer}) {
      const Matrix& weight = parameters[linear->weight].value;
      linear->forward = Packed::rows(weight);
      linear->back = Packed::columns(weight.view());
    }
  });
  bias_ = distance_bias(parameters);
}

Matrix TrainableNetwork::embed(const Parameters& parameters, NetworkPass& pass, const Run& run) const {
  const Index tokens = pass.ids.size(), hidden = config_.hidden;
  pass.places.clear();
  for (Index text = 0; text + 1 < pass.starts.size(); ++text) {
    Index position = config_.first_position;
    for (Index t = pass.starts[text]; t < pass.starts[text + 1]; ++t) {
      // As BertNetwork: a padding id written in a text stays before the others.
      const bool padding = config_.first_position > 0 && pass.ids[t] == config_.padding;
      pass.places.push_back(padding ? config_.padding : position++);
    }
  }
  const Matrix &words = parameters[words_].value, &positions = parameters[positions_].value;
  pass.embedding_sum = Matrix(tokens, hidden);
  for_chunks(run.quiet(), tokens, 64, [&](Index, Index first, Index last) {
    std::vector<float> place(hidden);
    for (Index t = first; t < last; ++t) {
      std::ranges::copy(words[pass.ids[t]], pass.embedding_sum[t].begin());
      std::ranges::copy(positions[pass.places[t]], place.begin());
      if (types_) kernels().axpy(1, parameters[*types_].value.data(), place.data(), hidden);
      kernels().axpy(1, place.data(), pass.embedding_sum[t].data(), hidden);
      if (types_ && !pass.types.empty() && pass.types[t] > 0) {  // as BertNetwork: what it adds to type 0
        const Matrix& types = parameters[*types_].value;
        std::ranges::copy(types[pass.types[t]], place.begin());
        kernels().axpy(-1, types.data(), place.data(), hidden);
        kernels().axpy(1, place.data(), pass.embedding_sum[t].data(), hidden);
      }
    }
  });
  Matrix states(tokens, hidden);
  layer_norm_rows(pass.embedding_sum.view(), row_of(parameters, embedding_norm_.gamma),
                  row_of(parameters, embedding_norm_.beta), config_.epsilon, states.span(), run);
  drop(states.span(), pass.dropout.hidden, pass.dropout.seed.child(0), run);
  return states;
}

double TrainableNetwork::dropped_share(const NetworkPass& pass, Index place) const {
  // DistilBERT drops nothing of what attention gives.
  return config_.family == Family::distilbert && place == kAfterAttention ? 0 : pass.dropout.hidden;
}

void TrainableNetwork::attend(const NetworkPass& pass, MatrixView query_key_value, Index layer,
                              MatrixSpan context, const Run& run) const {
  const Index size = config_.head_size();
  for_chunks(run.quiet(), pass.starts.size() - 1, 1, [&](Index, Index text, Index) {
    const Index first = pass.starts[text], tokens = pass.starts[text + 1] - first;
    const MatrixView qkv = query_key_value.slice(first, tokens);
    Products products;
    for (Index head = 0; head < config_.heads; ++head) {
      Matrix attention = head_attention(
          qkv, head * size, size,
          bias_.rows() > 0 ? std::span<const float>(bias_[head]) : std::span<const float>(), products);
      times(attention, kept_attention(pass.dropout, layer, text, head, config_.heads, tokens));
      products.columns(attention.data(), tokens, qkv.data + 2 * config_.hidden + head * size, qkv.stride,
                       tokens, size, tokens, context[first].data() + head * size, context.stride);
    }
  });
}

Matrix TrainableNetwork::run_layer(Index number, Matrix states, const Parameters& parameters,
                                   NetworkPass& pass, const Run& run) const {
  const Layer& layer = layers_[number];
  NetworkPass::Layer& left = pass.layers[pass.keeps ? number : 0];
  const Index tokens = states.rows(), hidden = config_.hidden;
  left.in = std::move(states);
  left.query_key_value = Matrix(tokens, 3 * hidden);
  product(left.in.view(), layer.stacked, layer.stacked_bias, left.query_key_value.span(), run);
  left.context = Matrix(tokens, hidden);
  attend(pass, left.query_key_value.view(), number, left.context.span(), run);

  const auto join = [&](MatrixView a, const Linear& linear, const Matrix& residual, Index place) {
    Matrix sum(tokens, hidden);
    product(a, linear.forward, row_of(parameters, linear.bias), sum.span(), run);
    drop(sum.span(), dropped_share(pass, place), layer_seed(pass.dropout, number, place), run);
    add_to(residual, sum);
    return sum;
  };
  const auto norm = [&](const Matrix& x, const Norm& of) {
    Matrix out = zeros_like(x);
    layer_norm_rows(x.view(), row_of(parameters, of.gamma), row_of(parameters, of.beta), config_.epsilon,
                    out.span(), run);
    return out;
  };
  left.attention_sum = join(left.context.view(), layer.output, left.in, kAfterAttention);
  left.middle = norm(left.attention_sum, layer.attention_norm);
  left.inner_before = Matrix(tokens, config_.inner);
  product(left.middle.view(), layer.inner.forward, row_of(parameters, layer.inner.bias),
          left.inner_before.span(), run);
  Matrix inner = left.inner_before;
  for_chunks(run.quiet(), tokens, 16, [&](Index, Index first, Index last) {
    kernels().activate(config_.activation, inner[first].data(), (last - first) * config_.inner);
  });
  left.outer_sum = join(inner.view(), layer.outer, left.middle, kAfterInner);
  return norm(left.outer_sum, layer.final_norm);
}

Matrix TrainableNetwork::forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                                 const Parameters& parameters, const NetworkDropout& dropout,
                                 NetworkPass& pass, const Run& run,
                                 std::span<const std::uint32_t> types) const {
  pass.ids.assign(ids.begin(), ids.end());
  pass.types.assign(types.begin(), types.end());
  pass.starts.assign(starts.begin(), starts.end());
  pass.dropout = dropout;
  pass.layers.resize(pass.keeps ? layers_.size() : 1);
  Matrix states = embed(parameters, pass, run);
  for (Index i = 0; i < layers_.size(); ++i) states = run_layer(i, std::move(states), parameters, pass, run);
  return states;
}

Matrix TrainableNetwork::attend_back(const NetworkPass& pass, Index layer, MatrixView slope,
                                     Parameters& parameters, const Run& run) const {
  const Matrix& query_key_value = pass.layers[layer].query_key_value;
  const Index hidden = config_.hidden, size = config_.head_size(), heads = config_.heads;
  const float factor = 1.0f / std::sqrt(static_cast<float>(size));
  Matrix out(query_key_value.rows(), 3 * hidden);
  const auto of_text = [&](Index text, Matrix& bias_gradient) {
    const Index first = pass.starts[text], tokens = pass.starts[text + 1] - first;
    const MatrixView qkv = query_key_value.view().slice(first, tokens);
    Products products;
    for (Index head = 0; head < heads; ++head) {
      const Index at = head * size;
      const Matrix attention = head_attention(
          qkv, at, size, bias_.rows() > 0 ? std::span<const float>(bias_[head]) : std::span<const float>(),
          products);
      const Matrix kept = kept_attention(pass.dropout, layer, text, head, heads, tokens);
      const float* by_context = slope[first].data() + at;
      float* to = out[first].data() + at;
      Matrix dropped = attention;
      times(dropped, kept);
      const Matrix turned = transposed(dropped);
      products.columns(turned.data(), tokens, by_context, slope.stride, tokens, size, tokens, to + 2 * hidden,
                       3 * hidden);
      Matrix by_score(tokens, tokens);  // first by attention
      products.rows(by_context, slope.stride, qkv.data + 2 * hidden + at, qkv.stride, tokens, tokens, size,
                    by_score.data(), tokens);
      times(by_score, kept);
      for (Index i = 0; i < tokens; ++i) {
        const float mean = kernels().dot(by_score[i].data(), attention[i].data(), tokens);
        for (Index j = 0; j < tokens; ++j) by_score[i][j] = attention[i][j] * (by_score[i][j] - mean);
        if (relative_)
          for (Index j = 0; j < tokens; ++j) bias_gradient[head][bias_.cols() / 2 + j - i] += by_score[i][j];
        kernels().scale(factor, by_score[i].data(), tokens);
      }
      products.columns(by_score.data(), tokens, qkv.data + hidden + at, qkv.stride, tokens, size, tokens, to,
                       3 * hidden);
      const Matrix by_key = transposed(by_score);
      products.columns(by_key.data(), tokens, qkv.data + at, qkv.stride, tokens, size, tokens, to + hidden,
                       3 * hidden);
    }
  };
  const Matrix none(relative_ ? heads : 0, relative_ ? bias_.cols() : 0);
  const Matrix bias = fold_chunks(
      run.quiet(), pass.starts.size() - 1, 1, none,
      [&](Index text, Index) {
        Matrix part = none;
        of_text(text, part);
        return part;
      },
      [](Matrix& total, Matrix&& part) { add_to(part, total); });
  if (relative_ && parameters[*relative_].learns) {
    Matrix& to = parameters[*relative_].gradient;
    const auto furthest = static_cast<std::ptrdiff_t>(config_.max_tokens()) - 1;
    for (Index i = 0; i < bias.cols(); ++i)
      for (Index head = 0; head < heads; ++head)
        to[distance_bucket(static_cast<std::ptrdiff_t>(i) - furthest)][head] += bias[head][i];
  }
  return out;
}

Matrix TrainableNetwork::layer_back(const NetworkPass& pass, Index number, Matrix slope,
                                    Parameters& parameters, const Run& run) const {
  const Layer& layer = layers_[number];
  const NetworkPass::Layer& left = pass.layers[number];
  const Index tokens = slope.rows(), hidden = config_.hidden;
  const auto norm_back = [&](const Matrix& x, const Norm& norm, Matrix& of) {
    layer_norm_back(x.view(), row_of(parameters, norm.gamma), config_.epsilon, of.span(),
                    parameters[norm.gamma], parameters[norm.beta], run);
  };
  const auto linear_back = [&](const Linear& linear, MatrixView x, const Matrix& of, Index inputs) {
    add_weight_gradient(of.view(), x, parameters[linear.weight], run);
    add_row_sum(of.view(), parameters[linear.bias], run);
    Matrix before(tokens, inputs);
    product(of.view(), linear.back, {}, before.span(), run);
    return before;
  };

  norm_back(left.outer_sum, layer.final_norm, slope);
  Matrix residual = slope;
  drop(slope.span(), dropped_share(pass, kAfterInner), layer_seed(pass.dropout, number, kAfterInner), run);
  Matrix inner = left.inner_before;
  for_chunks(run.quiet(), tokens, 16, [&](Index, Index first, Index last) {
    kernels().activate(config_.activation, inner[first].data(), (last - first) * config_.inner);
  });
  Matrix by_inner = linear_back(layer.outer, inner.view(), slope, config_.inner);
  activation_back(config_.activation, left.inner_before.view(), by_inner.span(), run);
  slope = linear_back(layer.inner, left.middle.view(), by_inner, hidden);
  add_to(residual, slope);

  norm_back(left.attention_sum, layer.attention_norm, slope);
  residual = slope;
  drop(slope.span(), dropped_share(pass, kAfterAttention), layer_seed(pass.dropout, number, kAfterAttention),
       run);
  const Matrix by_context = linear_back(layer.output, left.context.view(), slope, hidden);
  const Matrix by_parts = attend_back(pass, number, by_context.view(), parameters, run);
  for (Index part = 0; part < 3; ++part) {
    const MatrixView own{by_parts.data() + part * hidden, tokens, hidden, 3 * hidden};
    add_weight_gradient(own, left.in.view(), parameters[layer.parts[part].weight], run);
    add_row_sum(own, parameters[layer.parts[part].bias], run);
  }
  product(by_parts.view(), layer.stacked_back, {}, slope.span(), run);
  add_to(residual, slope);
  return slope;
}

void TrainableNetwork::embed_back(const NetworkPass& pass, Matrix slope, Parameters& parameters,
                                  const Run& run) const {
  drop(slope.span(), pass.dropout.hidden, pass.dropout.seed.child(0), run);
  layer_norm_back(pass.embedding_sum.view(), row_of(parameters, embedding_norm_.gamma), config_.epsilon,
                  slope.span(), parameters[embedding_norm_.gamma], parameters[embedding_norm_.beta], run);
  // Token by token: a word that occurs often is added to in their order.
  Parameter &words = parameters[words_], &positions = parameters[positions_];
  for (Index t = 0; t < slope.rows() && words.learns; ++t) {
    parameters.use_row(words_, pass.ids[t]);
    kernels().axpy(1, slope[t].data(), words.gradient[pass.ids[t]].data(), slope.cols());
  }
  for (Index t = 0; t < slope.rows() && positions.learns; ++t)
    kernels().axpy(1, slope[t].data(), positions.gradient[pass.places[t]].data(), slope.cols());
  if (!types_) return;
  if (pass.types.empty()) return add_row_sum(slope.view(), parameters[*types_], run);
  Parameter& types = parameters[*types_];
  for (Index t = 0; t < slope.rows() && types.learns; ++t)
    kernels().axpy(1, slope[t].data(), types.gradient[pass.types[t]].data(), slope.cols());
}

void TrainableNetwork::backward(const NetworkPass& pass, Matrix slope, Parameters& parameters,
                                const Run& run) const {
  // The parameters stand in the order of the forward pass: what lies before the first that learns needs no
  // slopes. MPNet's table of distances stands before all layers.
  Index first = 0;
  while (first < parameters.size() && !parameters[first].learns) ++first;
  for (Index i = layers_.size(); i-- > 0;) {
    if (layers_[i].final_norm.beta < first) return;
    slope = layer_back(pass, i, std::move(slope), parameters, run);
  }
  if (first < layers_.front().parts.front().weight) embed_back(pass, std::move(slope), parameters, run);
}

Index tokens_that_fit(const BertConfig& c) {
  constexpr double kMostPassBytes = 512.0 * 1024 * 1024;
  const double token = 4.0 * static_cast<double>(c.layers) *
                       (8.0 * static_cast<double>(c.hidden) + static_cast<double>(c.inner));
  return static_cast<Index>(std::max(1024.0, kMostPassBytes / token));
}

}  // namespace shoal
