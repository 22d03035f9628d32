#include "shoal/flow/evaluation/task.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>

#include "shoal/core/column_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/tables/number_column.h"
#include "shoal/flow/tables/whole_table.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;
using Wanted = std::vector<WantedColumn>;

const WantedColumn kFirst{
    "sentence1",
    {"sentence1", "sentence_1", "sentence_a", "text_a", "text1", "text_1", "question1", "question_1"}};
const WantedColumn kSecond{
    "sentence2",
    {"sentence2", "sentence_2", "sentence_b", "text_b", "text2", "text_2", "question2", "question_2"}};
const WantedColumn kScore{"score", {"score", "similarity", "similarity_score", "label"}};
const WantedColumn kPairLabel{"label", {"label", "is_duplicate", "duplicate", "score"}};
const WantedColumn kAnchor{"anchor", {"anchor", "query", "question"}};
const WantedColumn kPositive{"positive", {"positive", "positives", "pos"}};
const WantedColumn kNegative{"negative", {"negative", "negatives", "neg", "negative_1"}};
const WantedColumn kQuery{"query", {"query", "anchor", "question"}};
const WantedColumn kPassage{"passage", {"passage", "positive", "document", "answer", "text"}};
const WantedColumn kRelevance{"label", {"label", "relevance", "score"}};
const WantedColumn kText{"text", {"text", "sentence", "sentences", "passage", "document", "content"}};
const WantedColumn kLabel{"label", {"label", "labels", "category", "class", "intent", "topic"}};
const WantedColumn kId{"id", {"_id", "id", "docid", "doc_id", "qid", "query-id", "corpus-id"}};
const WantedColumn kQueryId{"query-id", {"query-id", "query_id", "qid"}};
const WantedColumn kCorpusId{"corpus-id", {"corpus-id", "corpus_id", "docid", "doc_id", "pid"}};
const WantedColumn kJudged{"score", {"score", "relevance", "label", "rel"}};

class TaskReading {
 public:
  TaskReading(const ReadTaskOptions& options, const Run& run) : o_(options), run_(run) {
    task_.kind = o_.task;
    fs::path stem = o_.file.filename().empty() ? o_.file.parent_path().filename() : o_.file.filename();
    if (!fs::is_directory(o_.file)) stem = stem.stem();
    task_.name = stem.string();
  }

  EvaluationTask finish() {
    check_files();
    switch (o_.task) {
      case TaskKind::sts:
        read_pairs(true);
        break;
      case TaskKind::pairs:
        read_pairs(false);
        break;
      case TaskKind::triplet:
        read_triplets();
        break;
      case TaskKind::retrieval:
        fs::is_directory(o_.file) ? read_beir()
        : o_.queries.empty()      ? read_answers()
                                  : read_judged(o_.file, o_.queries, o_.corpus);
        break;
      case TaskKind::rerank:
        read_candidates();
        break;
      case TaskKind::clustering:
      case TaskKind::classification:
        read_labelled();
        break;
    }
    return std::move(task_);
  }

 private:
  void check_files() const {
    const auto only = [&](const fs::path& given, const char* option, TaskKind kind) {
      require(given.empty() || o_.task == kind, Fault::argument,
              option_name(option) + " is of " + option_name("task") + " " + name_of(kind) + ", not of " +
                  name_of(o_.task));
    };
    only(o_.corpus, "corpus", TaskKind::retrieval);
    only(o_.queries, "queries", TaskKind::retrieval);
    only(o_.train, "train", TaskKind::classification);
    require(o_.queries.empty() || !o_.corpus.empty(), Fault::argument,
            option_name("queries") + " goes with " + option_name("corpus") +
                ": ids and texts of both, and the file says which ids belong together");
    const bool folder = fs::is_directory(o_.file);
    require(!folder || o_.task == TaskKind::retrieval, Fault::argument,
            o_.file.string() + " is a folder; " + option_name("task") + " " + name_of(o_.task) +
                " takes a table");
    require(!folder || (o_.queries.empty() && o_.corpus.empty() && o_.columns.empty()), Fault::argument,
            o_.file.string() + " is a folder in BEIR's layout: it has its queries and corpus itself");
  }

  WholeTable open(const fs::path& file) const {
    ReadOptions read = o_.read;
    if (file != o_.file) read.limit.reset();  // what is searched or learnt from is whole
    return read_whole_table(file, read, run_);
  }

  std::vector<Index> take(const WholeTable& table, const Wanted& wanted) {
    const auto out = place_columns(table, wanted, o_.columns);
    for (Index i = 0; i < out.size(); ++i)
      if (o_.columns.empty() && is_text(wanted[i])) check_text(table, wanted[i], out[i]);
    for (const Index c : out) task_.columns.push_back(table.names[c]);
    task_.read = table.read;
    return out;
  }

  static bool is_text(const WantedColumn& column) {
    const auto among = [&](std::initializer_list<const WantedColumn*> texts) {
      return std::ranges::any_of(texts, [&](const auto* text) { return text->called == column.called; });
    };
    return among({&kFirst, &kSecond, &kAnchor, &kPositive, &kNegative, &kQuery, &kPassage, &kText});
  }

  /// A column that stands in the right place by its order alone is no text if it holds numbers.
  static void check_text(const WholeTable& table, const WantedColumn& wanted, Index column) {
    if (column_named(table, wanted.names) == column) return;
    ColumnSketch sketch;
    for (Index i = 0; i < table.rows; ++i) sketch.add(table.columns[column][i]);
    if (sketch.profile().kind == ColumnKind::number)
      throw Error(Fault::argument,
                  table.file + " has no column for " + wanted.called + ": " + table.names[column] +
                      ", which stands there, holds numbers",
                  option_name("columns") + " names all of them, in the task's order");
  }

  /// The cell as a text: empty where there is none. Error(data) for a JSON value that is none.
  std::string_view text_at(const WholeTable& table, Index column, Index row) const {
    const std::string_view cell = table.columns[column][row];
    if (table.kind(column, row) == CellKind::json) {
      if (cell == "NaN") return {};
      throw Error(Fault::data, table.where(row) + " has " + std::string(beginning_of(cell, 40)) + " as " +
                                   table.names[column] + "; a text is needed");
    }
    return trimmed_text(cell).empty() ? std::string_view() : cell;
  }

  Index add(std::string_view text, TextRole role) { return task_.texts.add(text, role); }

  void leave_out(const WholeTable& table, Index row) {
    if (task_.blank++ == 0) task_.first_blank = table.where(row);
  }

  Error nothing(const WholeTable& table, const std::string& needed) const {
    return {Fault::data, table.file + " has " + needed,
            task_.blank > 0
                ? with_commas(task_.blank) +
                      " of its rows have an empty cell where one is needed, the first is " + task_.first_blank
                : ""};
  }

  void read_pairs(bool graded) {
    const WholeTable table = open(o_.file);
    const auto at = take(table, {kFirst, kSecond, graded ? kScore : kPairLabel});
    std::optional<NumberColumn> numbers;
    if (graded) numbers.emplace(table, at[2]);
    for (Index i = 0; i < table.rows; ++i) {
      const auto a = text_at(table, at[0], i), b = text_at(table, at[1], i);
      const auto cell = trimmed_text(table.columns[at[2]][i]);
      const auto score = graded ? (*numbers)[i] : std::nullopt;
      if (a.empty() || b.empty() || (graded ? !score : is_missing(cell))) {
        leave_out(table, i);
        continue;
      }
      if (graded) {
        task_.scores.push_back(*score);
      } else {
        const auto said = yes_or_no(cell);
        if (!said)
          throw Error(Fault::data, table.where(i) + " has '" + std::string(beginning_of(cell, 40)) + "' as " +
                                       table.names[at[2]] + "; allowed: 1 or 0, yes or no, true or false");
        task_.positive.push_back(*said);
      }
      const Index first = add(a, TextRole::plain);
      task_.rows.push_back({first, add(b, TextRole::plain), 0});
    }
    if (graded) {
      const bool flat = std::ranges::all_of(task_.scores, [&](double s) { return s == task_.scores[0]; });
      if (task_.scores.size() < 2)
        throw nothing(table, with_commas(task_.scores.size()) + " scored pairs; at least 2 are needed");
      if (flat) throw nothing(table, "the same score in every row; nothing can be compared with it");
      return;
    }
    const auto ones = std::ranges::count(task_.positive, std::uint8_t{1});
    if (task_.positive.empty()) throw nothing(table, "no pair with both texts and a label");
    if (ones == 0 || ones == std::ssize(task_.positive))
      throw nothing(table, std::string("pairs of one class only: all are ") + (ones == 0 ? "0" : "1") +
                               "; both 1 and 0 are needed");
  }

  void read_triplets() {
    const WholeTable table = open(o_.file);
    const auto at = take(table, {kAnchor, kPositive, kNegative});
    std::vector<Index> negatives{at[2]};
    if (o_.columns.empty())
      for (const Index more : further_negatives(table, at[2]))
        negatives.push_back(more), task_.columns.push_back(table.names[more]);
    for (Index i = 0; i < table.rows; ++i) {
      const auto a = text_at(table, at[0], i), p = text_at(table, at[1], i);
      bool any = false;
      for (const Index column : negatives) {
        const auto n = text_at(table, column, i);
        if (a.empty() || p.empty() || n.empty()) continue;
        any = true;
        const Index anchor = add(a, TextRole::query), positive = add(p, TextRole::document);
        task_.rows.push_back({anchor, positive, add(n, TextRole::document)});
      }
      if (!any) leave_out(table, i);
    }
    if (task_.rows.empty()) throw nothing(table, "no whole triplet");
  }

  /// A table of queries and passages that answer them.
  void read_answers() {
    const WholeTable table = open(o_.file);
    const auto at = take(table, {kQuery, kPassage});
    std::unordered_map<Index, Index> places, known;  // of texts in the corpus; of queries
    std::vector<std::set<Index>> relevant;
    const auto passage = [&](std::string_view text) {
      const Index number = add(text, TextRole::document);
      const auto [place, fresh] = places.try_emplace(number, task_.corpus.size());
      if (fresh) task_.corpus.push_back(number);
      return place->second;
    };
    for (Index i = 0; i < table.rows; ++i) {
      const auto q = text_at(table, at[0], i), p = text_at(table, at[1], i);
      if (q.empty() || p.empty()) {
        leave_out(table, i);
        continue;
      }
      const Index number = add(q, TextRole::query);
      const auto [place, fresh] = known.try_emplace(number, task_.queries.size());
      if (fresh) task_.queries.push_back({number, {}, {}}), relevant.emplace_back();
      relevant[place->second].insert(passage(p));
    }
    for (Index i = 0; i < relevant.size(); ++i)
      task_.queries[i].candidates.assign(relevant[i].begin(), relevant[i].end());
    if (task_.queries.empty()) throw nothing(table, "no pair of a query and a passage");
    if (!o_.corpus.empty()) {
      const WholeTable more = open(o_.corpus);
      const Index column = place_columns(more, {kText}, {})[0];
      for (Index i = 0; i < more.rows; ++i)
        if (const auto text = text_at(more, column, i); !text.empty()) passage(text);
    }
    if (task_.corpus.size() < 2) throw nothing(table, "one passage only; there is nothing to find it among");
  }

  static fs::path file_in(const fs::path& folder, const std::string& stem) {
    for (const char* ending : {".jsonl", ".jsonl.gz", ".jsonl.zst", ".tsv", ".csv", ".parquet", ".txt"})
      if (fs::exists(folder / (stem + ending))) return folder / (stem + ending);
    throw Error(Fault::file, "no " + stem + ".jsonl (or .tsv, .csv, .parquet) in " + folder.string(),
                "BEIR's layout is corpus.jsonl, queries.jsonl and qrels/" + stem + ".tsv");
  }

  void read_beir() {
    const fs::path& folder = o_.file;
    fs::path judged = folder / "qrels";
    if (!fs::is_directory(judged))
      throw Error(Fault::file, "no folder qrels in " + folder.string(),
                  "BEIR's layout is corpus.jsonl, queries.jsonl and qrels/" + o_.split + ".tsv");
    std::vector<std::string> there;
    for (const auto& entry : fs::directory_iterator(judged))
      there.push_back(entry.path().filename().string());
    std::ranges::sort(there);
    const auto fits = std::ranges::find_if(
        there, [&](const std::string& name) { return name.starts_with(o_.split + "."); });
    if (fits == there.end()) {
      std::string list;
      for (const auto& name : there) list += (list.empty() ? "" : ", ") + name;
      throw Error(
          Fault::argument,
          judged.string() + " has no file " + o_.split + ".tsv; it has " + (list.empty() ? "none" : list),
          option_name("split") + " names it without its ending");
    }
    read_judged(judged / *fits, file_in(folder, "queries"), file_in(folder, "corpus"));
    task_.columns.clear();
  }

  /// Texts by their ids; with `title` before them, where there is such a column.
  std::vector<Index> read_ids(const fs::path& file, TextRole role,
                              std::unordered_map<std::string, Index>& places) {
    const WholeTable table = open(file);
    const auto title = column_named(table, {"title"});
    std::vector<Index> out;
    std::vector<Index> at;
    const auto text = column_named(table, kText.names), id = column_named(table, kId.names);
    if (text && id) {
      at = {*id, *text};
    } else {
      at = place_columns(table, {kId, kText}, {});
    }
    for (Index i = 0; i < table.rows; ++i) {
      std::string whole(text_at(table, at[1], i));
      if (title)
        if (const auto head = text_at(table, *title, i); !head.empty())
          whole = std::string(head) + (whole.empty() ? "" : " " + whole);
      const auto [place, fresh] =
          places.try_emplace(std::string(trimmed_text(table.columns[at[0]][i])), out.size());
      require(fresh, Fault::data, table.where(i) + ": the id " + place->first + " stood in an earlier row");
      out.push_back(add(whole, role));
    }
    return out;
  }

  void read_judged(const fs::path& judged, const fs::path& queries, const fs::path& corpus) {
    std::unordered_map<std::string, Index> query_of, passage_of;
    const WholeTable table = open(judged);
    const auto at = take(table, {kQueryId, kCorpusId, kJudged});
    const NumberColumn scores(table, at[2]);
    // Queries of other splits are not embedded: those are read whose ids are judged.
    std::set<std::string> wanted;
    for (Index i = 0; i < table.rows; ++i) wanted.emplace(trimmed_text(table.columns[at[0]][i]));
    task_.corpus = read_ids(corpus, TextRole::document, passage_of);
    std::map<std::string, std::set<Index>> relevant;
    for (Index i = 0; i < table.rows; ++i) {
      const auto score = scores[i];
      if (!score || *score <= 0) continue;
      const std::string passage(trimmed_text(table.columns[at[1]][i]));
      const auto place = passage_of.find(passage);
      require(place != passage_of.end(), Fault::data,
              table.where(i) + ": no passage of " + corpus.string() + " has the id " + passage);
      relevant[std::string(trimmed_text(table.columns[at[0]][i]))].insert(place->second);
    }
    const WholeTable asked = open(queries);
    const auto text = column_named(asked, kText.names), id = column_named(asked, kId.names);
    const auto columns = text && id ? std::vector{*id, *text} : place_columns(asked, {kId, kText}, {});
    for (Index i = 0; i < asked.rows; ++i) {
      const std::string name(trimmed_text(asked.columns[columns[0]][i]));
      if (!wanted.contains(name)) continue;
      wanted.erase(name);
      const auto found = relevant.find(name);
      if (found == relevant.end()) {
        ++task_.lonely;
        continue;
      }
      TaskQuery query{add(text_at(asked, columns[1], i), TextRole::query), {}, {}};
      query.candidates.assign(found->second.begin(), found->second.end());
      task_.queries.push_back(std::move(query));
    }
    require(wanted.empty(), Fault::data,
            table.file + " judges the query " + (wanted.empty() ? "" : *wanted.begin()) +
                ", which is not in " + queries.string());
    if (task_.queries.empty()) throw nothing(table, "no query with a relevant passage (a score above 0)");
  }

  /// Texts of a cell that is one, or a JSON list of them.
  std::vector<std::string> list_at(const WholeTable& table, Index column, Index row) const {
    const std::string_view cell = trimmed_text(table.columns[column][row]);
    const bool list = cell.starts_with('[') &&
                      (table.kind(column, row) == CellKind::json || Json::accept(cell.begin(), cell.end()));
    std::vector<std::string> out;
    if (!list) {
      if (const auto text = text_at(table, column, row); !text.empty()) out.emplace_back(text);
      return out;
    }
    const Json parsed = Json::parse(cell.begin(), cell.end(), nullptr, false);
    const bool texts =
        parsed.is_array() && std::ranges::all_of(parsed, [](const Json& item) { return item.is_string(); });
    require(texts, Fault::data,
            table.where(row) + " has " + std::string(beginning_of(cell, 40)) + " as " + table.names[column] +
                "; a text or a list of texts is needed");
    for (const Json& item : parsed)
      if (auto text = item.get<std::string>(); !trimmed_text(text).empty()) out.push_back(std::move(text));
    return out;
  }

  void read_candidates() {
    const WholeTable table = open(o_.file);
    const bool named = column_named(table, kPositive.names) && column_named(table, kNegative.names);
    if (o_.columns.empty() ? named : third_is_text(table)) {
      read_lists(table);
    } else {
      read_marked(table);
    }
    const Index before = task_.queries.size();
    std::erase_if(task_.queries, [](const TaskQuery& q) {
      const auto ones = std::ranges::count(q.relevant, std::uint8_t{1});
      return ones == 0 || ones == std::ssize(q.relevant);
    });
    task_.lonely = before - task_.queries.size();
    if (task_.queries.empty())
      throw nothing(table, "no query with both a relevant candidate and another one");
  }

  /// Whether the third of the columns that were named says no label.
  bool third_is_text(const WholeTable& table) const {
    const auto column = std::ranges::find(table.names, o_.columns.back()) - table.names.begin();
    if (column == std::ssize(table.names)) return false;
    const auto cell = trimmed_text(table.columns[static_cast<Index>(column)][0]);
    return !is_missing(cell) && !yes_or_no(cell) && !plain_number(cell);
  }

  void read_lists(const WholeTable& table) {
    const auto at = take(table, {kQuery, kPositive, kNegative});
    for (Index i = 0; i < table.rows; ++i) {
      const auto q = text_at(table, at[0], i);
      if (q.empty()) {
        leave_out(table, i);
        continue;
      }
      TaskQuery query{add(q, TextRole::query), {}, {}};
      for (const bool positive : {true, false})
        for (const std::string& text : list_at(table, at[positive ? 1 : 2], i)) {
          query.candidates.push_back(add(text, TextRole::document));
          query.relevant.push_back(positive);
        }
      task_.queries.push_back(std::move(query));
    }
  }

  void read_marked(const WholeTable& table) {
    const auto at = take(table, {kQuery, kPassage, kRelevance});
    std::unordered_map<Index, Index> known;
    for (Index i = 0; i < table.rows; ++i) {
      const auto q = text_at(table, at[0], i), p = text_at(table, at[1], i);
      const auto cell = trimmed_text(table.columns[at[2]][i]);
      if (q.empty() || p.empty() || is_missing(cell)) {
        leave_out(table, i);
        continue;
      }
      const auto said = yes_or_no(cell);
      const auto graded = plain_number(cell);
      if (!said && !graded)
        throw Error(Fault::data, table.where(i) + " has '" + std::string(beginning_of(cell, 40)) + "' as " +
                                     table.names[at[2]] + "; a number is needed: above 0 is relevant");
      const Index number = add(q, TextRole::query);
      const auto [place, fresh] = known.try_emplace(number, task_.queries.size());
      if (fresh) task_.queries.push_back({number, {}, {}});
      TaskQuery& query = task_.queries[place->second];
      query.candidates.push_back(add(p, TextRole::document));
      query.relevant.push_back(said ? *said : *graded > 0);
    }
  }

  void read_labelled() {
    const bool classes = o_.task == TaskKind::classification;
    std::vector<WholeTable> tables;
    tables.push_back(open(o_.file));
    const auto at = take(tables[0], {kText, kLabel});
    if (!o_.train.empty()) tables.push_back(open(o_.train));
    std::vector<std::string_view> texts, labels;
    std::vector<std::uint8_t> learn;
    for (Index t = 0; t < tables.size(); ++t) {
      const auto columns = t == 0 ? at : place_columns(tables[t], {kText, kLabel}, o_.columns);
      for (Index i = 0; i < tables[t].rows; ++i) {
        const auto text = text_at(tables[t], columns[0], i);
        const auto label = trimmed_text(tables[t].columns[columns[1]][i]);
        if (text.empty() || label.empty()) {
          leave_out(tables[t], i);
          continue;
        }
        texts.push_back(text), labels.push_back(label), learn.push_back(t == 1);
      }
    }
    const bool own = tables.size() == 1;
    task_.labels = gather_labelled(texts, labels, {}, classes && own ? 2 : 1);
    task_.lonely = texts.size() - task_.labels.rows.size();
    if (task_.labels.labels.count < 2)
      throw nothing(tables[0], "rows of " + with_commas(task_.labels.labels.count) +
                                   (classes && own ? " label that stands in two rows or more" : " label") +
                                   " only; at least two labels are needed");
    if (!own) check_known_labels(tables, labels, learn);
    for (const Index row : task_.labels.rows) {
      task_.labelled.push_back(add(texts[row], TextRole::plain));
      if (!own) task_.labels.learn.push_back(learn[row]);
    }
  }

  /// What is judged must have been learnt.
  void check_known_labels(const std::vector<WholeTable>& tables, const std::vector<std::string_view>& labels,
                          const std::vector<std::uint8_t>& learn) const {
    std::set<std::string_view> known;
    for (Index i = 0; i < labels.size(); ++i)
      if (learn[i]) known.insert(labels[i]);
    require(known.size() >= 2, Fault::data,
            tables[1].file + " has " + std::to_string(known.size()) + " label; at least two are needed");
    for (Index i = 0; i < labels.size(); ++i)
      if (!known.contains(labels[i]))
        throw Error(Fault::data, tables[0].file + " has the label " + std::string(labels[i]) + ", of which " +
                                     tables[1].file + " has no row to learn from");
  }

  const ReadTaskOptions& o_;
  const Run& run_;
  EvaluationTask task_;
};

}  // namespace

std::string EvaluationTask::in_words() const {
  const auto counted = [](Index n, const std::string& one, const std::string& many) {
    return with_commas(n) + " " + (n == 1 ? one : many);
  };
  switch (kind) {
    case TaskKind::sts:
      return counted(rows.size(), "scored pair", "scored pairs");
    case TaskKind::pairs:
      return counted(rows.size(), "pair", "pairs") + ", " +
             with_commas(static_cast<Index>(std::ranges::count(positive, std::uint8_t{1}))) +
             " of which belong together";
    case TaskKind::triplet:
      return counted(rows.size(), "triplet", "triplets");
    case TaskKind::retrieval:
      return counted(queries.size(), "query", "queries") + ", " +
             counted(corpus.size(), "passage", "passages");
    case TaskKind::rerank: {
      Index all = 0;
      for (const TaskQuery& query : queries) all += query.candidates.size();
      return counted(queries.size(), "query", "queries") + ", " + counted(all, "candidate", "candidates");
    }
    default: {
      const auto learnt = static_cast<Index>(std::ranges::count(labels.learn, std::uint8_t{1}));
      return counted(labelled.size() - learnt, "row", "rows") + " with " +
             counted(labels.labels.count, "label", "labels") +
             (learnt > 0 ? ", " + with_commas(learnt) + " rows to learn from" : "");
    }
  }
}

EvaluationTask read_evaluation(const ReadTaskOptions& options, const Run& run) {
  check_options(options);
  return TaskReading(options, run).finish();
}

}  // namespace shoal
