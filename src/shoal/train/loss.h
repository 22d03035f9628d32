#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

/// What a loss is told of a batch: the vectors of its texts, column by column, and what is known of the rows.
struct LossBatch {
  /// Each rows x dims: sentence1, sentence2; anchor, positive, negative...; or text alone.
  std::vector<MatrixView> columns;
  /// rows x whatever the loss needs: a score or label a row, a teacher's vectors or similarities. Labels are
  /// whole numbers. Empty (0 x 0): the loss needs none.
  MatrixView targets{};

  Index rows() const { return columns.empty() ? 0 : columns.front().rows; }
};

/// The losses, by the names of sentence-transformers' classes (docs/training.md has the formulas):
/// CosineSimilarityLoss, CoSENTLoss, AnglELoss, ContrastiveLoss, OnlineContrastiveLoss, TripletLoss,
/// MultipleNegativesRankingLoss, BatchHardTripletLoss, BatchSemiHardTripletLoss, BatchAllTripletLoss,
/// BatchHardSoftMarginTripletLoss, MSELoss, MarginMSELoss, DistillKLDivLoss.
enum class LossKind : std::uint8_t {
  cosine,
  cosent,
  angle,
  contrastive,
  online_contrastive,
  triplet,
  mnrl,
  batch_hard,
  batch_semi_hard,
  batch_all,
  batch_hard_soft,
  mse,
  margin_mse,
  distill_kl
};
constexpr auto names_of(LossKind) {
  return std::array{"cosine",          "cosent", "angle",      "contrastive",     "online_contrastive",
                    "triplet",         "mnrl",   "batch_hard", "batch_semi_hard", "batch_all",
                    "batch_hard_soft", "mse",    "margin_mse", "distill_kl"};
}

/// How far two vectors are apart. Of vectors of length 1, squared Euclidean is twice cosine's.
enum class LossDistance : std::uint8_t { squared_euclidean, euclidean, cosine };
constexpr auto names_of(LossDistance) { return std::array{"squared_euclidean", "euclidean", "cosine"}; }

/// Which texts of the batch MultipleNegativesRankingLoss sets against an anchor and its positive:
/// one_way: all positives and negatives (query_to_doc). symmetric: also the positive against all anchors, a
/// softmax each way, their mean. joint: the same two in one softmax. all: also anchor against anchors and
/// positive against other positives and negatives, in one softmax (GTE's).
enum class LossDirections : std::uint8_t { one_way, symmetric, joint, all };
constexpr auto names_of(LossDirections) { return std::array{"one_way", "symmetric", "joint", "all"}; }

struct LossOptions {
  LossKind kind = LossKind::cosine;
  std::optional<LossDistance> distance;  ///< triplets, contrastive losses; absent: distance_of
  std::optional<double> margin;          ///< the same; absent: margin_of
  double scale = 20;                     ///< of cosines before exp: mnrl, cosent, angle
  LossDirections directions = LossDirections::one_way;
  double temperature = 1;  ///< distill_kl: scores are divided by it
  /// The loss is also taken of the first so many numbers of each vector, scaled to length 1:
  /// "384,256,128,64". Empty: only of the whole vectors, as they are.
  std::string matryoshka_dims;
  std::string matryoshka_weights;  ///< "1,0.5,...": one for each of them. Empty: 1 each
};
template <class V>
void fields(LossOptions& o, V&& visit) {
  visit("loss", o.kind, "what is made small");
  visit("distance", o.distance, "of triplets and contrastive losses");
  visit("margin", o.margin, "how much farther a negative must be than a positive", at_least(0));
  visit("scale", o.scale, "cosines are multiplied by it: mnrl, cosent, angle", above(0));
  visit("directions", o.directions, "mnrl: which texts of a batch are set against each other");
  visit("temperature", o.temperature, "distill_kl: scores are divided by it", above(0));
  visit("matryoshka_dims", o.matryoshka_dims, "first numbers of a vector that must do alone, as 256,128,64");
  visit("matryoshka_weights", o.matryoshka_weights, "weight of each of these losses, as 1,1,0.5");
}
/// Error(argument) if the lists cannot be read, or the distance is not one of the loss.
void check_together(const LossOptions& options);

/// Sets the kind by a short name (`mnrl`) or a class name of sentence-transformers
/// (`MultipleNegativesRankingLoss`; its Cached and Symmetric forms too). Error(argument) with all names.
void set_loss(LossOptions& options, std::string_view name);
std::string_view class_name_of(LossKind kind);

/// What the numbers beside the texts must be.
enum class LossTargets : std::uint8_t { none, score, binary, label, teacher_vectors, teacher_scores };
struct LossNeeds {
  Index least_columns, most_columns;  ///< of texts; most_columns 0: any number
  LossTargets targets;
};
LossNeeds needs_of(LossKind kind);
/// Rows are set against the other rows of their batch: one row alone teaches nothing.
bool uses_other_rows(LossKind kind);
/// The texts of other rows are taken for negatives: a text that occurs twice in a batch is set against
/// itself.
bool takes_rows_for_negatives(LossKind kind);

/// The distance, where the loss has one: as asked for, else the loss's own. Contrastive losses: cosine;
/// triplets: squared_euclidean.
LossDistance distance_of(const LossOptions& options);
/// The margin: as asked for, else 0.5 (0.25 for triplets by cosine, which is the same as 0.5 squared).
double margin_of(const LossOptions& options);
/// Largest first, each with its weight. Empty: none.
struct MatryoshkaPart {
  Index dims;
  double weight;
};
std::vector<MatryoshkaPart> matryoshka_of(const LossOptions& options);

/// Error(argument) naming the option if the loss cannot work on `columns` columns of vectors of `dims`
/// numbers: wrong number of columns, more matryoshka dims than there are.
void check_loss(const LossOptions& options, Index columns, Index dims);
/// Error(argument) for a margin that no triplet can meet: more than the largest distance of vectors of length
/// 1
/// (`unit_length`: they are; those that matryoshka_dims cuts are too), or than any cosine's.
void check_margin(const LossOptions& options, bool unit_length);
/// Error(data) naming the row if the targets of all rows (rows x numbers) are not of the loss's kind: a
/// cosine beyond -1..1, a binary that is neither 0 nor 1, a label that is not whole, a single label, no label
/// with two rows, a width that does not fit. `columns`, `dims`: of the texts' vectors.
/// `numbers`: what rows are called; empty: 1, 2, 3...
void check_targets(const LossOptions& options, MatrixView targets, Index columns, Index dims,
                   std::span<const Index> numbers = {});

/// The loss of a batch. slopes: of the loss by each column's vectors, in the shapes of the columns. The same
/// bits for any number of threads and any instruction set. A vector of zeros has no direction: its cosine
/// with anything is 0, with slope 0. If a vector holds a NaN or an infinity, the loss is NaN and all slopes
/// are 0. Memory beyond the slopes: a few columns' worth, and 64 rows of similarities a thread. Error as
/// check_loss and check_targets for shapes; labels are not checked again.
double loss(const LossOptions& options, const LossBatch& batch, std::vector<Matrix>& slopes,
            const Run& run = {});  // out: slopes

}  // namespace shoal
