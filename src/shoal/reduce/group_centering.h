#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What a `GroupCentering` may be told.
struct GroupCenteringOptions {
  bool shrink = true;  ///< draw means of small groups towards the mean of all rows
  std::string column;  ///< whose values name the groups; empty: they are detected languages
};
template <class V>
void fields(GroupCenteringOptions& o, V&& visit) {
  visit("column", o.column, "the column whose values name the groups. Default: they are detected languages");
  visit("shrink", o.shrink, "draw the means of small groups towards the mean of all rows");
}

/// Takes out of unit vectors what says which group they are of (a language, a source, a year): each row of
/// length 1 loses the mean of its group, and is scaled to length 1 again. Vectors of a multilingual encoder
/// then lie together by topic, not by language (the means are subtracted as in Libovicky, Rosa and Fraser
/// 2020, section 3.1). If the groups differ in topics too, that difference goes with it.
///
/// A mean of n rows is drawn to the mean of all by k / (n + k), where k is the variance of a row within its
/// group over the variance of the groups' means, from the analysis of variance (the empirical Bayes estimate
/// for a random effect). A row of no group (kNoise) loses the mean of all rows.
///
///   GroupCentering centering({"de", "en"});
///   for (...) centering.update(batch, labels_of_batch, run);
///   Rows neutral = centering.applied(rows, labels);
class GroupCentering {
 public:
  using Options = GroupCenteringOptions;
  static constexpr std::string_view kind = "group_centering";

  /// Groups by name, at least one. Learns by `update`. languages: of each group, the code of the language
  /// that its texts are in, "" where it is not known; or none. By it a new text finds its group.
  explicit GroupCentering(std::vector<std::string> groups, Options options = {},
                          std::vector<std::string> languages = {});
  /// group: of each row, 0..groups-1 or kNoise. Error(data) for another label, if a row holds a NaN or an
  /// infinity (named), or if columns or space differ from earlier batches; then the batch is not counted.
  /// O(rows d). Batches may be cut anywhere: the result is the same to the bit.
  void update(const Rows& batch, const std::vector<Label>& group, const Run& run = {});

  /// The rows without their groups' means, made as they are asked for: nothing is copied, and `x` must live
  /// as long as what it is made of. A row of zeros stays zeros. Error(data) unless there is a group for each
  /// row, and the rows have the columns and the space of those that were learnt from.
  Rows applied(const Rows& x, std::vector<Label> group) const;

  const std::vector<std::string>& groups() const& { return groups_; }
  std::vector<std::string> groups() && { return std::move(groups_); }
  const std::string& language(Index group) const& { return languages_[group]; }  ///< "" where not known
  bool has_languages() const;  ///< of any group the language is known
  /// The group of this name, or else of this language; kNoise if there is none.
  Label find(std::string_view name_or_language) const;
  Index rows_of(Index group) const { return rows_[group]; }  ///< seen
  Index count() const;                                       ///< rows seen in all, with those of no group
  /// What is taken from rows: (groups + 1) x d, the last for rows of no group. Error(data) if no row was
  /// seen.
  Matrix means() const;
  /// The k above: so many rows of the mean of all are mixed into each mean. 0 without shrinking, infinity if
  /// the groups do not differ by more than chance.
  double prior_rows() const;

  const Space& space() const& { return space_; }  ///< of the rows that go in
  Space space() && { return std::move(space_); }
  Space out_space() const;  ///< of the rows that come out
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }

  void save(ArchiveWriter& out) const;
  static GroupCentering load(
      const ArchiveReader& in);  ///< Error(format) if the file does not hold one, whole

 private:
  Options options_;
  std::vector<std::string> groups_, languages_;
  Space space_;
  std::vector<Index> rows_;   // groups + 1
  std::vector<double> sums_;  // of rows of length 1: (groups + 1) x d, each added up in the order of the rows
  Index zeros_ = 0;           // rows without a direction
};
static_assert(Stage<GroupCentering>);

}  // namespace shoal
