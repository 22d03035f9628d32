#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/encode/cross_encoder.h"
#include "shoal/read/source.h"

namespace shoal {

/// What `shoal score` may be told.
struct ScorePairsOptions {
  std::string model;                    ///< a name or a folder: of a cross-encoder, or of an encoder
  std::filesystem::path models_folder;  ///< where names of models are looked up
  std::filesystem::path input;          ///< a table of pairs; "-" is standard input
  std::filesystem::path out;            ///< .csv or .jsonl
  std::vector<std::string> columns;     ///< two, of texts; empty: found
  bool overwrite = false;
  bool rank = false;         ///< ordered by the score within each first text
  std::optional<Index> top;  ///< of each first text the best so many; with `rank`
  ReadOptions read;          ///< text_columns is not looked at
  ScoreOptions score;        ///< scale is of cross-encoders
};
template <class V>
void fields(ScorePairsOptions& o, V&& visit) {
  visit("rank", o.rank,
        "order the rows by their score within each first text, the best first, and add a column rank");
  visit("top", o.top, "with --rank: keep the best so many of each first text", at_least(1));
}

struct ScorePairsReport {
  std::vector<std::string> columns;  ///< the two of texts
  std::vector<std::string> scores;   ///< the columns that were added
  bool cross = false;                ///< by a cross-encoder; else the cosine of an encoder's vectors
  std::string model;                 ///< its id
  Index rows = 0;                    ///< that were read
  Index written = 0;
  Index queries = 0;  ///< different first texts
  Index cut = 0;      ///< pairs (of an encoder: texts) over the limit
  ReadReport read;
  bool done_before = false;  ///< `out` was there, made from the same table with the same options; the rest
                             ///< but `rows` and `written` is empty
};

/// Scores each pair of the table and writes the table again, with a column "score" behind its own, or one a
/// label, "score_LABEL", if the model has several. One of its own that is called so becomes "NAME (2)". The
/// two columns of texts: those named, else by their names (docs/cross.md lists them), else the only two.
/// An encoder gets its prompts as from evaluate: the first text is a query, the second a document, but both
/// are plain texts where the first is called sentence1, text_a, question1, premise or alike; `score.prompt`
/// is that of both. Error(argument) if `out` exists, is anything else and not to be overwritten, if it is the
/// input itself, if its ending says no format, if columns are not there, listing those that are, if `rank`
/// meets several labels, or an option is of the other kind of model; Error(data) for a table of no rows; else
/// as CrossEncoder::load and scores, Encoder::load and encode. Memory: the whole table. Steps "load model",
/// "read", "score" or "encode".
ScorePairsReport score_pairs(const ScorePairsOptions& options, const Run& run);

}  // namespace shoal
