#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/flow/evaluation/labelled_rows.h"
#include "shoal/flow/evaluation/role_vectors.h"
#include "shoal/read/source.h"

namespace shoal {

/// What a model of texts can be tried on.
enum class TaskKind : std::uint8_t { sts, triplet, pairs, retrieval, rerank, clustering, classification };
constexpr auto names_of(TaskKind) {
  return std::array{"sts", "triplet", "pairs", "retrieval", "rerank", "clustering", "classification"};
}

struct ReadTaskOptions {
  TaskKind task = TaskKind::sts;
  std::filesystem::path file;
  std::filesystem::path corpus;      ///< of retrieval: more passages; or all of them, where `queries` is set
  std::filesystem::path queries;     ///< of retrieval: ids and texts; `file` then says which ids answer which
  std::filesystem::path train;       ///< of classification: rows to learn from; empty: from `file` itself
  std::string split = "test";        ///< of a folder in BEIR's layout: which file of qrels
  std::vector<std::string> columns;  ///< of `file`, in the order that the task names; empty: found
  ReadOptions read;
};
template <class V>
void fields(ReadTaskOptions& o, V&& visit) {
  visit("task", o.task, "what the model is tried on");
  visit("split", o.split, "of a folder in BEIR's layout: which file of qrels");
}

/// A query and its candidates.
struct TaskQuery {
  Index text = 0;
  /// rerank: texts, with `relevant` of each. retrieval: places in the corpus that answer it, ascending.
  std::vector<Index> candidates;
  std::vector<std::uint8_t> relevant;
};

/// A task's rows. Texts are numbers of `texts`, of which no two are equal.
struct EvaluationTask {
  TaskKind kind = TaskKind::sts;
  std::string name;                  ///< the file's, without its ending
  std::vector<std::string> columns;  ///< as they were taken; empty: the file is a folder
  DistinctTexts texts;
  std::vector<std::array<Index, 3>> rows;  ///< sts, pairs: two texts; triplet: three
  std::vector<double> scores;              ///< of sts
  std::vector<std::uint8_t> positive;      ///< of pairs
  std::vector<TaskQuery> queries;          ///< of retrieval and rerank
  std::vector<Index> corpus;               ///< of retrieval: texts
  std::vector<Index> labelled;             ///< clustering, classification: the text of each row of `labels`
  LabelledRows labels;                     ///< of clustering and classification
  Index blank = 0;                         ///< rows left out: a text or what is said of it is empty
  std::string first_blank;                 ///< where the first of them stands
  Index lonely = 0;                        ///< rows left out: queries without a relevant or another passage
  ReadReport read;                         ///< of the file

  /// "1,379 pairs", "20 queries, 70 passages".
  std::string in_words() const;
};

/// Reads a task's file: CSV, TSV, JSONL, Parquet. Columns by name (docs/evaluate.md lists them), or by order
/// where a table has just as many and their names say nothing else:
///   sts             sentence1, sentence2, score
///   triplet         anchor, positive, negative; further columns negative_2, ... make further triplets
///   pairs           sentence1, sentence2, label: 1 or 0, yes or no, true or false
///   retrieval       query, passage: pairs that belong together; the corpus is all passages and those of
///                   options.corpus. Or a folder in BEIR's layout (corpus, queries, qrels/SPLIT). Or
///                   options.queries and options.corpus (id, text), and in `file` query-id, corpus-id, score:
///                   above 0 is relevant
///   rerank          query, positive, negative: texts, or in JSONL lists of texts, a row a query; or query,
///                   passage, label: rows of one query belong together, and labels above 0 are relevant
///   clustering, classification   text, label
/// Rows with an empty text, score or label are left out and counted. Error(argument) for columns that are not
/// there, listing those that are; Error(data) naming the row of a score or label that cannot be read, and
/// where nothing can be measured: no rows, one class only, scores that are all equal.
EvaluationTask read_evaluation(const ReadTaskOptions& options, const Run& run);

}  // namespace shoal
