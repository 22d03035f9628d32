#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// How often each class of one labelling meets each cluster of another. kNoise is a label like any other, as
/// in scikit-learn: it is a class (or a cluster) if any row has it.
struct Contingency {
  /// Rows of classes[row] in clusters[column]; never 0.
  struct Cell {
    std::uint32_t row = 0, column = 0;
    Index count = 0;

    bool operator==(const Cell&) const = default;
  };

  Index rows = 0;                    ///< rows labelled by both
  std::vector<Label> classes;        ///< labels that occur in the first, ascending
  std::vector<Label> clusters;       ///< labels that occur in the second, ascending
  std::vector<Index> class_sizes;    ///< rows of each class
  std::vector<Index> cluster_sizes;  ///< rows of each cluster
  std::vector<Cell> cells;           ///< those that are not empty, by row, then by column

  /// The table of `truth` (classes) against `found` (clusters). Error(argument) unless both are equally long.
  /// O(n log n).
  Contingency(std::span<const Label> truth, std::span<const Label> found);
  Contingency(const Labels& truth, const Labels& found)
      : Contingency(std::span(truth.of), std::span(found.of)) {}
};

/// How well a labelling agrees with another, whatever the labels are called. Equal to scikit-learn 1.9 within
/// 1e-12, also where it is a matter of definition: two empty labellings, or one class against one cluster,
/// agree perfectly (1); only Fowlkes-Mallows is 0 if no two rows are together in both.
struct Agreement {
  double rand = 0;                ///< share of the pairs of rows that both join or both part, 0..1
  double adjusted_rand = 0;       ///< Hubert, Arabie 1985: 1 equal, 0 as good as chance, may be negative
  double fowlkes_mallows = 0;     ///< 1983: geometric mean of the pairs' precision and recall, 0..1
  double mutual_information = 0;  ///< in nats
  double normalized_mutual_information = 0;  ///< by the arithmetic mean of both entropies, 0..1
  /// Vinh, Epps, Bailey 2010: 1 equal, 0 as good as chance; arithmetic mean; the expected mutual information
  /// is computed exactly.
  double adjusted_mutual_information = 0;
  double homogeneity = 0;   ///< Rosenberg, Hirschberg 2007: is each cluster of one class only? 0..1
  double completeness = 0;  ///< is each class in one cluster only? 0..1
  double v_measure = 0;     ///< their harmonic mean; the same number as normalized_mutual_information
};

/// All of them. `truth` and `found` may be swapped but for homogeneity and completeness, which swap too.
/// Time besides the table: what the expected mutual information takes, O(distinct class sizes x distinct
/// cluster sizes x their smaller one). Error(argument) unless both are equally long.
Agreement agreement(const Contingency& table);
inline Agreement agreement(const Labels& truth, const Labels& found) {
  return agreement(Contingency(truth, found));
}

/// The share of rows whose class is the most frequent one of their cluster, 0..1. Grows with the number of
/// clusters. 1 for no rows.
double purity(const Contingency& table);

/// The adjusted Rand index alone, O(n log n) with the table.
double adjusted_rand(const Contingency& table);

/// The V-measure of a table of weighed counts, classes x clusters, row by row: 0..1; 1 for one class against
/// one cluster.
double v_measure(std::span<const double> table, Index classes, Index clusters);

}  // namespace shoal
