#include "shoal/train/loss.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/train/loss_parts_impl.h"

namespace shoal {
namespace {

constexpr std::array kClasses{"CosineSimilarityLoss",
                              "CoSENTLoss",
                              "AnglELoss",
                              "ContrastiveLoss",
                              "OnlineContrastiveLoss",
                              "TripletLoss",
                              "MultipleNegativesRankingLoss",
                              "BatchHardTripletLoss",
                              "BatchSemiHardTripletLoss",
                              "BatchAllTripletLoss",
                              "BatchHardSoftMarginTripletLoss",
                              "MSELoss",
                              "MarginMSELoss",
                              "DistillKLDivLoss"};
static_assert(kClasses.size() == kNamesOf<LossKind>.size());

bool is_contrastive(LossKind kind) {
  return kind == LossKind::contrastive || kind == LossKind::online_contrastive;
}
bool is_batch_triplet(LossKind kind) {
  return kind == LossKind::batch_hard || kind == LossKind::batch_semi_hard || kind == LossKind::batch_all ||
         kind == LossKind::batch_hard_soft;
}

/// The numbers of "384,256, 128".
std::vector<double> numbers_of(const char* option, const std::string& list) {
  std::vector<double> out;
  if (list.empty()) return out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    std::string_view part(list.data() + at, end - at);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    double value = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || rest != part.data() + part.size() || !std::isfinite(value))
      throw Error(Fault::argument, option_name(option) + " has \"" + std::string(part) +
                                       "\"; it must be numbers with commas between them, as 256,128,64");
    out.push_back(value);
    at = end + 1;
  }
  return out;
}

std::string count_of(Index n, const char* thing) {
  return std::to_string(n) + ' ' + thing + (n == 1 ? "" : "s");
}

void check_columns(LossKind kind, Index columns) {
  const LossNeeds needs = needs_of(kind);
  if (columns >= needs.least_columns && (needs.most_columns == 0 || columns <= needs.most_columns)) return;
  std::string wanted = count_of(needs.least_columns, "column");
  if (needs.most_columns == 0)
    wanted += " of texts or more";
  else if (needs.most_columns > needs.least_columns)
    wanted = std::to_string(needs.least_columns) + " to " + std::to_string(needs.most_columns) +
             " columns of texts";
  else
    wanted += " of texts";
  throw Error(Fault::argument, std::string("loss ") + name_of(kind) + " needs " + wanted + ", but there " +
                                   (columns == 1 ? "is 1" : "are " + std::to_string(columns)));
}

void check_matryoshka(const LossOptions& options, Index dims) {
  for (const MatryoshkaPart& part : matryoshka_of(options))
    if (part.dims > dims)
      throw Error(Fault::argument, option_name("matryoshka_dims") + " has " + std::to_string(part.dims) +
                                       ", but the vectors have only " + std::to_string(dims) + " numbers");
}

/// How many numbers a row's targets have; 0: none.
void check_width(const LossOptions& options, Index width, Index columns, Index dims) {
  const auto refuse = [&](const std::string& wanted) {
    throw Error(Fault::data, std::string("loss ") + name_of(options.kind) + " needs " + wanted +
                                 " a row, but there " +
                                 (width == 1 ? "is 1" : "are " + std::to_string(width)));
  };
  switch (needs_of(options.kind).targets) {
    case LossTargets::none:
      return;
    case LossTargets::score:
      if (width != 1) refuse("one score");
      return;
    case LossTargets::binary:
      if (width != 1) refuse("one number, 0 or 1,");
      return;
    case LossTargets::label:
      if (width != 1) refuse("one label");
      return;
    case LossTargets::teacher_vectors:
      if (width != dims && width != dims * columns)
        refuse("the teacher's vector (" + count_of(dims, "number") + ", or so many for each column)");
      return;
    case LossTargets::teacher_scores:
      if (width == columns - 1 || (options.kind == LossKind::margin_mse && width + 2 == columns)) return;
      refuse(options.kind == LossKind::margin_mse
                 ? "the teacher's score of the positive and each negative (" + std::to_string(columns - 1) +
                       " numbers), or the differences of the two (" + std::to_string(columns - 2) + ")"
                 : "the teacher's score of the positive and each negative (" + std::to_string(columns - 1) +
                       " numbers)");
  }
}

bool all_finite(const LossBatch& batch, const Run& run) {
  for (const MatrixView column : batch.columns) {
    const bool ok = fold_chunks(
                        run.quiet(), column.rows, 256, char{1},
                        [&](Index first, Index last) {
                          for (Index i = first; i < last; ++i)
                            for (const float v : column[i])
                              if (!std::isfinite(v)) return char{0};
                          return char{1};
                        },
                        [](char& all, char part) { all = static_cast<char>(all & part); }) != 0;
    if (!ok) return false;
  }
  return true;
}

double loss_of(const LossTask& task) {
  switch (task.options.kind) {
    case LossKind::cosine:
    case LossKind::cosent:
    case LossKind::angle:
    case LossKind::contrastive:
    case LossKind::online_contrastive:
      return loss_of_pairs(task);
    case LossKind::triplet:
      return loss_of_triplets(task);
    case LossKind::mnrl:
      return loss_of_ranking(task);
    case LossKind::batch_hard:
    case LossKind::batch_semi_hard:
    case LossKind::batch_all:
    case LossKind::batch_hard_soft:
      return loss_of_batch_triplets(task);
    case LossKind::mse:
    case LossKind::margin_mse:
    case LossKind::distill_kl:
      return loss_of_teacher(task);
  }
  throw Error(Fault::argument, "there is no such loss");
}

std::vector<Matrix> zeros_like(const std::vector<MatrixView>& columns) {
  std::vector<Matrix> out;
  for (const MatrixView column : columns) out.emplace_back(column.rows, column.cols);
  return out;
}

/// A teacher's vectors shortened to their first `dims` of `whole` numbers, each column's.
Matrix shortened(MatrixView targets, Index whole, Index dims) {
  const Index parts = targets.cols / whole;
  Matrix out(targets.rows, parts * dims);
  for (Index i = 0; i < targets.rows; ++i)
    for (Index p = 0; p < parts; ++p)
      std::copy_n(targets[i].data() + p * whole, dims, out[i].data() + p * dims);
  return out;
}

/// The loss of the first numbers of each vector, scaled to length 1, times the weight; slopes are added to.
double matryoshka_part(const LossTask& task, const MatryoshkaPart& part) {
  const Index whole = task.dims();
  LossBatch cut;
  cut.targets = task.batch.targets;
  std::vector<Matrix> units;
  std::vector<std::vector<double>> lengths(task.batch.columns.size());
  for (Index c = 0; c < task.batch.columns.size(); ++c) {
    MatrixView first = task.batch.columns[c];
    first.cols = part.dims;
    units.push_back(unit_length(first, lengths[c], task.run));
  }
  for (const Matrix& unit : units) cut.columns.push_back(unit.view());
  Matrix targets;
  if (needs_of(task.options.kind).targets == LossTargets::teacher_vectors) {
    targets = shortened(task.batch.targets, whole, part.dims);
    cut.targets = targets.view();
  }
  std::vector<Matrix> slopes = zeros_like(cut.columns);
  const double value = loss_of({task.options, cut, slopes, task.run});
  for (Index c = 0; c < units.size(); ++c) {
    std::vector<double> slope(part.dims);
    std::vector<float> back(part.dims);
    for (Index i = 0; i < units[c].rows(); ++i) {
      for (Index j = 0; j < part.dims; ++j) slope[j] = part.weight * static_cast<double>(slopes[c][i][j]);
      unit_back(units[c][i], lengths[c][i], slope, back);
      for (Index j = 0; j < part.dims; ++j) task.slopes[c][i][j] += back[j];
    }
  }
  return part.weight * value;
}

}  // namespace

std::string_view class_name_of(LossKind kind) { return kClasses[static_cast<std::size_t>(kind)]; }

void set_loss(LossOptions& options, std::string_view name) {
  if (const auto kind = named<LossKind>(name)) {
    options.kind = *kind;
    return;
  }
  std::string_view plain = name;
  if (plain.starts_with("Cached")) plain.remove_prefix(6);
  if (plain == "MultipleNegativesSymmetricRankingLoss") {
    options.kind = LossKind::mnrl;
    options.directions = LossDirections::symmetric;
    return;
  }
  for (Index i = 0; i < kClasses.size(); ++i)
    if (kClasses[i] == name || (plain == kClasses[i] && static_cast<LossKind>(i) == LossKind::mnrl)) {
      options.kind = static_cast<LossKind>(i);
      return;
    }
  std::string all;
  for (Index i = 0; i < kClasses.size(); ++i)
    all += std::string(i == 0 ? "" : ", ") + kNamesOf<LossKind>[i] + " (" + kClasses[i] + ")";
  throw Error(Fault::argument, option_name("loss") + " is \"" + std::string(name) + "\"; there are " + all);
}

LossNeeds needs_of(LossKind kind) {
  switch (kind) {
    case LossKind::cosine:
    case LossKind::cosent:
    case LossKind::angle:
      return {2, 2, LossTargets::score};
    case LossKind::contrastive:
    case LossKind::online_contrastive:
      return {2, 2, LossTargets::binary};
    case LossKind::triplet:
      return {3, 3, LossTargets::none};
    case LossKind::mnrl:
      return {2, 0, LossTargets::none};
    case LossKind::batch_hard:
    case LossKind::batch_semi_hard:
    case LossKind::batch_all:
    case LossKind::batch_hard_soft:
      return {1, 1, LossTargets::label};
    case LossKind::mse:
      return {1, 0, LossTargets::teacher_vectors};
    case LossKind::margin_mse:
    case LossKind::distill_kl:
      return {3, 0, LossTargets::teacher_scores};
  }
  return {1, 0, LossTargets::none};
}

bool uses_other_rows(LossKind kind) {
  return kind == LossKind::mnrl || kind == LossKind::cosent || kind == LossKind::angle ||
         is_batch_triplet(kind);
}

bool takes_rows_for_negatives(LossKind kind) { return kind == LossKind::mnrl; }

LossDistance distance_of(const LossOptions& options) {
  return options.distance.value_or(is_contrastive(options.kind) ? LossDistance::cosine
                                                                : LossDistance::squared_euclidean);
}

double margin_of(const LossOptions& options) {
  const bool by_cosine = distance_of(options) == LossDistance::cosine && !is_contrastive(options.kind);
  return options.margin.value_or(by_cosine ? 0.25 : 0.5);
}

std::vector<MatryoshkaPart> matryoshka_of(const LossOptions& options) {
  const std::vector<double> dims = numbers_of("matryoshka_dims", options.matryoshka_dims),
                            weights = numbers_of("matryoshka_weights", options.matryoshka_weights);
  if (!weights.empty() && weights.size() != dims.size())
    throw Error(Fault::argument, option_name("matryoshka_weights") + " has " +
                                     count_of(weights.size(), "number") + ", " +
                                     option_name("matryoshka_dims") + " has " + std::to_string(dims.size()) +
                                     "; there must be as many");
  std::vector<MatryoshkaPart> out;
  for (Index i = 0; i < dims.size(); ++i) {
    if (dims[i] < 1 || dims[i] > 1e9 || dims[i] != std::floor(dims[i]))
      throw Error(Fault::argument, option_name("matryoshka_dims") + " has " + text_of(FieldValue(dims[i])) +
                                       "; it must be whole numbers from 1 on");
    const double weight = weights.empty() ? 1 : weights[i];
    if (weight < 0)
      throw Error(Fault::argument, option_name("matryoshka_weights") + " has " + text_of(FieldValue(weight)) +
                                       "; a weight is 0 or more");
    out.push_back({static_cast<Index>(dims[i]), weight});
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.dims > b.dims; });
  return out;
}

void check_together(const LossOptions& options) {
  matryoshka_of(options);
  if (is_contrastive(options.kind) && options.distance == LossDistance::squared_euclidean)
    throw Error(Fault::argument, option_name("distance") + " is squared_euclidean; loss " +
                                     name_of(options.kind) +
                                     " squares the distance itself: cosine or euclidean");
}

void check_loss(const LossOptions& options, Index columns, Index dims) {
  check_options(options);
  check_columns(options.kind, columns);
  check_matryoshka(options, dims);
}

void check_margin(const LossOptions& options, bool unit_length) {
  const bool unit = unit_length || !options.matryoshka_dims.empty();
  const bool triplets = options.kind == LossKind::triplet ||
                        (is_batch_triplet(options.kind) && options.kind != LossKind::batch_hard_soft);
  if (!triplets && !is_contrastive(options.kind)) return;
  const LossDistance distance = distance_of(options);
  const double most = distance == LossDistance::squared_euclidean ? 4 : 2, margin = margin_of(options);
  if (margin <= most || (distance != LossDistance::cosine && !unit)) return;
  const char* what = distance == LossDistance::squared_euclidean
                         ? "squared distances of vectors of length 1 are"
                     : distance == LossDistance::euclidean ? "distances of vectors of length 1 are"
                                                           : "cosine distances are";
  throw Error(Fault::argument,
              option_name("margin") + " is " + text_of(FieldValue(margin)) + ", but " + what + " at most " +
                  text_of(FieldValue(most)) +
                  ": no triplet can meet it, and training would drive all texts to the same few points",
              "take a margin from 0.1 to 1 (default " +
                  text_of(FieldValue(margin_of({.kind = options.kind, .distance = options.distance}))) + ")");
}

void check_targets(const LossOptions& options, MatrixView targets, Index columns, Index dims,
                   std::span<const Index> numbers) {
  const LossTargets kind = needs_of(options.kind).targets;
  if (kind == LossTargets::none) return;
  check_width(options, targets.rows == 0 ? 0 : targets.cols, columns, dims);
  const auto refuse = [&](Index row, float value, const std::string& what, const char* hint = "") {
    throw Error(
        Fault::data,
        "row " + std::to_string(numbers.empty() ? row + 1 : numbers[row]) + " has " + text_of(value) + what,
        hint);
  };
  for (Index i = 0; i < targets.rows; ++i)
    for (const float value : targets[i]) {
      if (!std::isfinite(value)) refuse(i, value, ", which is no number that a loss can use");
      if (options.kind == LossKind::cosine && std::abs(value) > 1)
        refuse(i, value, " as its score; a cosine is from -1 to 1",
               "divide the scores by their largest, or use loss cosent");
      if (kind == LossTargets::binary && value != 0 && value != 1)
        refuse(i, value, "; loss " + std::string(name_of(options.kind)) + " needs 1 (alike) or 0 (not)");
      if (kind == LossTargets::label && value != std::floor(value))
        refuse(i, value, " as its label, which is not whole");
    }
  if (kind != LossTargets::label) return;
  std::vector<float> labels(targets.rows);
  for (Index i = 0; i < targets.rows; ++i) labels[i] = targets[i][0];
  std::ranges::sort(labels);
  if (labels.empty() || labels.front() == labels.back())
    throw Error(Fault::data, std::string("all rows have the same label; loss ") + name_of(options.kind) +
                                 " needs at least two, as others are the negatives");
  if (std::ranges::adjacent_find(labels) == labels.end())
    throw Error(Fault::data, std::string("no two rows have the same label; loss ") + name_of(options.kind) +
                                 " needs two of one label, as one is the positive of the other");
}

double loss(const LossOptions& options, const LossBatch& batch, std::vector<Matrix>& slopes, const Run& run) {
  check_columns(options.kind, batch.columns.size());
  const Index rows = batch.rows(), dims = batch.columns.front().cols;
  for (const MatrixView column : batch.columns)
    require(column.rows == rows && column.cols == dims, Fault::argument,
            "the columns of a batch must have as many rows and numbers as each other");
  require(rows > 0 && dims > 0, Fault::argument, "a batch must have a row, and vectors a number");
  check_matryoshka(options, dims);
  if (needs_of(options.kind).targets != LossTargets::none) {
    require(
        batch.targets.rows == rows, Fault::argument,
        "a batch of " + std::to_string(rows) + " rows has targets for " + std::to_string(batch.targets.rows));
    check_width(options, batch.targets.cols, batch.columns.size(), dims);
  }
  slopes = zeros_like(batch.columns);
  if (!all_finite(batch, run)) return std::numeric_limits<double>::quiet_NaN();
  const LossTask task{options, batch, slopes, run};
  const std::vector<MatryoshkaPart> parts = matryoshka_of(options);
  if (parts.empty()) return loss_of(task);
  double sum = 0;
  for (const MatryoshkaPart& part : parts) sum += matryoshka_part(task, part);
  return sum;
}

}  // namespace shoal
