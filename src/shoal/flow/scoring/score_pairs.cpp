#include "shoal/flow/scoring/score_pairs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/evaluation/embedders.h"
#include "shoal/flow/evaluation/role_vectors.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/scoring/pair_columns.h"
#include "shoal/flow/tables/csv_field.h"
#include "shoal/flow/tables/parquet_table.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/flow/texts/models.h"
#include "shoal/measure/similarity.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Texts of which no two are equal.
struct Distinct {
  Texts texts;
  std::unordered_map<std::string_view, Index> places;

  Index place(std::string_view text) {
    const auto found = places.find(text);
    if (found != places.end()) return found->second;
    texts.add(text);
    return places.emplace(text, places.size()).first->second;
  }
};

/// Numbers of rows by the first text that they share, in the order of their first rows.
std::vector<std::vector<Index>> queries_of(const Texts& firsts) {
  Distinct distinct;
  std::vector<std::vector<Index>> out;
  for (Index i = 0; i < firsts.size(); ++i) {
    const Index at = distinct.place(firsts[i]);
    if (at == out.size()) out.emplace_back();
    out[at].push_back(i);
  }
  return out;
}

/// A cross-encoder, or an encoder.
struct Judge {
  std::optional<CrossEncoder> cross;
  std::optional<Encoder> encoder;

  static Judge load(const ScorePairsOptions& o, const Run& run) {
    const fs::path folder = find_model(o.model, o.models_folder);
    Judge out;
    if (is_cross_folder(folder)) {
      out.cross = CrossEncoder::load(folder, run);
      require(!o.rank || out.cross->labels().size() == 1, Fault::argument,
              option_name("rank") + " needs one score a pair; " + out.cross->name() + " gives " +
                  std::to_string(out.cross->labels().size()));
    } else {
      require(o.score.scale == ScoreScale::model, Fault::argument,
              option_name("scale") + " is of cross-encoders; " + folder.string() +
                  " is an encoder, whose scores are cosines");
      out.encoder = Encoder::load(folder, run, o.models_folder);
    }
    return out;
  }
  std::string id() const { return cross ? cross->id() : encoder->space().id; }
  std::vector<std::string> columns() const {
    if (!cross || cross->labels().size() == 1) return {"score"};
    std::vector<std::string> out;
    for (const std::string& label : cross->labels()) out.push_back("score_" + label);
    return out;
  }
};

/// Cosines of an encoder's vectors, as evaluate has them: a query and a document, or two texts alike.
Matrix cosines(const Encoder& encoder, const Texts& firsts, const Texts& seconds, bool alike,
               const ScoreOptions& options, const Run& run, Index& cut) {
  constexpr Index kPairs = 8192;
  const TextRole first_role = alike ? TextRole::plain : TextRole::query,
                 second_role = alike ? TextRole::plain : TextRole::document;
  DistinctTexts distinct;
  std::vector<Index> first, second;
  for (Index i = 0; i < firsts.size(); ++i) {
    first.push_back(distinct.add(firsts[i], first_role));
    second.push_back(distinct.add(seconds[i], second_role));
  }
  EncodeOptions encode;
  encode.max_tokens = options.max_tokens;
  encode.prompt = options.prompt;
  EncodeCounts counts;
  const RoleVectors vectors(distinct, embedders_of(encoder, encode, {}, run, &counts));
  cut = counts.cut;
  Matrix out(first.size(), 1);
  for (Index from = 0; from < first.size(); from += kPairs) {
    check_stop(run);
    const Index count = std::min(kPairs, first.size() - from);
    const auto part = [&](TextRole role, const std::vector<Index>& all) {
      const auto at = all.begin() + static_cast<std::ptrdiff_t>(from);
      return vectors.of(role, {at, at + static_cast<std::ptrdiff_t>(count)}).to_matrix();
    };
    const Matrix x = part(first_role, first), y = part(second_role, second);
    const auto found = pair_similarities(x.view(), y.view(), Similarity::cosine, run.quiet());
    for (Index i = 0; i < count; ++i) out[from + i][0] = static_cast<float>(found[i]);
  }
  return out;
}

enum class TableFormat : std::uint8_t { csv, jsonl };

TableFormat format_of(const fs::path& out) {
  if (out.extension() == ".csv") return TableFormat::csv;
  if (out.extension() == ".jsonl") return TableFormat::jsonl;
  throw Error(Fault::argument,
              option_name("out") + " is " + out.string() + ": the ending says no format; use .csv or .jsonl");
}

std::string key_of(const ScorePairsOptions& o, const Judge& judge, const Run& run) {
  std::vector<Field> list = list_fields(o);
  for (Field& field : list_fields(o.read)) list.push_back(std::move(field));
  for (Field& field : list_fields(o.score)) list.push_back(std::move(field));
  for (const std::string& name : o.columns) list.push_back({"column", name});
  list.push_back({"format", o.out.extension().string()});
  list.push_back({"model", judge.id()});
  return result_key("score", list, {o.input}, run);
}

/// The table with the new columns, row by row.
class ScoredTable {
 public:
  ScoredTable(const WholeTable& table, std::vector<std::string> added, TableFormat format, NewFile& file)
      : table_(table), added_(std::move(added)), format_(format), file_(file) {
    own_ = free_names(table.names, {added_.begin(), added_.end()});
    if (format_ == TableFormat::jsonl) return;
    for (const std::string& name : own_) cell(name);
    for (const std::string& name : added_) cell(name);
    end_row();
  }

  /// rank: from 1; 0: there is none.
  void add(Index row, std::span<const float> scores, Index rank) {
    if (format_ == TableFormat::csv) {
      for (const Texts& column : table_.columns) cell(column[row]);
      for (const float score : scores) cell(csv_number(score));
      if (rank > 0) cell(std::to_string(rank));
    } else {
      for (Index c = 0; c < own_.size(); ++c) {
        const CellKind kind = table_.kind(c, row);
        const std::string_view value = table_.columns[c][row];
        if (kind == CellKind::missing) continue;
        member(own_[c], kind == CellKind::json   ? std::string(value)
                        : kind == CellKind::null ? "null"
                                                 : quoted(value));
      }
      for (Index c = 0; c < scores.size(); ++c) member(added_[c], csv_number(scores[c]));
      if (rank > 0) member(added_.back(), std::to_string(rank));
    }
    end_row();
  }
  void finish() {
    file_.write(lines_);
    lines_.clear();
  }

 private:
  static std::string quoted(std::string_view text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  void cell(std::string_view text) {
    if (!first_) lines_ += ',';
    first_ = false;
    add_csv_field(lines_, text);
  }
  void member(const std::string& name, const std::string& value) {
    lines_ += (first_ ? "{" : ", ") + quoted(name) + ": " + value;
    first_ = false;
  }
  void end_row() {
    if (format_ == TableFormat::jsonl) lines_ += '}';
    lines_ += '\n';
    first_ = true;
    if (lines_.size() >= 1 << 16) finish();
  }

  const WholeTable& table_;
  std::vector<std::string> added_, own_;
  TableFormat format_;
  NewFile& file_;
  std::string lines_;
  bool first_ = true;
};

}  // namespace

ScorePairsReport score_pairs(const ScorePairsOptions& o, const Run& run) {
  check_options(o);
  check_options(o.score);
  require(!o.top || o.rank, Fault::argument,
          option_name("top") + " keeps the best of each first text; it needs " + option_name("rank"));
  const TableFormat format = format_of(o.out);
  if (o.input != "-") NewFile::keep_off(o.out, o.input);
  const Judge judge = Judge::load(o, run);
  const bool is_stream = o.input == "-";
  if (!is_stream && !fs::exists(o.input)) throw Error(Fault::file, o.input.string() + ": no such file");
  const std::string key = is_stream ? "" : key_of(o, judge, run);
  ScorePairsReport report;
  if (fs::exists(o.out) && !o.overwrite) {
    auto facts = is_stream ? std::optional<Facts>() : read_receipt(o.out, key);
    require(facts.has_value(), Fault::argument,
            o.out.string() + " exists; " + option_name("overwrite") + " replaces it");
    NewFile::clean_up(o.out);
    report.rows = (*facts)["rows"], report.written = (*facts)["written"], report.done_before = true;
    return report;
  }
  const WholeTable table = read_whole_table(o.input, o.read, run);
  const std::vector<Index> places = place_columns(table, {kFirstText, kSecondText}, o.columns);
  require(places[0] != places[1], Fault::argument,
          table.names[places[0]] + " is named for both texts; a pair has two columns");
  const Texts &firsts = table.columns[places[0]], &seconds = table.columns[places[1]];
  report.read = table.read;
  report.rows = table.rows;
  report.cross = judge.cross.has_value();
  report.model = judge.id();
  report.columns = {table.names[places[0]], table.names[places[1]]};
  const bool alike = is_one_of_like_texts(report.columns[0]);
  const Matrix scores = judge.cross
                            ? judge.cross->scores(firsts, seconds, o.score, run, &report.cut)
                            : cosines(*judge.encoder, firsts, seconds, alike, o.score, run, report.cut);

  std::vector<std::vector<Index>> queries = queries_of(firsts);
  report.queries = queries.size();
  report.scores = judge.columns();
  std::vector<std::string> added = report.scores;
  if (o.rank) added.emplace_back("rank");
  NewFile file(o.out);
  ScoredTable out(table, added, format, file);
  if (!o.rank) {
    for (Index i = 0; i < table.rows; ++i) out.add(i, scores[i], 0);
    report.written = table.rows;
  } else {
    for (std::vector<Index>& rows : queries) {
      std::ranges::stable_sort(rows, std::greater{}, [&](Index i) { return scores[i][0]; });
      const Index count = std::min(o.top.value_or(rows.size()), rows.size());
      for (Index r = 0; r < count; ++r) out.add(rows[r], scores[rows[r]], r + 1);
      report.written += count;
    }
  }
  out.finish();
  if (!key.empty())
    write_receipt(o.out, file.part(), key, {{"rows", report.rows}, {"written", report.written}});
  file.keep();
  return report;
}

}  // namespace shoal
