#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/learn/parameters.h"
#include "shoal/train/network.h"

namespace shoal {

/// Of one step: shares of numbers that are set to 0.
struct CrossDropout {
  NetworkDropout network;  ///< its seed is that of the head too
  double head = 0;         ///< before the last layer, and of RoBERTa and MPNet before the layer under it
};

/// What a forward pass of CrossNetwork leaves for the backward pass.
struct CrossPass {
  NetworkPass network;
  Matrix first, before, read;  ///< first tokens as the head's first layer reads them; what it gives; what the
                               ///< last layer reads
  double dropped = 0;          ///< share dropped in the head
};

/// A cross-encoder that learns: what CrossEncoder is for use. Its weights are `parameters`: those of the
/// transformer under their names without its prefix, those of the head under their names in the folder
/// ("bert.pooler.dense.weight", "classifier.weight").
class CrossNetwork {
 public:
  /// A folder that CrossEncoder::load takes. Errors as it.
  static CrossNetwork load(const std::filesystem::path& folder);

  /// Any folder with a transformer, as of a sentence encoder, and a new last layer of so many labels: drawn
  /// from N(0, initializer_range of config.json or 0.02), biases 0. So is the layer under it, unless the
  /// folder has it (the pooler of BERT). One label: a sigmoid makes scores of logits. Error(argument) for no
  /// labels; else as Encoder::load.
  static CrossNetwork create(const std::filesystem::path& folder, Index labels, Seed seed);

  const CrossFolder& folder() const { return folder_; }
  const PairTokenizer& tokenizer() const { return tokenizer_; }
  Index labels() const { return folder_.labels.size(); }
  /// What the labels are called (id2label). Error(argument) unless there is a name for each.
  void name_labels(std::vector<std::string> names);

  Parameters parameters;

  /// Takes over values that have changed: after each step.
  void prepare(const Run& run = {});

  /// Pairs as the model reads them: cut at its limit, with its default prompt.
  PairTokens tokenize(const Texts& firsts, const Texts& seconds, const Run& run = {}) const;

  /// Dropout as the model's config says (classifier_dropout, else hidden_dropout_prob; of DistilBERT
  /// seq_classif_dropout).
  CrossDropout dropout() const { return dropout_; }

  /// What becomes of logits in use. A new model of one label has a sigmoid.
  void set_activation(ScoreActivation activation) { folder_.activation = activation; }

  /// Logits, pairs x labels: the bits of CrossEncoder::scores with logits, if nothing is dropped. `which`: of
  /// the pairs of `pairs`, as `tokenize` gives them.
  Matrix forward(const PairTokens& pairs, std::span<const Index> which, const CrossDropout& dropout,
                 CrossPass& pass, const Run& run = {}) const;  // out: pass
  /// slope: of the loss by each logit. Adds to the gradients.
  void backward(const CrossPass& pass, MatrixView slope, const Run& run = {});
  /// Logits of all pairs, nothing dropped, in parts of at most 4,096 tokens, and fewer of a large model
  /// (tokens_that_fit).
  Matrix logits(const PairTokens& pairs, const Run& run = {}) const;

  /// Writes the model into the folder `to`, which is there and empty: config.json of a
  /// ...ForSequenceClassification with names of labels and the activation, weights in float32 and the files
  /// of the tokenizer. sentence-transformers' CrossEncoder(to) and CrossEncoder::load(to) give equal scores.
  void save(const std::filesystem::path& to) const;

 private:
  struct Linear {
    Index weight = 0, bias = 0;  // places in the parameters
    Packed forward, back;
  };
  CrossNetwork(CrossFolder folder, Seed seed, bool has_head);
  void add(Linear& linear, const std::string& name, Index outputs, Index inputs, const Weights& weights,
           bool is_there, Seed seed);

  CrossFolder folder_;
  PairTokenizer tokenizer_;
  TrainableNetwork network_;
  Linear dense_, last_;
  CrossDropout dropout_;
};

}  // namespace shoal
