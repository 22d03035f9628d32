#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/reduce/tsne/tsne.h"
#include "shoal/reduce/umap/umap.h"

namespace shoal {

/// The file by which a folder that `lay_out` has made is known; it is also the report that programs read.
inline constexpr const char* kLayoutMark = "layout.json";

/// Which row of a table is which of the next.
enum class Relate : std::uint8_t {
  mutual,  ///< each the other's nearest by cosine, and near enough: also rows that are equal
  rows,    ///< those with the same number
};
constexpr auto names_of(Relate) { return std::array{"mutual", "rows"}; }

enum class LayoutMethod : std::uint8_t { umap, tsne };
constexpr auto names_of(LayoutMethod) { return std::array{"umap", "tsne"}; }

/// What `lay_out` may be told.
struct LayoutOptions {
  /// Vectors: files, folders of files, or collections. Several only if `aligned`.
  std::vector<std::filesystem::path> inputs;
  std::string vector_column;                ///< which column of Parquet files holds them; empty: found
  std::filesystem::path out;                ///< the folder that is made
  bool overwrite = false;                   ///< replace a folder that this command has made
  std::optional<std::filesystem::path> on;  ///< a folder that this command has made: place rows on its map
  LayoutMethod method = LayoutMethod::umap;
  UmapOptions umap;
  TsneOptions of_tsne;
  bool aligned = false;  ///< a map for each input, with related rows in about the same place
  Relate relate = Relate::mutual;
  double similarity = 0.8;  ///< -1..1: the least cosine of mutually nearest rows that are related
  float alignment_regularisation = AlignedUmapOptions{}.alignment_regularisation;
  Index alignment_window_size = AlignedUmapOptions{}.alignment_window_size;
  bool keep_rows = true;  ///< in the folder, beside the UMAP: what `on` needs
};
/// Its own ones; those of UMAP and t-SNE have their `fields`.
template <class V>
void fields(LayoutOptions& o, V&& visit) {
  visit("vector_column", o.vector_column, kVectorColumnHelp);
  visit("method", o.method, "how rows are laid out; on a map by tsne no new rows can be placed");
  visit("aligned", o.aligned, "a map for each input, related rows near each other (umap)");
  visit("relate", o.relate,
        "which rows of an input are which of the next: each other's nearest, or the same number");
  visit("similarity", o.similarity, "the least cosine of rows related as mutual", between(-1, 1));
  visit("alignment_regularisation", o.alignment_regularisation, "how strongly related points are tied",
        between(0, 1000));
  visit("alignment_window_size", o.alignment_window_size, "over how many inputs a tie reaches at most",
        between(1, 100));
  visit("keep_rows", o.keep_rows, "keep a copy of the vectors in the folder, which placing new rows needs");
}

struct LayoutReport {
  Index rows = 0, dims = 0;    ///< rows: of all inputs
  std::vector<Index> related;  ///< pairs between each input and the next, if aligned
  std::filesystem::path out;
  bool done_before =
      false;  ///< `out` was there, made of the same rows with the same options; the rest is empty
  std::string converted_from;  ///< what the numbers of the input were before they became float32 (Rows)
  bool assumed_space = false;  ///< some inputs, or the old map, do not say which model made them: taken to be
                               ///< of that of the others
};

/// Rows to points in the plane. Makes the folder `out`, whole or not at all, with
///   layout.json                what was asked and what was done; of t-SNE also the perplexity that was used
///   points.csv, points.npy     the place of each row: row, x, y; first input, if aligned; then radius and
///                              map_radius, if the map keeps densities (Umap::local_radii)
///   relations.csv              input, row, next_row: which rows were related, if aligned
///   map.svg                    to look at; where rows were placed on an old map, that one in grey
///   umap.safetensors, rows.safetensors (or tsne.safetensors)
///                              the map and the rows that it was fitted on, so that others can be placed on
///                              it
/// A folder that was made of the same rows with the same options stays as it is (receipt.h).
/// Memory: that of the method. Error(argument) if `out` exists else (see NewFolder) or options do not fit
/// together; Error(data) for rows that cannot be used, naming the file and the row; Error(file) if there is
/// no folder `on`, Error(format) if it is not one of these or damaged.
LayoutReport lay_out(const LayoutOptions& options, const Run& run);

}  // namespace shoal
