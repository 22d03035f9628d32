#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/names/own_names.h"
#include "shoal/flow/neutral/followed.h"
#include "shoal/flow/texts/model_fit.h"
#include "shoal/read/source.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// What `map` may be told. All but the paths change the result.
struct MapOptions {
  std::vector<std::filesystem::path> inputs;  ///< files of texts; empty: go on with the collection `out`
  std::filesystem::path out;                  ///< the collection
  std::filesystem::path model;                ///< a sentence-transformers folder
  std::filesystem::path models_folder;        ///< where parts of an ensemble are looked up by name
  std::string model_name;  ///< what later runs are to find it by, kept in the collection; empty: its path
  bool overwrite = false;  ///< make a new collection, which replaces the one at `out` when it is finished
  /// Names for clusters by their numbers: those that the collection has before this run, or gets in it if it
  /// has none yet.
  std::vector<OwnName> names;
  std::string title;    ///< of the page; empty: the collection's name
  std::string color;    ///< a user column that the page can colour by; empty: found
  bool unique = false;  ///< rows of one vector are laid out once, and share a point
  /// What the map must not be about: "language", or a column (neutral.h); empty: nothing.
  std::string neutral;
  /// Clusters keep the numbers that they had in the map that this one replaces, by the rows that both have.
  bool keep_identities = false;
  ReadOptions read;
  EncodeOptions encode;
  PcaOptions pca;
  ClusteringOptions clusters;
  UmapOptions umap;
  CtfidfOptions words;  ///< how names and key words of clusters are found
  Seed seed{42};
};
/// Its own ones; those of the steps have their `fields`.
template <class V>
void fields(MapOptions& o, V&& visit) {
  visit("title", o.title, "title of the page. Default: the collection's name");
  visit("color", o.color, "column that the page can colour by. Default: the first with few values");
  visit("unique", o.unique, "lay equal texts out once: they share a point, however many they are");
  visit("neutral", o.neutral,
        "topics, not this: the texts' languages (language), or a column of a source, a year, an author. Each "
        "group's mean is taken away");
  visit(
      "keep_identities", o.keep_identities,
      "where an older map is replaced, clusters keep its numbers by the best matching of the texts that both "
      "have, and splits, merges, births and deaths are listed. So the result hangs on the older map too");
  visit("seed", o.seed, "start of all randomness");
}

/// What `map` did.
struct MapReport {
  Index rows = 0;
  ReadReport read;
  std::vector<std::string> text_columns;
  std::vector<LanguageFit> languages;    ///< of the texts, and how well the model knows them
  std::optional<Index> unknown_texts;    ///< of which the model's tokenizer knows nothing; absent: not known
  Index first_unknown = 0;               ///< the row of the first of them
  std::string unknown_example;           ///< its text
  Index max_tokens = 0;                  ///< longer texts were truncated, unless in windows
  std::optional<Index> truncated_texts;  ///< of all rows; absent: not known
  std::optional<Index> laid_out;  ///< different vectors, where equal ones were laid out once in this run
  Index dims = 0;                 ///< of the vectors
  Index components = 0;           ///< kept by PCA
  double variance = 0;            ///< share that they explain
  std::string method;
  Index noise = 0;                  ///< rows in no cluster
  std::optional<double> objective;  ///< of spherical k-means: mean cosine of a row to its centroid
  std::optional<Index> n_iter;      ///< of the methods that count their rounds
  std::string found;                ///< report.json: how the clusters were found and judged
  std::vector<ClusterRecord> clusters;
  std::vector<GroupRecord> groups;
  std::vector<Followed> follows;         ///< what the clusters go by beside topics
  std::optional<double> left_of_groups;  ///< of a map that is neutral to groups
  KeptNames own_names;                   ///< the user's, where clusters were named anew
  std::vector<std::string> done_before;  ///< steps that an earlier run had finished
  std::filesystem::path page;
};

/// The main job: read, embed, reduce, cluster, explain, lay out, and write the collection with map.html in
/// it. A step that was finished before under the same input, options and version of shoal is not done again;
/// an interrupted run goes on where it stopped and ends with the same bytes as an unbroken one. An input that
/// begins with the rows that are there adds its further rows, and all is done anew. Error(argument) if `out`
/// was made from any other input or by another model, unless `overwrite`: then all is made anew beside it
/// each time, and whatever fails or stops the run, what stands at `out` stays as it is. Error(argument) too
/// for options that do not fit the rows, before anything is embedded; `notice` hears then of languages that
/// the model does not know. Error(data) if there is nothing to map;
/// a collection begun for it is removed. Steps (for Run::progress): load model, read, embed, PCA, neighbours,
/// layout, those of the method, explain, page.
MapReport make_map(const MapOptions& options, const Run& run, const Notice& notice = {});

/// The options that the collection was last mapped with, defaults where it was never; inputs, out, model,
/// overwrite and read are not kept. Error(format) if they are damaged.
MapOptions stored_options(const Collection& collection);

/// The names of the input's columns that the collection's texts were made of.
std::vector<std::string> text_columns(const Collection& collection);

}  // namespace shoal
