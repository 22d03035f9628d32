#include "shoal/flow/neutral/followed.h"

#include <algorithm>
#include <map>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/explain/association.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/measure/agreement.h"
#include "shoal/near/exact.h"
#include "shoal/tokenize/language.h"

namespace shoal {
namespace {

constexpr Index kBlocks = 40, kBlockRows = 500;  // looked at: so many stretches of so many rows
constexpr Index kMostColumns = 50;

/// Calls each(first, count) for stretches of rows spread evenly over all.
template <class Each>
void each_stretch(Index rows, Each&& each) {
  if (rows <= kBlocks * kBlockRows) return each(Index{0}, rows);
  for (Index b = 0; b < kBlocks; ++b) each(b * (rows - kBlockRows) / (kBlocks - 1), kBlockRows);
}

/// What `values` has to do with the labels of the same rows; nothing if it cannot be told.
std::optional<Followed> follows(const Texts& values, const Labels& labels, std::string column) {
  std::optional<Outcome> outcome;
  try {
    outcome = read_outcome(values, {.kind = OutcomeKind::categories});
  } catch (const Error& e) {
    if (e.fault != Fault::data) throw;
    return std::nullopt;  // one value, or too many
  }
  std::vector<Label> truth, found;
  for (Index i = 0; i < labels.of.size(); ++i) {
    if (labels.of[i] == kNoise || outcome->category.of[i] == kNoise) continue;
    truth.push_back(outcome->category.of[i]);
    found.push_back(labels.of[i]);
  }
  if (truth.empty()) return std::nullopt;
  const Contingency table(truth, found);
  std::vector<Index> most(table.clusters.size());
  for (const auto& cell : table.cells) most[cell.column] = std::max(most[cell.column], cell.count);
  Followed out{.column = std::move(column)};
  const auto rows = static_cast<double>(table.rows);
  for (const Index count : most) out.purity += static_cast<double>(count) / rows;
  out.base = static_cast<double>(std::ranges::max(table.class_sizes)) / rows;
  out.ami = agreement(table).adjusted_mutual_information;
  out.p = associate(labels, *outcome).overall.p;
  return out;
}

double lift(const Followed& f) { return f.base < 1 ? (f.purity - f.base) / (1 - f.base) : 0; }
bool more_than_chance(const Followed& f) { return f.p < 0.001 && f.ami >= 0.05; }

}  // namespace

std::vector<Followed> what_clusters_follow(const Collection& collection, const Run& run) {
  const Labels all = collection.labels();
  std::vector<Followed> out;
  if (all.count < 2) return out;
  Labels labels{.of = {}, .count = all.count};
  Texts languages;
  const auto names = collection.columns();
  std::vector<Texts> columns(std::min(kMostColumns, names.size()));
  const auto expected = languages_in(collection, run);
  each_stretch(all.of.size(), [&](Index first, Index count) {
    check_stop(run);
    const RowBatch batch = collection.batch(first, count);
    for (const Language& found : detect_languages(batch.texts, expected, run.quiet()))
      languages.add(found.code);
    for (Index i = 0; i < count; ++i) {
      labels.of.push_back(all.of[first + i]);
      for (Index c = 0; c < columns.size(); ++c) columns[c].add(batch.columns[c][i]);
    }
  });
  if (const auto f = follows(languages, labels, ""); f && more_than_chance(*f) && lift(*f) >= 0.5)
    out.push_back(*f);
  std::optional<Followed> strongest;
  const auto says_language = [&](const Texts& column) {  // it would be told twice
    Labels values = labels;
    std::map<std::string, Label, std::less<>> number;
    for (Index i = 0; i < values.of.size(); ++i)
      values.of[i] =
          number.try_emplace(std::string(languages[i]), static_cast<Label>(number.size())).first->second;
    values.count = number.size();
    const auto f = out.empty() ? std::nullopt : follows(column, values, "");
    return f && f->ami > 0.8;
  };
  for (Index c = 0; c < columns.size(); ++c) {
    const auto f = follows(columns[c], labels, names[c]);
    if (f && more_than_chance(*f) && lift(*f) >= 0.7 && (!strongest || lift(*f) > lift(*strongest)) &&
        !says_language(columns[c]))
      strongest = f;
  }
  if (strongest) out.push_back(*strongest);
  return out;
}

std::optional<double> left_of_groups(const Collection& collection, const Run& run) {
  constexpr Index kRows = 3000, kNear = 10;
  const Rows x = map_vectors(collection);
  const Labels groups = collection.labels(kNeutralGroups);
  const Index n = std::min(kRows, x.rows());
  Matrix some(n, x.cols());
  std::vector<Label> of;
  Index used = 0;
  for (Index i = 0; i < n; ++i) {
    Matrix scratch;
    const Index row = i * x.rows() / n;
    if (groups.of[row] == kNoise) continue;
    std::ranges::copy(x.block(row, 1, scratch)[0], some[used++].begin());
    of.push_back(groups.of[row]);
  }
  if (used < 2 * kNear) return std::nullopt;
  const Neighbours near =
      nearest_neighbours(Rows(some.view().slice(0, used)), kNear, Metric::cosine, run.quiet());
  std::map<Label, double> sizes;
  double same = 0, expected = 0;
  for (Index i = 0; i < used; ++i) {
    ++sizes[of[i]];
    for (Index j = 0; j < kNear; ++j) same += of[near.id[i * kNear + j]] == of[i];
  }
  same /= static_cast<double>(used * kNear);
  for (const auto& [group, size] : sizes)
    expected += size * (size - 1) / (static_cast<double>(used) * static_cast<double>(used - 1));
  if (expected >= 1) return std::nullopt;
  return (same - expected) / (1 - expected);
}

}  // namespace shoal
