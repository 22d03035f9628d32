#include "shoal/flow/negatives/negatives.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "shoal/core/cell_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/flow/evaluation/role_vectors.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/tables/csv_field.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

const WantedColumn kAnchor{"anchor", {"anchor", "query", "question", "sentence1", "text_a"}};
const WantedColumn kPositive{"positive",
                             {"positive", "passage", "answer", "document", "sentence2", "text_b"}};
const WantedColumn kText{"text", {"text", "passage", "document", "sentence", "positive", "content"}};
constexpr Index kExamples = 5;

enum class Ending { csv, tsv, jsonl };

Ending ending_of(const fs::path& out) {
  const std::string ending = out.extension().string();
  if (ending == ".csv") return Ending::csv;
  if (ending == ".tsv") return Ending::tsv;
  if (ending == ".jsonl") return Ending::jsonl;
  throw Error(Fault::argument,
              option_name("out") + " is " + out.string() + "; it must end with .csv, .tsv or .jsonl");
}

/// Rows of a table in the making. A cell is JSON: strings as they are, others as their JSON text.
class TableFile {
 public:
  TableFile(const fs::path& path, std::vector<std::string> names)
      : file_(path), ending_(ending_of(path)), names_(std::move(names)) {
    if (ending_ == Ending::jsonl) return;
    std::vector<Json> header(names_.begin(), names_.end());
    separated(header);
  }
  void row(const std::vector<Json>& cells) {
    ++rows_;
    if (ending_ != Ending::jsonl) return separated(cells);
    Json line;
    for (Index i = 0; i < cells.size(); ++i) line[names_[i]] = cells[i];
    put(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  Index rows() const { return rows_; }
  /// Everything is written, but it has not its name yet.
  const fs::path& written() {
    file_.write(lines_);
    lines_.clear();
    return file_.part();
  }
  void keep() { file_.keep(); }

 private:
  void separated(const std::vector<Json>& cells) {
    std::string line;
    for (Index i = 0; i < cells.size(); ++i) {
      if (i > 0) line += ending_ == Ending::csv ? ',' : '\t';
      const std::string text = cells[i].is_string() ? cells[i].get<std::string>() : cells[i].dump();
      const bool quoted = ending_ == Ending::tsv && text.find('\t') != text.npos &&
                          text.find_first_of(",\"\r\n") == text.npos;
      if (quoted) {  // add_csv_field knows no tabs
        line += '"' + text + '"';
      } else {
        add_csv_field(line, text);
      }
    }
    put(line + "\n");
  }
  void put(const std::string& line) {
    lines_ += line;
    if (lines_.size() < 1 << 16) return;
    file_.write(lines_);
    lines_.clear();
  }

  NewFile file_;
  Ending ending_;
  std::vector<std::string> names_;
  std::string lines_;
  Index rows_ = 0;
};

ScoreSummary summary_of(std::vector<float> scores) {
  ScoreSummary out{.count = scores.size()};
  if (scores.empty()) return out;
  std::ranges::sort(scores);
  for (const float s : scores) out.mean += static_cast<double>(s);
  out.mean /= static_cast<double>(scores.size());
  const auto middle = scores.size() / 2;
  out.median = static_cast<double>(scores[middle]);
  if (scores.size() % 2 == 0) out.median = (out.median + static_cast<double>(scores[middle - 1])) / 2;
  out.least = static_cast<double>(scores.front()), out.largest = static_cast<double>(scores.back());
  return out;
}

std::string key_of(const Encoder& encoder, const NegativesOptions& o, const Run& run) {
  std::vector<Field> list = list_fields(o);
  const auto append = [&](std::vector<Field> more) {
    for (Field& field : more) list.push_back(std::move(field));
  };
  append(list_fields(o.mine)), append(list_fields(o.prompts)), append(list_fields(o.encode));
  append(list_fields(o.read));
  for (const std::string& name : o.columns) list.push_back({"column", name});
  list.push_back({"model", encoder.space().id});
  list.push_back({"judge", o.judge_id});
  list.push_back({"ending", o.out.extension().string()});
  std::vector<fs::path> inputs{o.input};
  if (!o.corpus.empty()) inputs.push_back(o.corpus);
  return result_key("negatives", list, inputs, run);
}

class NegativesRun {
 public:
  NegativesRun(const Encoder& encoder, const NegativesOptions& options, const Run& run)
      : encoder_(encoder), o_(options), run_(run) {}

  NegativesReport finish(const std::string& key) {
    TableFile file(o_.out, header());  // that it cannot be written is said before the work
    read();
    mine();
    write(file);
    summarise();
    const fs::path& part = file.written();
    report_.rows = file.rows();
    if (!key.empty()) write_receipt(o_.out, part, key, {{"rows", report_.rows}});
    file.keep();
    return std::move(report_);
  }

 private:
  std::vector<std::string> header() const {
    if (o_.output_format == NegativesFormat::labeled_pair)
      return {"anchor", "passage", o_.output_scores ? "score" : "label"};
    std::vector<std::string> out{"anchor", "positive"};
    if (o_.output_format == NegativesFormat::triplet) {
      out.emplace_back("negative");
    } else {
      for (Index i = 1; i <= o_.mine.num_negatives; ++i) out.push_back("negative_" + std::to_string(i));
    }
    if (o_.output_scores) out.emplace_back("scores");
    return out;
  }

  static std::string_view text_at(const WholeTable& table, Index column, Index row) {
    const std::string_view cell = table.columns[column][row];
    if (table.kind(column, row) == CellKind::json)
      throw Error(Fault::data, table.where(row) + " has " + std::string(beginning_of(cell, 40)) + " as " +
                                   table.names[column] + "; a text is needed");
    return trimmed_text(cell).empty() ? std::string_view() : cell;
  }

  Index passage(std::string_view text) {
    const Index number = texts_.add(text, TextRole::document);
    const auto [at, fresh] = passage_of_.try_emplace(number, passages_.size());
    if (fresh) passages_.push_back(number);
    return at->second;
  }

  void read() {
    if (!o_.corpus.empty()) {
      ReadOptions whole = o_.read;
      whole.limit.reset();
      const WholeTable more = read_whole_table(o_.corpus, whole, run_);
      const Index column = place_columns(more, {kText}, {})[0];
      for (Index i = 0; i < more.rows; ++i)
        if (const auto text = text_at(more, column, i); !text.empty()) passage(text);
    }
    const WholeTable table = read_whole_table(o_.input, o_.read, run_);
    report_.read = table.read;
    const auto at = place_columns(table, {kAnchor, kPositive}, o_.columns);
    std::unordered_map<Index, Index> known;
    std::vector<Index> rows;  // of each anchor
    for (Index i = 0; i < table.rows; ++i) {
      const auto a = text_at(table, at[0], i), p = text_at(table, at[1], i);
      if (a.empty() || p.empty()) {
        ++report_.blank;
        continue;
      }
      const Index number = texts_.add(a, TextRole::query);
      const auto [place, fresh] = known.try_emplace(number, anchors_.size());
      if (fresh) anchors_.push_back(number), positives_.emplace_back(), rows.push_back(0);
      const Index found = passage(p);
      std::vector<Index>& mine = positives_[place->second];
      if (std::ranges::find(mine, found) == mine.end()) mine.push_back(found), ++report_.pairs;
      ++rows[place->second];
    }
    require(!anchors_.empty(), Fault::data, table.file + " has no row with an anchor and a positive");
    require(passages_.size() >= 2, Fault::data,
            table.file + " has one passage only; there is nothing to find negatives among");
    most_rows_ = *std::ranges::max_element(rows);
    report_.anchors = anchors_.size(), report_.passages = passages_.size();
  }

  void mine() {
    std::vector<std::optional<Index>> never;
    for (const Index anchor : anchors_) {
      const auto own = passage_of_.find(anchor);
      never.push_back(own == passage_of_.end() ? std::nullopt : std::optional(own->second));
    }
    JudgeAnchors judge;
    if (o_.judge)
      judge = [this](const std::vector<Index>& anchors, const std::vector<Index>& passages) {
        Texts first, second;
        for (const Index a : anchors) first.add(anchor_text(a));
        for (const Index p : passages) second.add(passage_text(p));
        return o_.judge(first, second);
      };
    const RoleVectors x(texts_, embedders_of(encoder_, o_.encode, o_.prompts, run_, &report_.counts));
    report_.mined = mine_negatives(x.of(TextRole::query, anchors_), x.of(TextRole::document, passages_),
                                   positives_, never, most_rows_, o_.mine, judge, run_);
  }

  std::string anchor_text(Index anchor) const { return std::string(texts_.texts[anchors_[anchor]]); }
  std::string passage_text(Index passage) const { return std::string(texts_.texts[passages_[passage]]); }

  void write(TableFile& file) const {
    const auto number = [](float score) { return Json::parse(csv_number(score)); };  // no more digits
    for (Index a = 0; a < anchors_.size(); ++a) {
      const MinedAnchor& found = report_.mined.anchors[a];
      if (o_.output_format == NegativesFormat::labeled_pair) {
        for (const auto& p : found.positives)
          file.row({anchor_text(a), passage_text(p.passage), o_.output_scores ? number(p.score) : Json(1)});
        for (const auto& n : found.negatives)
          file.row({anchor_text(a), passage_text(n.passage), o_.output_scores ? number(n.score) : Json(0)});
        continue;
      }
      for (const auto& p : found.positives) {
        std::vector<Json> row{anchor_text(a), passage_text(p.passage)};
        if (o_.output_format == NegativesFormat::triplet) {
          for (const auto& n : found.negatives) {
            row.resize(2);
            row.emplace_back(passage_text(n.passage));
            if (o_.output_scores) row.push_back(Json::array({number(p.score), number(n.score)}));
            file.row(row);
          }
        } else if (found.negatives.size() == o_.mine.num_negatives) {
          Json scores = Json::array({number(p.score)});
          for (const auto& n : found.negatives) {
            row.emplace_back(passage_text(n.passage));
            scores.push_back(number(n.score));
          }
          if (o_.output_scores) row.push_back(scores);
          file.row(row);
        }
      }
    }
  }

  void summarise() {
    std::vector<float> positive, negative, apart;
    std::vector<std::pair<float, Index>> above;
    for (Index a = 0; a < anchors_.size(); ++a) {
      const MinedAnchor& found = report_.mined.anchors[a];
      report_.short_of += found.negatives.size() < o_.mine.num_negatives;
      report_.without += found.negatives.empty();
      float least = found.positives[0].score;
      for (const auto& p : found.positives) {
        positive.push_back(p.score);
        least = std::min(least, p.score);
        for (const auto& n : found.negatives) apart.push_back(p.score - n.score);
      }
      for (const auto& n : found.negatives) negative.push_back(n.score);
      if (found.nearer) above.emplace_back(least - found.nearer->score, a);
    }
    report_.positive = summary_of(positive), report_.negative = summary_of(negative);
    report_.difference = summary_of(apart);
    std::ranges::sort(above);
    for (Index i = 0; i < std::min(kExamples, above.size()); ++i) {
      const MinedAnchor& found = report_.mined.anchors[above[i].second];
      const auto least = std::ranges::min_element(found.positives, {}, &ScoredPassage::score);
      report_.examples.push_back({anchor_text(above[i].second), passage_text(least->passage),
                                  passage_text(found.nearer->passage), least->score, found.nearer->score});
    }
    report_.mined.anchors.clear();
  }

  const Encoder& encoder_;
  const NegativesOptions& o_;
  const Run& run_;
  DistinctTexts texts_;
  std::vector<Index> anchors_, passages_;  // texts
  std::unordered_map<Index, Index> passage_of_;
  std::vector<std::vector<Index>> positives_;
  Index most_rows_ = 0;
  NegativesReport report_;
};

}  // namespace

NegativesReport write_negatives(const Encoder& encoder, const NegativesOptions& o, const Run& run) {
  check_options(o);
  check_options(o.mine);
  ending_of(o.out);
  for (const fs::path& input : {o.input, o.corpus})
    if (!input.empty() && input != "-") NewFile::keep_off(o.out, input);
  if (o.judge && !o.mine.filtered())
    throw Error(Fault::argument, "a judge's scores count where margins or limits do, and none is given",
                option_name("relative_margin") + " 0.05, for example");
  const bool kept = o.input != "-" && o.corpus != "-" && fs::exists(o.input);
  const std::string key = kept ? key_of(encoder, o, run) : "";
  if (!o.overwrite && fs::exists(o.out)) {
    const auto made = key.empty() ? std::nullopt : read_receipt(o.out, key);
    require(made.has_value(), Fault::argument,
            o.out.string() + " exists; " + option_name("overwrite") + " replaces it");
    NewFile::clean_up(o.out);
    NegativesReport report;
    report.done_before = true;
    report.rows = made->at("rows");
    return report;
  }
  return NegativesRun(encoder, o, run).finish(key);
}

}  // namespace shoal
