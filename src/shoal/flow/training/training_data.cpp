#include "shoal/flow/training/training_data.h"

#include <algorithm>
#include <map>
#include <optional>

#include "shoal/core/column_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/tables/number_column.h"
#include "shoal/flow/tables/whole_table.h"

namespace shoal {
namespace {

using Names = std::vector<std::string>;

const Names kFirst{"sentence1", "sentence_1", "sentence_a", "text_a", "text1",
                   "text_1",    "question1",  "question_1", "anchor", "query"};
const Names kSecond{"sentence2",  "sentence_2", "sentence_b", "text_b", "text2",  "text_2", "question2",
                    "question_2", "positive",   "positive_1", "pos",    "answer", "passage"};
const Names kNegative{"negative", "neg", "negative_1"};
const Names kText{"text", "sentence", "sentences", "content", "document"};
const Names kTarget{"score",    "scores", "similarity",   "similarity_score",
                    "label",    "labels", "is_duplicate", "duplicate",
                    "category", "class",  "intent"};

std::string joined(const Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

class TableReading {
 public:
  TableReading(const ReadTrainingOptions& options, const Run& run)
      : o_(options), run_(run), table_(read_whole_table(options.file, options.read, run)) {}

  TrainingTable finish() {
    out_.read = table_.read;
    out_.set.name = table_.file;
    out_.set.loss = o_.options;
    find_columns();
    choose_loss();
    gather();
    if (wants() == LossTargets::teacher_vectors || wants() == LossTargets::teacher_scores) ask_teacher();
    return std::move(out_);
  }

 private:
  LossTargets wants() const { return needs_of(out_.set.loss.kind).targets; }

  Index named(const std::string& name, const char* option) const {
    const auto found = std::ranges::find(table_.names, name);
    require(found != table_.names.end(), Fault::argument,
            table_.file + " has no column " + name + ", which " + option_name(option) + " names; it has " +
                joined(table_.names));
    return static_cast<Index>(found - table_.names.begin());
  }

  void find_columns() {
    if (!o_.target.empty()) target_ = named(o_.target, "target");
    if (!o_.columns.empty()) {
      for (const std::string& name : o_.columns) texts_.push_back(named(name, "columns"));
    } else {
      const auto first = column_named(table_, kFirst), second = column_named(table_, kSecond);
      if (first && second) {
        texts_ = {*first, *second};
        if (const auto negative = column_named(table_, kNegative)) {
          texts_.push_back(*negative);
          for (const Index more : further_negatives(table_, *negative)) texts_.push_back(more);
        }
      } else if (const auto text = column_named(table_, kText)) {
        texts_ = {*text};
      }
    }
    if (!target_) {
      const auto found = column_named(table_, kTarget);
      if (found && std::ranges::find(texts_, *found) == texts_.end()) target_ = found;
    }
    if (texts_.empty())  // by order, as sentence-transformers takes them
      for (Index c = 0; c < table_.names.size(); ++c)
        if (c != target_) texts_.push_back(c);
    require(!texts_.empty(), Fault::argument,
            table_.file + " has no column of texts; it has " + joined(table_.names));
    for (const Index c : texts_) out_.columns.push_back(table_.names[c]);
  }

  bool only_zeros_and_ones() const {
    for (Index i = 0; i < table_.rows; ++i) {
      const auto cell = trimmed_text(table_.columns[*target_][i]);
      if (!is_missing(cell) && plain_number(cell) != 0 && plain_number(cell) != 1 && !yes_or_no(cell))
        return false;
    }
    return true;
  }

  void choose_loss() {
    LossOptions& loss = out_.set.loss;
    if (!o_.loss.empty()) {
      set_loss(loss, o_.loss);
    } else if (texts_.size() == 1 && target_) {
      loss.kind = LossKind::batch_hard_soft;
    } else if (texts_.size() == 1 && o_.teacher) {
      loss.kind = LossKind::mse;
    } else if (texts_.size() == 2 && target_) {
      loss.kind = only_zeros_and_ones() ? LossKind::contrastive : LossKind::cosine;
    } else if (texts_.size() >= 2 && !target_) {
      loss.kind = LossKind::mnrl;
    } else {
      throw Error(
          Fault::argument,
          table_.file + " has the columns " + joined(table_.names) +
              "; no loss goes with them by itself: two texts and a score, two or more texts that belong "
              "together, or a text and a label are wanted",
          option_name("loss") + ", " + option_name("columns") + " and " + option_name("target") +
              " say what is meant");
    }
    const LossNeeds needs = needs_of(loss.kind);
    const std::string name(name_of(loss.kind));
    if (needs.targets == LossTargets::none && target_) {
      out_.unused = table_.names[*target_];
      target_.reset();
    }
    const bool own_target = needs.targets == LossTargets::score || needs.targets == LossTargets::binary ||
                            needs.targets == LossTargets::label;
    require(!own_target || target_, Fault::argument,
            "the loss " + name + " needs a column of " +
                (needs.targets == LossTargets::label ? "labels" : "scores") + ", and " + table_.file +
                " has " + joined(table_.names) + "; " + option_name("target") + " names it");
    require(texts_.size() >= needs.least_columns &&
                (needs.most_columns == 0 || texts_.size() <= needs.most_columns),
            Fault::argument,
            "the loss " + name + " takes " + std::to_string(needs.least_columns) +
                (needs.most_columns == needs.least_columns ? ""
                 : needs.most_columns == 0                 ? " or more"
                                                           : " to " + std::to_string(needs.most_columns)) +
                (needs.most_columns == 1 ? " text" : " texts") + " a row, and " + table_.file + " has " +
                std::to_string(texts_.size()) + ": " + joined(out_.columns) + "; " + option_name("columns") +
                " names them");
    const bool teacher =
        needs.targets == LossTargets::teacher_vectors || needs.targets == LossTargets::teacher_scores;
    require(!teacher || o_.teacher || (target_ && needs.targets == LossTargets::teacher_scores),
            Fault::argument,
            "the loss " + name + " learns from a teacher; " + option_name("teacher") + " names a model");
    if (teacher && o_.teacher) target_.reset();
    if (target_) out_.target = table_.names[*target_];
    if (!o_.score_range.empty()) range_ = read_score_range(o_.score_range);
  }

  void leave_out(Index row) {
    if (out_.blank++ == 0) out_.first_blank = table_.where(row);
  }

  void gather() {
    TrainingSet& set = out_.set;
    set.columns.resize(texts_.size());
    std::vector<float> targets;
    std::vector<std::string> cells;
    std::optional<NumberColumn> numbers;  // with decimal commas too
    if (target_) numbers.emplace(table_, *target_);
    for (Index i = 0; i < table_.rows; ++i) {
      const bool blank =
          std::ranges::any_of(texts_, [&](Index c) { return trimmed_text(table_.columns[c][i]).empty(); });
      const auto cell = target_ ? trimmed_text(table_.columns[*target_][i]) : std::string_view();
      if (blank || (target_ && is_missing(cell))) {
        leave_out(i);
        continue;
      }
      if (target_ && wants() == LossTargets::label)
        cells.emplace_back(cell);
      else if (target_)
        targets.push_back(target_of(numbers, cell, i));
      for (Index c = 0; c < texts_.size(); ++c) set.columns[c].add(table_.columns[texts_[c]][i]);
      set.numbers.push_back(i + 1);
    }
    if (set.rows() == 0)
      throw Error(Fault::data, table_.file + " has no rows to train on",
                  with_commas(out_.blank) +
                      " of its rows have an empty cell where one is needed, the first is " +
                      out_.first_blank);
    if (wants() == LossTargets::label) number_labels(cells, targets);
    if (!target_) return;
    set.targets = Matrix(set.rows(), 1);
    std::ranges::copy(targets, set.targets.data());
  }

  float target_of(const std::optional<NumberColumn>& numbers, std::string_view cell, Index row) const {
    auto value = numbers->number(row);
    if (!value && wants() == LossTargets::binary)
      if (const auto said = yes_or_no(cell)) value = *said ? 1 : 0;
    if (!value)
      throw Error(Fault::data, table_.where(row) + " has '" + std::string(beginning_of(cell, 40)) + "' as " +
                                   table_.names[*target_] + "; a number is needed");
    if (range_) {
      require(*value >= range_->first && *value <= range_->second, Fault::data,
              table_.where(row) + " has " + std::string(cell) + " as " + table_.names[*target_] +
                  ", which is not in " + option_name("score_range") + " " + o_.score_range);
      value = (*value - range_->first) / (range_->second - range_->first);
    }
    const bool cosine =
        !o_.any_score && wants() == LossTargets::score && out_.set.loss.kind == LossKind::cosine;
    if (cosine && (*value < -1 || *value > 1))
      throw Error(Fault::data,
                  table_.where(row) + " has " + std::string(cell) + " as " + table_.names[*target_] +
                      "; the loss cosine wants cosines, -1 to 1",
                  "scores from 0 to 5 are brought there by " + option_name("score_range") + " 0,5");
    return static_cast<float>(*value);
  }

  void number_labels(const std::vector<std::string>& cells, std::vector<float>& targets) {
    std::map<std::string, Index> numbers;
    for (const std::string& cell : cells) numbers.emplace(cell, 0);
    for (auto& [name, number] : numbers) {
      number = out_.labels.size();
      out_.labels.push_back(name);
    }
    require(numbers.size() > 1, Fault::data,
            table_.file + ": all rows have the label " + out_.labels.front() +
                "; two labels at least are needed");
    for (const std::string& cell : cells) targets.push_back(static_cast<float>(numbers.at(cell)));
  }

  /// The teacher's vectors of each column's texts; or how near it finds each text to the first of its row.
  void ask_teacher() {
    if (!o_.teacher) return;
    TrainingSet& set = out_.set;
    std::vector<Matrix> vectors;
    for (const Texts& column : set.columns) vectors.push_back(o_.teacher(column).to_matrix());
    const Index n = set.rows(), d = vectors.front().cols(), columns = vectors.size();
    const bool scores = wants() == LossTargets::teacher_scores;
    set.targets = Matrix(n, scores ? columns - 1 : columns * d);
    for (Index i = 0; i < n; ++i)
      for (Index c = 0; c < columns; ++c) {
        if (!scores) {
          std::ranges::copy(vectors[c][i], set.targets[i].data() + c * d);
          continue;
        }
        if (c == 0) continue;
        double sum = 0;
        for (Index j = 0; j < d; ++j)
          sum += static_cast<double>(vectors[0][i][j]) * static_cast<double>(vectors[c][i][j]);
        set.targets[i][c - 1] = static_cast<float>(sum);
      }
  }

  const ReadTrainingOptions& o_;
  const Run& run_;
  WholeTable table_;
  std::vector<Index> texts_;
  std::optional<Index> target_;
  std::optional<std::pair<double, double>> range_;
  TrainingTable out_;
};

}  // namespace

TrainingTable read_training_table(const ReadTrainingOptions& options, const Run& run) {
  return TableReading(options, run).finish();
}

}  // namespace shoal
