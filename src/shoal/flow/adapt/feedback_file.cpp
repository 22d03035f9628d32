#include "shoal/flow/adapt/feedback_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/near/select_rows.h"
#include "shoal/read/source.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Names = std::vector<std::string>;

/// Columns by their names; several names of one thing are parted by a bar.
struct Shape {
  const char* first;
  const char* second;
  const char* third;  // or null
  bool rows;          // the first is a row of the corpus
};
constexpr std::array kShapes{
    Shape{"row_a", "row_b", "accepted|label", true}, Shape{"text_a", "text_b", "label|accepted", false},
    Shape{"query", "clicked", nullptr, false}, Shape{"row", "folder|label", nullptr, true},
    Shape{"text", "folder|label", nullptr, false}};
constexpr const char* kAllowed =
    "row_a,row_b,accepted or text_a,text_b,label or query,clicked or row,folder or text,folder";

Names alternatives(std::string_view names) {
  Names out;
  while (!names.empty()) {
    const auto bar = names.find('|');
    out.emplace_back(names.substr(0, bar));
    names = bar == std::string_view::npos ? std::string_view() : names.substr(bar + 1);
  }
  return out;
}

std::optional<Index> place_of(const Names& columns, std::string_view wanted) {
  for (const auto& name : alternatives(wanted))
    if (const auto at = std::ranges::find(columns, name); at != columns.end())
      return static_cast<Index>(at - columns.begin());
  return std::nullopt;
}

std::string trimmed(std::string_view s) { return std::string(trimmed_text(s)); }

std::optional<Index> whole_number(const std::string& s) {
  Index out = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
  return error == std::errc() && end == s.data() + s.size() ? std::optional(out) : std::nullopt;
}

class FeedbackReading {
 public:
  FeedbackReading(const fs::path& file, const Rows& corpus, Seed seed, const EmbedTexts& embed,
                  const Run& run)
      : file_(file), corpus_(corpus), seed_(seed), embed_(embed), run_(run) {}

  FeedbackTable finish() {
    read();
    require(out_.rows > 0, Fault::data, file_.string() + " holds no feedback");
    gather();
    if (!names_.empty()) {
      place_folders();
    } else {
      draw_rejected();
    }
    return std::move(out_);
  }

 private:
  /// A row of the corpus (below its size) or, above it, a text of its own.
  using Id = Index;

  void read() {
    for (const Shape& shape : kShapes) {
      std::optional<Source> source;
      try {
        source.emplace(std::vector<fs::path>{file_}, ReadOptions{.text_columns = {shape.first}}, run_.stop);
      } catch (const Error& e) {
        if (e.fault != Fault::argument) throw;
        continue;  // there is no such column
      }
      const auto second = place_of(source->other_columns(), shape.second);
      const auto third = shape.third ? place_of(source->other_columns(), shape.third) : std::nullopt;
      if (!second || (shape.third && !third)) continue;
      take(*source, shape, *second, third);
      return;
    }
    throw Error(Fault::argument,
                file_.string() + " has none of the columns of feedback; allowed: " + kAllowed);
  }

  void take(Source& source, const Shape& shape, Index second, std::optional<Index> third) {
    out_.shape = std::string(shape.first) + "," + source.other_columns()[second] +
                 (third ? "," + source.other_columns()[*third] : "");
    const bool folders = alternatives(shape.second)[0] == "folder";
    Texts texts;
    std::vector<Texts> others;
    while (source.next(4096, texts, others))
      for (Index i = 0; i < texts.size(); ++i) {
        const Index number = ++out_.rows;
        const Id first =
            shape.rows ? row(trimmed(texts[i]), shape.first, number) : text(std::string(texts[i]));
        const std::string said = std::string(others[second][i]);
        if (folders) {
          const std::string name = trimmed(said);
          require(!name.empty(), Fault::data, where(number) + " names no folder");
          placed_.emplace_back(first, name);
          names_.try_emplace(name, 0);
          continue;
        }
        bool accepted = true;
        if (third) {
          const std::string cell = trimmed(others[*third][i]);
          const auto found = yes_or_no(cell);
          if (!found)
            throw Error(Fault::data, where(number) + " has '" + cell + "' as " +
                                         source.other_columns()[*third] +
                                         "; allowed: 1 or 0, yes or no, true or false, accepted or rejected");
          accepted = *found;
        }
        if (!third) {
          clicked_.push_back(said);
          pairs_.push_back({first, 0, accepted});
        } else {
          pairs_.push_back(
              {first, shape.rows ? row(trimmed(said), shape.second, number) : text(said), accepted});
        }
      }
    place_clicked(shape.second);
  }

  /// A column of whole numbers names rows; as soon as one cell is none, all are texts.
  void place_clicked(const char* column) {
    const bool rows = std::ranges::all_of(
        clicked_, [](const std::string& cell) { return whole_number(trimmed(cell)).has_value(); });
    for (Index i = 0; i < clicked_.size(); ++i)
      pairs_[i].b = rows ? row(trimmed(clicked_[i]), column, i + 1) : text(clicked_[i]);
  }

  std::string where(Index number) const { return file_.string() + ", row " + std::to_string(number); }

  Id row(const std::string& cell, const char* column, Index number) const {
    const auto value = whole_number(cell);
    if (!value || *value >= corpus_.rows())
      throw Error(Fault::data, where(number) + " has '" + cell + "' as " + column + "; there are rows 0.." +
                                   std::to_string(corpus_.rows() - 1));
    return *value;
  }
  Id text(const std::string& s) {
    const auto [at, added] = own_.try_emplace(s, corpus_.rows() + own_texts_.size());
    if (added) own_texts_.add(s);
    return at->second;
  }

  /// Vectors of all that is named, each once: of the corpus in its order, then the texts'.
  void gather() {
    std::vector<Index> rows;
    const auto use = [&](Id id) {
      if (id < corpus_.rows()) rows.push_back(id);
    };
    for (const JudgedPair& p : pairs_) use(p.a), use(p.b);
    for (const auto& [id, name] : placed_) use(id);
    if (!clicked_.empty()) {
      const Random random(seed_.child(1));
      for (Index i = 0; i < pairs_.size(); ++i) {
        drawn_.push_back(random.below(i, corpus_.rows()));
        use(drawn_.back());
      }
    }
    std::ranges::sort(rows);
    rows.erase(std::ranges::unique(rows).begin(), rows.end());
    for (Index i = 0; i < rows.size(); ++i) place_[rows[i]] = i;
    for (Index i = 0; i < own_texts_.size(); ++i) place_[corpus_.rows() + i] = rows.size() + i;
    const Matrix known = select_rows(corpus_, rows).to_matrix();
    Matrix all(rows.size() + own_texts_.size(), corpus_.cols());
    for (Index i = 0; i < known.rows(); ++i) std::ranges::copy(known[i], all[i].begin());
    if (own_texts_.size() > 0) {
      const Matrix own = embed_(own_texts_).to_matrix();
      require(own.cols() == corpus_.cols(), Fault::argument,
              "the model makes vectors of " + std::to_string(own.cols()) + " numbers; those searched have " +
                  std::to_string(corpus_.cols()));
      for (Index i = 0; i < own.rows(); ++i) std::ranges::copy(own[i], all[rows.size() + i].begin());
    }
    out_.texts = Rows(std::move(all)).assume_space(corpus_.space());
    for (const JudgedPair& p : pairs_) out_.pairs.push_back({place_.at(p.a), place_.at(p.b), p.accepted});
  }

  void draw_rejected() {
    std::set<std::pair<Index, Index>> clicked;  // what was drawn by chance must not speak against a click
    for (const JudgedPair& p : pairs_) clicked.emplace(place_.at(p.a), place_.at(p.b));
    for (Index i = 0; i < drawn_.size(); ++i) {
      const JudgedPair drawn{place_.at(pairs_[i].a), place_.at(drawn_[i]), false};
      if (drawn.a == drawn.b || clicked.contains({drawn.a, drawn.b}) || clicked.contains({drawn.b, drawn.a}))
        continue;
      out_.pairs.push_back(drawn);
      ++out_.drawn;
    }
  }

  void place_folders() {
    for (auto& [name, label] : names_) {
      label = static_cast<Label>(out_.names.size());
      out_.names.push_back(name);
    }
    constexpr Label kSeveral = -2;
    out_.folders = {std::vector<Label>(out_.texts.rows(), kNoise), out_.names.size()};
    for (const auto& [id, name] : placed_) {
      Label& to = out_.folders.of[place_.at(id)];
      const Label label = names_.at(name);
      to = to == kNoise || to == label ? label : kSeveral;
    }
    for (Label& label : out_.folders.of)
      if (label == kSeveral) {
        label = kNoise;
        ++out_.moved;
      }
  }

  const fs::path& file_;
  const Rows& corpus_;
  Seed seed_;
  const EmbedTexts& embed_;
  const Run& run_;
  FeedbackTable out_;
  std::vector<JudgedPair> pairs_;     // of Ids
  std::vector<std::string> clicked_;  // what was chosen, of each pair; empty if the table has no clicks
  std::vector<std::pair<Id, std::string>> placed_;
  std::map<std::string, Label> names_;
  std::map<std::string, Id, std::less<>> own_;
  Texts own_texts_;
  std::map<Id, Index> place_;
  std::vector<Index> drawn_;
};

}  // namespace

FeedbackTable read_feedback(const fs::path& file, const Rows& corpus, Seed seed, const EmbedTexts& embed,
                            const Run& run) {
  require(corpus.rows() > 0, Fault::data, "there are no rows that feedback could be about");
  return FeedbackReading(file, corpus, seed, embed, run).finish();
}

}  // namespace shoal
