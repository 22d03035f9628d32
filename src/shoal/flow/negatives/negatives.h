#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/evaluation/embedders.h"
#include "shoal/flow/negatives/mine.h"
#include "shoal/read/source.h"

namespace shoal {

/// How rows with negatives are written.
enum class NegativesFormat : std::uint8_t {
  triplet,      ///< anchor, positive, negative: a row for each negative of each positive
  n_tuple,      ///< anchor, positive, negative_1, ..., negative_n: a row for each positive that has all n
  labeled_pair  ///< anchor, passage, label: a row for each positive (1) and each negative (0)
};
constexpr auto names_of(NegativesFormat) { return std::array{"triplet", "n-tuple", "labeled-pair"}; }

struct NegativesOptions {
  std::filesystem::path input;   ///< a table of anchors and positives
  std::filesystem::path corpus;  ///< further passages; empty: the positives alone
  std::filesystem::path out;     ///< .csv, .tsv or .jsonl
  bool overwrite = false;
  std::vector<std::string> columns;  ///< of the input: anchor, positive; empty: found
  NegativesFormat output_format = NegativesFormat::triplet;
  bool output_scores = false;
  MineOptions mine;
  RolePrompts prompts;
  EncodeOptions encode;
  ReadOptions read;
  ScorePairs judge;      ///< empty: cosines of the encoder's vectors
  std::string judge_id;  ///< what the judge is, for the receipt
};
template <class V>
void fields(NegativesOptions& o, V&& visit) {
  visit("output_format", o.output_format, "what the rows of OUT are");
  visit("output_scores", o.output_scores,
        "a column of scores: a list of the positive's and each negative's; in labeled-pair the score instead "
        "of the label");
}

/// Mean, median, least and largest of scores.
struct ScoreSummary {
  Index count = 0;
  double mean = 0, median = 0, least = 0, largest = 0;
};

/// A passage that scores above the anchor's positive.
struct FalseNegative {
  std::string anchor, positive, passage;
  float positive_score = 0, score = 0;
};

struct NegativesReport {
  bool done_before = false;      ///< all below but `rows` is not known then
  Index rows = 0;                ///< written
  Index anchors = 0, pairs = 0;  ///< different ones
  Index passages = 0;            ///< among which was searched
  Index blank = 0;               ///< rows left out: an empty anchor or positive
  Mined mined;                   ///< `anchors` is empty
  Index short_of = 0;            ///< anchors with fewer negatives than wanted
  Index without = 0;             ///< of them, with none
  ScoreSummary positive, negative,
      difference;                       ///< of pairs; of negatives; of each positive over each negative
  std::vector<FalseNegative> examples;  ///< at most five, those furthest above their positive
  EncodeCounts counts;
  ReadReport read;
};

/// Finds hard negatives of the anchors of a table and writes them, whole or not at all, with a receipt. Rows
/// of one anchor are one: all their positives are kept from its negatives, and so is its own text.
/// Error(argument) for columns that are not there, an ending that is no format, or a file that exists and is
/// not of this command; Error(data) for a single passage. Steps "read", "encode", "neighbours", "judge".
NegativesReport write_negatives(const Encoder& encoder, const NegativesOptions& options, const Run& run);

}  // namespace shoal
