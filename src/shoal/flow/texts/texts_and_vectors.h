#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/texts/model_fit.h"
#include "shoal/read/source.h"

namespace shoal {

/// How rows with their vectors are read from a collection, a file of texts, or vectors.
struct TextsAndVectorsOptions {
  std::string model;                    ///< a name or a folder (find_model); for files of texts
  std::filesystem::path models_folder;  ///< where names of models are looked up
  EncoderUse use = EncoderUse::sentence;
  std::optional<Encoder> encoder;  ///< instead of `model`: one that is loaded already
  /// The vectors of the input's rows, in its order. Used if it is there, else made there. Empty: for a file
  /// of texts, FILE.MODEL.safetensors beside it.
  std::filesystem::path vectors;
  std::filesystem::path profile;  ///< the vectors are seen through it (Profile::applied); empty: as they are
  ReadOptions read;
  EncodeOptions encode;
};

/// Rows of texts, the columns that were asked for, and a vector for each.
struct TextsAndVectors {
  Rows vectors{MatrixView{}};
  Texts texts;                            ///< empty if the input is vectors alone
  std::vector<Texts> columns;             ///< those asked for, in that order; each as long as vectors.rows()
  std::filesystem::path vectors_file;     ///< where the vectors of a file of texts are kept; empty: nowhere
  std::optional<ReadReport> read;         ///< of a file of texts
  std::vector<std::string> text_columns;  ///< of a file of texts
  Index embedded = 0;                     ///< rows that were embedded now, not before
  Index cut = 0, unknown = 0, first_unknown = 0;  ///< as EncodeCounts, of the rows of a file of texts

  bool has_texts() const { return texts.size() > 0; }
};

/// Reads `input`:
///   a collection       its texts and columns, and the vectors as its map sees them (map_vectors)
///   a file of texts    CSV, TSV, JSONL, Parquet or lines: its texts and columns; embedded by options.model
///                      unless options.vectors holds their vectors. The work is kept in a file (embed_file),
///                      goes on after an interruption, and is done once. "-" is standard input: nothing is
///                      kept
///   vectors            .npy, .npz, .safetensors, or a folder of such: no texts and no columns. A .parquet
///                      file that has both texts and vectors is read for both
/// Error(argument) listing the columns if one of `columns` is not there, or if vectors have none;
/// Error(data) if vectors and rows differ in number or a vector is not finite; Error(file), Error(format) as
/// Source, open_rows, Collection::open and Encoder::load. `notice` as in embed_file. Memory: all texts and
/// the columns; vectors are mapped. Steps "read", "load model", "embed".
TextsAndVectors read_texts_and_vectors(const std::filesystem::path& input,
                                       const std::vector<std::string>& columns,
                                       const TextsAndVectorsOptions& options, const Run& run,
                                       const Notice& notice = {});

/// Before the work: loads the encoder, if the input is a file of texts whose vectors are not given, so that
/// what a result hangs on is known. Errors as read_texts_and_vectors. The id of the encoder; empty: none is
/// needed.
std::string load_encoder(const std::filesystem::path& input, TextsAndVectorsOptions& options, const Run& run);

/// The beginning of a text of the rows for people: "row 12" where there are no texts.
std::string text_of_row(const TextsAndVectors& rows, Index row);

}  // namespace shoal
