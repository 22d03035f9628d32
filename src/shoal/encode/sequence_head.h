#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/encode/model_folder.h"

namespace shoal {

/// The last layer of a folder whose model gives texts labels (config.json: architectures names
/// ...ForSequenceClassification): logits = weight x + bias, x the vectors that Encoder::load gives with
/// EncoderUse::features.
struct SequenceHead {
  Matrix weight;                    ///< labels x dims
  std::vector<float> bias;          ///< labels
  std::vector<std::string> labels;  ///< id2label; LABEL_0 and so on where it names none
  bool several =
      false;  ///< a sigmoid for each label (problem_type multi_label_classification, or one label
              ///< alone), else a softmax over them, as in transformers' text-classification pipeline
};

/// Whether the folder is of that kind. A sentence-transformers folder (modules.json) is not.
bool is_classifier_folder(const std::filesystem::path& folder);

/// What is wanted of the last layer.
enum class HeadUse : std::uint8_t {
  labels,  ///< problem_type regression is refused
  scores   ///< numbers as they are
};

/// Error(file), Error(format), or Error(unsupported) naming an architecture that shoal does not do, or
/// problem_type regression. O(labels dims).
SequenceHead read_sequence_head(const std::filesystem::path& folder, HeadUse use = HeadUse::labels);

/// Names of the two linear layers after the transformer, in the weights of a whole model, and what lies
/// between them.
struct HeadNames {
  const char *dense, *last;
  Activation activation;
};
HeadNames head_names(Family family);

/// The steps between a transformer's tokens and that last layer: a Dense on the first token. Error(format) if
/// config.json names no model for sequence classification, Error(unsupported) for one that shoal does not do.
HeadStep feature_step(const std::filesystem::path& folder, const BertConfig& transformer);

}  // namespace shoal
