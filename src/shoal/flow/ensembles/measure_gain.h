#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/texts/model_fit.h"
#include "shoal/measure/bootstrap.h"
#include "shoal/read/source.h"

namespace shoal {

/// What `ensemble evaluate` may be told.
struct MeasureGainOptions {
  std::filesystem::path input;     ///< a table of texts
  std::string label;               ///< the column of labels; or empty, and:
  std::vector<std::string> pairs;  ///< two columns of texts
  std::string score;               ///< how much the two are alike
  std::string group;  ///< rows with one value of this column are never on both sides; empty: none
  Index shots = 10;
  Index draws = 10;
  double c = 10;
  Seed seed{42};
  EncodeOptions encode;
  ReadOptions read;
};
template <class V>
void fields(MeasureGainOptions& o, V&& visit) {
  visit("shots", o.shots, "rows a label to learn from", between(1, 10'000));
  visit("draws", o.draws, "how many times they are drawn", between(2, 1000));
  visit("c", o.c, "inverse strength of the logistic regression's L2 penalty", above(0));
  visit("seed", o.seed, "start of all randomness");
}

/// One measure of the ensemble and of its parts alone.
struct Gain {
  std::string measure;  ///< "few-shot accuracy", "V-measure", "Spearman correlation"
  Measured ensemble;
  struct Part {
    std::string name;
    Measured alone;
    Measured gain;  ///< of the ensemble over it
  };
  std::vector<Part> parts;  ///< in their order
  Index best = 0;           ///< the part that is best alone
  enum class Verdict : std::uint8_t { gain, none, loss };
  Verdict verdict =
      Verdict::none;  ///< against the best part: whether the interval lies above 0, holds it, or below
};

struct GainReport {
  std::string model;
  Index rows = 0;      ///< that count: of labels, or pairs
  Index left_out = 0;  ///< without label or score, or of a label with a single row
  Index labels = 0;
  Index cut = 0, unknown = 0;
  std::vector<Gain> gains;  ///< few-shot accuracy and V-measure; or Spearman correlation
};

/// Measures what an ensemble gains over each of its parts:
///   few-shot accuracy  of a logistic regression on rows of length 1, fitted on `shots` rows a label (at most
///                      half of them), of all rows whose groups it has not seen; equal texts are a group
///   V-measure          of spherical k-means with as many clusters as labels, and the labels; five starts
///   Spearman           correlation of cosines and scores
/// Intervals: 1.96 standard deviations over groups (of V-measure rows, of Spearman pairs) and draws (starts)
/// that are drawn anew 1,000 times (500 for V-measure), the same for all models. Memory: vectors of all rows
/// by all parts. Error(argument) if the model is no ensemble or the options do not fit; Error(data) if fewer
/// than two labels have two rows, or fewer than 10 pairs have a score. Steps "read", "encode", "measure".
GainReport measure_gain(const Encoder& ensemble, const MeasureGainOptions& options, const Run& run,
                        const Notice& notice = {});

}  // namespace shoal
