#pragma once

#include <span>

#include "shoal/classify/calibration.h"
#include "shoal/classify/hidden_layer.h"
#include "shoal/classify/label_sets.h"
#include "shoal/classify/linear_rule.h"
#include "shoal/core/fields.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// A perceptron of one hidden layer, learnt by AdamW.
struct PerceptronOptions {
  Index hidden = 256;           ///< width of the hidden layer, >= 1
  double dropout = 0.5;         ///< share of hidden numbers set to 0 in a step, 0..1
  double weight_decay = 1;      ///< as AdamW has it, >= 0
  double learning_rate = 2e-3;  ///< above 0
  Index n_epochs = 30;          ///< most passes over the rows, >= 1
};
template <class V>
void fields(PerceptronOptions& o, V&& visit) {
  visit("hidden", o.hidden, "width of the hidden layer of an mlp", between(1, 65536));
  visit("dropout", o.dropout, "share of hidden numbers that an mlp does without in a step",
        at_least(0).below(1));
  visit("weight_decay", o.weight_decay, "how strongly the weights of an mlp are drawn to 0", at_least(0));
  visit("learning_rate", o.learning_rate, "how far a step of an mlp goes", above(0));
  visit("n_epochs", o.n_epochs, "most passes of an mlp over the rows", between(1, 100000));
}

/// A layer and the rule that reads what it gives.
struct PerceptronRule {
  HiddenLayer hidden;
  LinearRule last;  ///< loss: of the last epoch; n_iter: the epochs whose numbers were kept
};

/// Learns logits for labels: softmax of multiclass (rows without a label say nothing), a sigmoid a label of
/// multilabel. A tenth of the rows is left out, if that is kEarlyRows or more: the epoch after which their
/// loss is smallest is kept, and it ends after five epochs that are no better. Rows are centred and scaled by
/// one number before they are learnt from; the layer that comes back takes them as they are. A label of no
/// row has logit -infinity, one of all rows kAlways. label_weights: of each label how much its rows count
/// (multilabel: rows that have it); empty: 1. balanced: as fit_softmax and fit_one_vs_rest. The same bits for
/// any number of threads. O(epochs rows d width).
PerceptronRule fit_perceptron(const Rows& x, const LabelSets& sets, HeadTask task,
                              const PerceptronOptions& options, bool balanced,
                              std::span<const double> label_weights, Seed seed, const Run& run);
inline constexpr Index kEarlyRows = 50;

}  // namespace shoal
