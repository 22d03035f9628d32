#include "shoal/flow/scoring/cross_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "shoal/core/column_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/flow/scoring/pair_columns.h"
#include "shoal/flow/tables/number_column.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/read/columns.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const WantedColumn kSaid{"the label or score",
                         {"label", "score", "similarity", "is_duplicate", "relevance", "similarity_score"}};
const WantedColumn kAnchor{"anchor", {"anchor", "query", "question"}};
const WantedColumn kPositive{"positive", {"positive", "pos"}};
const WantedColumn kNegative{"negative", {"negative", "negative_1", "neg"}};

class CrossReading {
 public:
  CrossReading(const WholeTable& table, CrossRows& out) : table_(table), out_(out) {}

  void read_labelled(const std::vector<Index>& at, const ReadCrossOptions& o) {
    std::vector<std::string_view> said;
    for (Index i = 0; i < table_.rows; ++i) {
      const std::string_view a = cell(at[0], i), b = cell(at[1], i), label = cell(at[2], i);
      if (a.empty() || b.empty() || is_missing(label)) {
        leave_out(i);
        continue;
      }
      add(a, b, i);
      said.push_back(label);
    }
    require_rows();
    const NumberColumn column(table_, at[2]);
    std::vector<std::optional<double>> numbers;
    for (const Index row : out_.set.numbers) numbers.push_back(column.number(row - 1));
    out_.yes_or_no =
        std::ranges::all_of(said, [](std::string_view cell) { return yes_or_no(cell).has_value(); });
    if (!o.score_range.empty()) range_ = read_score_range(o.score_range);
    const bool names = !o.labels.empty() || (!out_.yes_or_no && std::ranges::none_of(numbers, is_number));
    out_.set.loss = o.loss ? *o.loss : names ? CrossLoss::ce : loss_of(numbers);
    if (out_.set.loss == CrossLoss::ce) {
      require(!range_, Fault::argument,
              option_name("score_range") + " is of scores; " + table_.names[at[2]] + " of " + table_.file +
                  " is read as names of labels");
      name_labels(said, o.labels);
    } else {
      for (Index i = 0; i < said.size(); ++i) targets_.push_back(target(said[i], numbers[i], at[2], i, o));
    }
    finish();
  }

  void read_triplets(const std::vector<Index>& at, std::optional<CrossLoss> loss) {
    require(loss.value_or(CrossLoss::bce) != CrossLoss::ce, Fault::argument,
            table_.file + " has positives and negatives, which are no labels of CrossEntropyLoss");
    out_.set.loss = loss.value_or(CrossLoss::bce);
    std::map<std::pair<std::string_view, std::string_view>, Index> places;
    const auto put = [&](std::string_view a, std::string_view b, float target, Index row) {
      const auto [found, fresh] = places.emplace(std::pair(a, b), out_.set.rows());
      if (!fresh) {
        targets_[found->second] = std::max(targets_[found->second], target);
        return;
      }
      add(a, b, row);
      targets_.push_back(target);
    };
    for (Index i = 0; i < table_.rows; ++i) {
      const std::string_view anchor = cell(at[0], i), positive = cell(at[1], i);
      if (anchor.empty() || positive.empty()) {
        leave_out(i);
        continue;
      }
      put(anchor, positive, 1, i);
      for (Index c = 2; c < at.size(); ++c)
        if (const std::string_view negative = cell(at[c], i); !negative.empty()) put(anchor, negative, 0, i);
    }
    require_rows();
    finish();
  }

 private:
  std::string_view cell(Index column, Index row) const { return trimmed_text(table_.columns[column][row]); }

  void add(std::string_view a, std::string_view b, Index row) {
    out_.set.firsts.add(a);
    out_.set.seconds.add(b);
    out_.set.numbers.push_back(row + 1);
  }
  void leave_out(Index row) {
    if (out_.blank++ == 0) out_.first_blank = table_.where(row);
  }
  void require_rows() const {
    require(out_.set.rows() > 0, Fault::data,
            table_.file + " has no row of two texts with something said of them");
  }

  static bool is_number(const std::optional<double>& number) { return number.has_value(); }

  /// Of labels that are no names.
  CrossLoss loss_of(const std::vector<std::optional<double>>& numbers) const {
    const bool shares = range_ || std::ranges::all_of(numbers, [](const std::optional<double>& x) {
                          return !x || (*x >= 0 && *x <= 1);
                        });
    return out_.yes_or_no || shares ? CrossLoss::bce : CrossLoss::mse;
  }

  float target(std::string_view cell, std::optional<double> x, Index column, Index i,
               const ReadCrossOptions& o) const {
    const Index row = out_.set.numbers[i] - 1;
    const auto is = yes_or_no(cell);
    // -1 is no, where it is no score.
    const bool as_word = !x || (!range_ && out_.yes_or_no && out_.set.loss == CrossLoss::bce);
    if (as_word && is) return *is ? 1.0f : 0.0f;
    if (!x)
      throw Error(Fault::data, table_.where(row) + " has '" + std::string(beginning_of(cell, 40)) + "' as " +
                                   table_.names[column] + "; a number is needed, or yes or no");
    if (!range_) return static_cast<float>(*x);
    require(*x >= range_->first && *x <= range_->second, Fault::data,
            table_.where(row) + " has " + std::string(cell) + " as " + table_.names[column] +
                ", which is not in " + option_name("score_range") + " " + o.score_range);
    return static_cast<float>((*x - range_->first) / (range_->second - range_->first));
  }

  void name_labels(const std::vector<std::string_view>& said, const std::vector<std::string>& known) {
    std::set<std::string> names(said.begin(), said.end());
    require(
        names.size() > 1, Fault::data,
        table_.file + ": every row has the label '" + *names.begin() + "'; there is nothing to tell apart");
    out_.labels = known;
    if (known.empty()) out_.labels.assign(names.begin(), names.end());
    for (Index i = 0; i < said.size(); ++i) {
      const auto at = std::ranges::find(out_.labels, said[i]);
      if (at == out_.labels.end())
        throw Error(Fault::data, table_.where(out_.set.numbers[i] - 1) + " has the label '" +
                                     std::string(beginning_of(said[i], 40)) + "'; known are " +
                                     list_names(out_.labels));
      targets_.push_back(static_cast<float>(at - out_.labels.begin()));
    }
  }

  void finish() {
    out_.set.targets = Matrix(targets_.size(), 1);
    std::ranges::copy(targets_, out_.set.targets.data());
  }

  const WholeTable& table_;
  CrossRows& out_;
  std::vector<float> targets_;
  std::optional<std::pair<double, double>> range_;
};

/// Where anchor, positive and negatives are; empty: it is no such table.
std::vector<Index> triplet_columns(const WholeTable& table) {
  const auto anchor = column_named(table, kAnchor.names), positive = column_named(table, kPositive.names),
             negative = column_named(table, kNegative.names);
  if (!anchor || !positive || !negative) return {};
  std::vector<Index> out{*anchor, *positive, *negative};
  for (const Index more : further_negatives(table, *negative)) out.push_back(more);
  return out;
}

Index column_called(const WholeTable& table, const std::string& name) {
  const auto at = std::ranges::find(table.names, name);
  require(at != table.names.end(), Fault::argument,
          table.file + " has no column \"" + name + "\"; the columns are " + list_names(table.names));
  return static_cast<Index>(at - table.names.begin());
}

/// Of two texts and what is said of them.
std::vector<Index> labelled_columns(const WholeTable& table, const ReadCrossOptions& o) {
  if (o.columns.empty() && o.target.empty())
    return place_columns(table, {kFirstText, kSecondText, kSaid}, {});
  std::vector<Index> out;
  if (o.columns.empty())
    out = place_columns(table, {kFirstText, kSecondText}, {});
  else
    for (const std::string& name : o.columns) out.push_back(column_called(table, name));
  const auto said = o.target.empty() ? column_named(table, kSaid.names) : column_called(table, o.target);
  if (!said)
    throw Error(Fault::argument,
                table.file + " has no column of labels or scores; the columns are " + list_names(table.names),
                option_name("target") + " names it");
  out.push_back(*said);
  return out;
}

}  // namespace

CrossRows read_cross_rows(const ReadCrossOptions& o, const Run& run) {
  require(o.columns.empty() || o.columns.size() > 1, Fault::argument,
          option_name("columns") + " names one column; a pair has two texts");
  if (o.columns.size() > 2)  // anchors, positives and negatives
    for (const auto& [given, name] :
         {std::pair(&o.target, "target"), std::pair(&o.score_range, "score_range")})
      require(given->empty(), Fault::argument,
              option_name(name) + " is of pairs with a label or score, and " + option_name("columns") +
                  " names " + std::to_string(o.columns.size()) +
                  " columns: an anchor, a positive and negatives");
  const WholeTable table = read_whole_table(o.file, o.read, run);
  CrossRows out;
  out.set.name = table.file;
  out.read = table.read;
  CrossReading reading(table, out);
  std::vector<Index> at;
  if (o.columns.size() > 2)
    for (const std::string& name : o.columns) at.push_back(column_called(table, name));
  else if (o.columns.empty() && o.target.empty())
    at = triplet_columns(table);
  if (!at.empty()) {
    reading.read_triplets(at, o.loss);
  } else {
    at = labelled_columns(table, o);
    reading.read_labelled(at, o);
    out.target = table.names[at.back()];
    at.pop_back();
  }
  for (const Index c : at) out.columns.push_back(table.names[c]);
  return out;
}

CrossLoss cross_loss_named(const std::string& name) {
  constexpr std::array kShort{"bce", "mse", "ce"};
  const auto all = names_of(CrossLoss());
  for (Index i = 0; i < all.size(); ++i)
    if (name == kShort[i] || name == all[i]) return static_cast<CrossLoss>(i);
  throw Error(Fault::argument, option_name("loss") + " is '" + name +
                                   "'; of cross-encoders it may be bce, mse or ce (BinaryCrossEntropyLoss, "
                                   "MSELoss or CrossEntropyLoss)");
}

}  // namespace shoal
