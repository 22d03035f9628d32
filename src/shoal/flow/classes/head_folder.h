#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shoal/classify/head.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/measure/classification.h"

namespace shoal {

/// The report by which a folder of `classify fit` is known, and the head beside it.
inline constexpr const char* kHeadMark = "head.json";
inline constexpr const char* kHeadFile = "head.safetensors";
inline constexpr const char* kTrainingFile = "training.csv";

/// A fitted head as it lies in a folder.
struct HeadFolder {
  Head head;
  std::vector<std::string> names;         ///< of the labels
  std::string model;                      ///< name of the encoder that made the vectors; empty: not known
  Texts texts;                            ///< of the training rows; empty: they had none
  EncoderUse use = EncoderUse::sentence;  ///< which vectors of that encoder
  std::optional<Encoder> encoder;         ///< of a model's folder: it stands before the head, loaded
  std::filesystem::path profile;          ///< through which vectors are seen; empty: as they are

  /// The beginning of a training text for people: "training row 12" where there is none.
  std::string training_text(Index row) const;
};

/// Whether `classify fit` made the folder.
bool is_head(const std::filesystem::path& folder);
/// Of a folder that `classify fit` made, or of a model that gives labels (is_classifier_folder): then the
/// encoder is loaded with it. Error(file) if there is no such folder, Error(format) if it is none or damaged.
HeadFolder open_head(const std::filesystem::path& folder, const Run& run = {});
/// How rows that the head shall label are embedded. Error(argument) if a model is given beside one of its
/// own.
TextsAndVectorsOptions reading_of(const HeadFolder& folder, TextsAndVectorsOptions given);
/// Files of a head's folder that a result depends on.
std::vector<std::filesystem::path> head_inputs(const std::filesystem::path& folder);

/// Head and training.csv (row, text, labels) into a folder in the making.
void write_head(const std::filesystem::path& folder, const Head& head, const std::vector<std::string>& names,
                const Texts& texts);

/// Accuracy, F1 and a table of labels as JSON.
nlohmann::ordered_json scores_json(const ClassificationScores& scores, const std::vector<std::string>& names);
/// The same table as labels.csv.
void write_label_table(const std::filesystem::path& file, const ClassificationScores& scores,
                       const std::vector<std::string>& names);
/// What was said with some confidence and came true: multiclass the likeliest label's probability, multilabel
/// every probability. Only rows with a 1 in `counts` count.
Reliability reliability_of(HeadTask task, const Matrix& probabilities, const LabelSets& truth,
                           const std::vector<std::uint8_t>& counts);
/// Draws it.
void write_reliability(const std::filesystem::path& file, const Reliability& found);
nlohmann::ordered_json reliability_json(const Reliability& found);

}  // namespace shoal
