#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/texts.h"

namespace shoal {

/// What a result says of each row.
enum class ResultKind : std::uint8_t {
  labels,       ///< a whole number: 0..n_clusters-1, or kNoise
  score,        ///< a number
  probability,  ///< numbers of 0 to 1, one for each part
  places        ///< coordinates, one for each part
};

std::string_view name_of(ResultKind kind);  ///< "labels", ...

/// Something that a stage has found out for every row of a collection. Several of one kind stand side by side
/// under different names.
struct Result {
  std::string name;
  ResultKind kind = ResultKind::labels;
  std::string stage;               ///< what made it, as "cluster"
  std::string options = "{}";      ///< with what options: a JSON object
  std::vector<std::string> parts;  ///< where a row has several numbers, what each is called: {"x", "y"}
  Index n_clusters = 0;            ///< of labels
  bool operator==(const Result&) const = default;
};

inline constexpr const char* kMainClustering = "cluster";  ///< the labels that `shoal map` makes
inline constexpr const char* kMainLayout = "map";          ///< the places that `shoal map` makes
inline constexpr const char* kAnomalyResult = "anomaly";   ///< of `shoal anomalies`: percentiles, 0..1

/// One cluster as people read it: a row of table `clusters`.
struct ClusterRecord {
  Label id = 0;
  std::string name;                ///< short, from its words
  std::vector<std::string> words;  ///< most telling first
  Index size = 0;
  Label group = 0;             ///< row of table `groups`
  std::vector<Index> medoids;  ///< row numbers of the most typical texts
};

struct GroupRecord {
  Label id = 0;
  std::string name;
  Index size = 0;
};

/// Rows [first, first + texts.size()) of a collection.
struct RowBatch {
  Index first = 0;
  Texts texts;
  std::vector<Texts> columns;  ///< all of the user's, in their order
  Texts kinds;  ///< of each row a CellKind for the text and each column; empty: all are strings
};

/// Error(format) for a collection of which `what` says what is wrong with it.
Error damaged_collection(const std::filesystem::path& folder, const std::string& what);

/// What the full-text index keeps and is asked: texts whose words are found and folded already, so that
/// FTS5's own tokenizer does the rest. Empty: the texts as they are.
struct IndexWords {
  std::function<std::string(std::string_view)> form;  ///< of a text: its words, parted by blanks
  std::function<std::string(std::string_view)>
      query;  ///< of what a person asks: what FTS5 is asked; may be empty
};

/// A folder NAME.shoal: rows.sqlite (tables below) and its checksum rows.sqlite.sha256, vectors.safetensors,
/// an archive for each fitted stage, map.html.
///   rows(id INTEGER PRIMARY KEY 0.., text, the user's columns as text, cluster INTEGER, x REAL, y REAL, the
///     columns of further results: NAME of one number, "NAME PART" of several)
///   columns(position, name as the user wrote it, stored_as: its column in rows, made unique and not empty)
///   results(name, kind, stage, options JSON, n_clusters, parts JSON, stored_as JSON: its columns in rows)
///   clusters(clustering: the name of a result, id, name, words JSON, size, group_id, medoids JSON)
///   groups(clustering, id, name, size)
///   texts (FTS5, external content rows.text, indexed as settle() was told; only between settle() and the
///     next change of the rows)
///   kinds(first: a row, kinds): what the cells of that row and those after it were, up to the next entry: a
///     letter (CellKind) for the text and each column; nothing before the first entry: all are strings
///   manifest(key TEXT PRIMARY KEY, value TEXT)      steps(name TEXT PRIMARY KEY, key TEXT): finished steps
/// In version 1 there was one clustering and one layout: no table results, no column `clustering`.
/// SQLite's commits decide what is kept: a process killed at any moment leaves the last commit. One process
/// may write at a time (Error(file) for the second, after 2 s), many may read; each reader sees whole
/// commits. A database that was killed inside a commit is repaired by the next opening for writing; until
/// then read-only openings give Error(file). Any bytes are kept in texts, NUL and invalid UTF-8 too. A text
/// and its columns: at most 1 GB.
class Collection {
 public:
  /// Makes the folder, whose parent must exist, and an empty database, open for writing. Error(argument) if
  /// there is one already; an empty folder, or what a create that was killed has left, may be there.
  static Collection create(const std::filesystem::path& folder);
  /// Error(file) if absent, Error(format) if not a collection, damaged or of a newer version. One of version
  /// 1 is brought to this one by an opening for writing, in one transaction. Read-only opens never write, and
  /// work on a read-only disk.
  static Collection open(const std::filesystem::path& folder, bool read_only);
  /// Takes the lock of a collection, whole or damaged, that another is to replace; nothing can be read from
  /// it.
  static Collection open_to_replace(const std::filesystem::path& folder);
  /// True if the folder holds a database of shoal's, whole or damaged; or if it is called NAME.shoal and has
  /// archives or a file rows.sqlite that is no database: what is left of a collection.
  static bool exists(const std::filesystem::path& folder);
  Collection(Collection&&) noexcept;
  Collection& operator=(Collection&&) noexcept;
  ~Collection();

  const std::filesystem::path& folder() const;
  std::filesystem::path file(std::string_view name) const;  ///< a path inside the folder
  std::filesystem::path part(std::string_view name) const;  ///< of that file while it is being made
  /// Gives this collection, open for writing, the place and the permissions of `old`, from open_to_replace,
  /// which goes to `aside`, where nothing may be, in the same file system. Both stay locked. On Error(file)
  /// both are where they were.
  void take_place_of(Collection& old, const std::filesystem::path& aside);
  /// Error(format) if rows.sqlite is not, byte for byte, as settle() left it. False if that cannot be known,
  /// because it was not settled since the last change (or by version 1): then Error(format) if SQLite finds
  /// it damaged. All of it is read.
  bool check() const;

  // The manifest: small facts as strings (input hash, model, options).
  std::optional<std::string> manifest(std::string_view key) const;
  void set_manifest(std::string_view key, std::string_view value);
  void forget_manifest(std::string_view key);  ///< nothing if it is not there
  // A step is done if it was finished under the same key (hash of all that its result depends on).
  bool done(std::string_view step, std::string_view key) const;
  void finish_step(std::string_view step, std::string_view key);
  void forget_step(std::string_view step);

  // Rows. `define_columns` before the first append; names as the user wrote them: any, even equal or empty
  // ones. At most 1,995 (Error(data)). Defining the same ones again changes nothing.
  void define_columns(const std::vector<std::string>& names);
  std::vector<std::string> columns() const;  ///< as the user wrote them, without text
  /// Appends texts and their other columns (same size; columns in the order defined) in one transaction,
  /// together with what the cells were (Source::kinds; empty: strings) and manifest entries `facts`, so that
  /// rows and the reader's position are committed at once.
  void append(const Texts& texts, const std::vector<Texts>& columns,
              const std::vector<std::pair<std::string, std::string>>& facts, const Texts& kinds = {});
  Index rows() const;
  Texts texts(Index first, Index count) const;
  std::string text(Index row) const;
  RowBatch batch(Index first, Index count) const;  ///< texts and columns together, read once
  /// The value of one user column for rows [first, first + count).
  Texts column(std::string_view name, Index first, Index count) const;
  /// The same by the column's number in columns(): needed where two have one name.
  Texts column_at(Index position, Index first, Index count) const;

  /// All that `change` does to the database is kept together, or nothing of it is, if it throws or the
  /// process is killed.
  void together(const std::function<void()>& change);

  // Results. Each replaces what was there under its name, in one transaction.
  std::vector<Result> results() const;  ///< by name
  std::optional<Result> result(std::string_view name) const;
  void drop_result(std::string_view name);  ///< nothing if there is none
  /// `as` says how the labels are called and what made them; its kind, parts and n_clusters follow from them.
  /// Clusters and groups of that name go: they described other labels.
  void set_labels(const Labels& labels, Result as = {.name = kMainClustering, .stage = "cluster"});
  /// A column for each of as.parts, or one if that is empty; any kind but labels. Error(data) if a number is
  /// not finite.
  void set_values(const Result& as, MatrixView values);
  void set_points(MatrixView xy, Result as = {.name = kMainLayout, .stage = "layout"});  ///< rows x 2
  /// Error(data) if some row has none yet, Error(argument) if the name is unknown or of another kind.
  Labels labels(std::string_view name = kMainClustering) const;
  /// The same; rows that have none yet, because they were added later, are kNoise.
  Labels labels_so_far(std::string_view name) const;
  Matrix values(std::string_view name) const;
  Matrix points(std::string_view name = kMainLayout) const;
  /// Clusters 0.. of a clustering that is there, and groups 0.., whose sizes agree: Error(argument) if not.
  void set_clusters(const std::vector<ClusterRecord>& clusters, const std::vector<GroupRecord>& groups,
                    std::string_view clustering = kMainClustering);
  /// Empty if they are not described yet. What is read is as set_clusters wants it, or Error(format).
  std::vector<ClusterRecord> clusters(std::string_view clustering = kMainClustering) const;
  std::vector<GroupRecord> groups(std::string_view clustering = kMainClustering) const;

  /// Rows that hold all words of `query`, best first by BM25, ties by the smaller row, at most n. Words are
  /// compared without case and accents; quotes and operators are taken literally; what is written together
  /// ("don't", "state-of-the-art") must stand together. An index that settle() made of words is asked for
  /// words.query(query). Error(data) if rows were added since settle().
  std::vector<Index> find_words(std::string_view query, Index n, const IndexWords& words = {}) const;
  /// Builds the full-text index, of words.form(text) if that is given (and anew if it is of texts as they
  /// are), rewrites the database so that its bytes depend on its content alone, not on the number of
  /// transactions or interruptions that made it, and notes its checksum. Nothing if nothing changed since the
  /// last time. Any later change spoils the bytes, so this is best the last thing done. Needs room for a
  /// second database beside the first; about 10 s a million short texts.
  void settle(const IndexWords& words = {});

 private:
  struct State;
  explicit Collection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoal
