#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/words/attention_rows.h"

namespace shoal {

/// How much a context counts.
enum class ContextWeights : std::uint8_t {
  attention,  ///< what the encoder's heads say
  uniform,    ///< all contexts of a target alike
  counts      ///< the same, and the more the more there are: what counting pairs of words does
};
constexpr auto names_of(ContextWeights) { return std::array{"attention", "uniform", "counts"}; }

/// Whose contexts are taken.
enum class TargetWords : std::uint8_t {
  head,  ///< of a description the word that it describes
  all    ///< each of its words
};
constexpr auto names_of(TargetWords) { return std::array{"head", "all"}; }

struct ContextOptions {
  ContextWeights weights = ContextWeights::attention;
  TargetWords targets = TargetWords::all;
  std::string heads = "1.1,2.9,1.0,2.4,4.5";  ///< layer.head, from 0
  std::string layers = "1.mean,2.mean";       ///< the same; mean: of all heads of the layer
  double floor = 0.01;
  Index most = 16;
  double others = 0.3;
};
template <class V>
void fields(ContextOptions& o, V&& visit) {
  visit("weights", o.weights, "how much the words beside a word count");
  visit("targets", o.targets,
        "whose contexts are taken: the word that is described, or each word of its description");
  visit("heads", o.heads,
        "heads of the encoder whose attention from and to the described word counts: LAYER.HEAD,... from 0");
  visit("layers", o.layers,
        "the same of what the other words give: LAYER.mean,... the mean of the layer's heads");
  visit("floor", o.floor, "added to the attention of each context of the described word", at_least(0));
  visit("most", o.most, "contexts kept of a word in a description, the strongest", at_least(1));
  visit("others", o.others, "how much a word counts that is not the described one", at_least(0).at_most(1));
}

/// Words and the weighted words beside them: target t has context[starts[t]..starts[t + 1]) with weights of
/// the same places, strongest first. A target stands in one description.
struct WordContexts {
  Index words = 0;                       ///< of the vocabulary
  std::vector<std::uint32_t> target;     ///< word of each target
  std::vector<std::uint32_t> described;  ///< in which description it stands
  std::vector<std::uint64_t> starts{0};
  std::vector<std::uint32_t> context;  ///< words, never the target itself
  std::vector<float> weight;

  Index size() const { return target.size(); }
  std::span<const std::uint32_t> words_of(Index t) const {
    return {context.data() + starts[t], starts[t + 1] - starts[t]};
  }
  std::span<const float> weights_of(Index t) const {
    return {weight.data() + starts[t], starts[t + 1] - starts[t]};
  }
};

/// The contexts of all descriptions with at least two words. Attention of a described word: over its heads
/// the sum of what it gives to a context and gets from it, each divided by its mean over all rows, and the
/// floor. Of another word: the same of what it gives in the layers. Divided by their sum; the strongest are
/// kept (ties: the first). uniform: 1 / contexts, counts: 1, all of them kept. Those of other words times
/// `others`. Error(argument) if the store has no such head or layer, naming those that it has. The same for
/// any number of threads.
WordContexts contexts_of(const AttentionRows& rows, const ContextOptions& options, const Run& run);

/// Of each of the channels of a store's half floats (rows x channels) the sum over all rows. Error(format) if
/// a number is not finite.
std::vector<double> channel_sums(std::span<const std::uint16_t> halves, Index channels, const Run& run);

/// The same in the ids of another vocabulary: targets and contexts whose words are not in it are left out,
/// the weights of the others stay as they are.
WordContexts in_vocabulary(const WordContexts& contexts, const Texts& from, const Texts& to);

}  // namespace shoal
