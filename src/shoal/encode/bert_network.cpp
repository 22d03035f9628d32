#include "shoal/encode/bert_network.h"

#include <algorithm>

#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

/// Grows a block of scratch to rows x cols; its content is lost.
MatrixSpan shaped(Matrix& block, Index rows, Index cols) {
  if (block.rows() * block.cols() < rows * cols) block = Matrix(1, rows * cols);
  return {block.data(), rows, cols, cols};
}

/// states = norm(states + sum), row by row.
void add_and_normalise(MatrixSpan states, MatrixSpan sum, const LayerNorm& norm, float epsilon) {
  const Kernels& kernel = kernels();
  for (Index i = 0; i < states.rows; ++i) {
    kernel.axpy(1.0f, states[i].data(), sum[i].data(), states.cols);
    kernel.layer_norm(sum[i].data(), norm.gamma.data(), norm.beta.data(), epsilon, states.cols,
                      states[i].data());
  }
}

}  // namespace

void BertNetwork::embed(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                        std::span<const std::uint32_t> types, MatrixSpan states) const {
  const Kernels& kernel = kernels();
  std::vector<float> row(config_.hidden);
  for (Index text = 0; text + 1 < starts.size(); ++text) {
    Index position = config_.first_position;
    for (Index t = starts[text]; t < starts[text + 1]; ++t) {
      // RoBERTa and MPNet number the tokens that are not padding; a padding id written in a text stays
      // before.
      const bool padding = config_.first_position > 0 && ids[t] == config_.padding;
      const Index place = padding ? config_.padding : position++;
      words_->read(ids[t], row);
      kernel.axpy(1.0f, positions_[place].data(), row.data(), config_.hidden);
      if (!types.empty() && types[t] > 0)
        kernel.axpy(1.0f, types_[types[t]].data(), row.data(), config_.hidden);
      kernel.layer_norm(row.data(), embedding_norm_.gamma.data(), embedding_norm_.beta.data(),
                        config_.epsilon, config_.hidden, states[t].data());
    }
  }
}

void BertNetwork::attend_all(const BertLayer& layer, std::span<const Index> starts, MatrixView states,
                             BertScratch& scratch, MatrixSpan context,
                             const std::function<TakeScores(Index text)>* take) const {
  const Matrix* bias = bias_ ? &*bias_ : nullptr;
  const MatrixSpan qkv = shaped(scratch.query_key_value, states.rows, 3 * config_.hidden);
  multiply(states, layer.query_key_value.weight, layer.query_key_value.bias, Activation::none, qkv);
  for (Index text = 0; text + 1 < starts.size(); ++text) {
    const Index first = starts[text], count = starts[text + 1] - first;
    const MatrixSpan own = context.data != nullptr
                               ? context.slice(first, count)
                               : MatrixSpan{nullptr, count, config_.hidden, config_.hidden};
    if (take == nullptr) {
      attend(qkv.slice(first, count), config_.heads, bias, scratch.attention, own);
    } else {
      const TakeScores of_text = (*take)(text);
      attend(qkv.slice(first, count), config_.heads, bias, scratch.attention, own, &of_text);
    }
  }
}

void BertNetwork::finish(const BertLayer& layer, MatrixView context, MatrixSpan states,
                         BertScratch& scratch) const {
  constexpr Index kBlockRows = 256;  // the inner activations of a block stay in the second cache
  const Index tokens = states.rows, hidden = config_.hidden;
  const MatrixSpan sums = shaped(scratch.sum, std::min(tokens, kBlockRows), hidden);
  const MatrixSpan inners = shaped(scratch.inner, std::min(tokens, kBlockRows), config_.inner);
  for (Index first = 0; first < tokens; first += kBlockRows) {
    const Index count = std::min(kBlockRows, tokens - first);
    const MatrixSpan block = states.slice(first, count), sum = sums.slice(0, count),
                     inner = inners.slice(0, count);
    multiply(context.slice(first, count), layer.output.weight, layer.output.bias, Activation::none, sum);
    add_and_normalise(block, sum, layer.attention_norm, config_.epsilon);
    multiply(block, layer.inner.weight, layer.inner.bias, config_.activation, inner);
    multiply(inner, layer.outer.weight, layer.outer.bias, Activation::none, sum);
    add_and_normalise(block, sum, layer.final_norm, config_.epsilon);
  }
}

void BertNetwork::run(const BertLayer& layer, std::span<const Index> starts, MatrixSpan states,
                      BertScratch& scratch) const {
  const MatrixSpan context = shaped(scratch.context, states.rows, config_.hidden);
  attend_all(layer, starts, states, scratch, context, nullptr);
  finish(layer, context, states, scratch);
}

void BertNetwork::attention(std::span<const std::uint32_t> ids, std::span<const Index> starts, Index layers,
                            const TakeAttention& take, BertScratch& scratch) const {
  const MatrixSpan states = shaped(scratch.states, ids.size(), config_.hidden);
  const MatrixSpan context = shaped(scratch.context, ids.size(), config_.hidden);
  embed(ids, starts, {}, states);
  for (Index l = 0; l < layers; ++l) {
    const std::function<TakeScores(Index)> of_text = [&](Index text) -> TakeScores {
      return [&take, l, text](Index head, Index first, MatrixView scores) {
        take(l, text, head, first, scores);
      };
    };
    const bool last = l + 1 == layers;
    attend_all(layers_[l], starts, states, scratch, last ? MatrixSpan{} : context, &of_text);
    if (!last) finish(layers_[l], context, states, scratch);
  }
}

MatrixView BertNetwork::forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                                BertScratch& scratch, std::span<const std::uint32_t> types) const {
  const MatrixSpan states = shaped(scratch.states, ids.size(), config_.hidden);
  embed(ids, starts, types, states);
  for (const BertLayer& layer : layers_) run(layer, starts, states, scratch);
  return states;
}

}  // namespace shoal
