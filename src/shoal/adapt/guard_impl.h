#pragma once

#include <array>
#include <vector>

#include "shoal/adapt/personalise.h"
#include "shoal/core/labels.h"

namespace shoal {

// What strengths are tried: below the top, and for the top from gentle to strong.
inline constexpr Strength kPairsOrder{2, 2}, kLabelsOrder{2, 0.5f};
inline constexpr std::array kPairsTops{Strength{0.2f, 0.1f}, Strength{0.5f, 0.2f}};
inline constexpr std::array kLabelsTops{Strength{0.2f, 0}, Strength{0.5f, 0}, Strength{1, 0}};

inline constexpr Index kMostGuardQueries = 500;   // of a fold
inline constexpr Index kMostGuardGallery = 3000;  // rows that they are compared with

/// Holds feedback out in folds and judges profiles that were learnt from the rest: report.order, report.tops.
void judge_by_pairs(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const std::vector<JudgedPair>& pairs, const ProfileOptions& options, const Run& run,
                    PersonaliseReport& report);
void judge_by_labels(const CorpusClusters& clusters, const Rows& texts, const Labels& labels,
                     const ProfileOptions& options, const Run& run, PersonaliseReport& report);

/// At most so many of the rows, drawn by the seed, in order.
std::vector<Index> some_of(const std::vector<Index>& rows, Index most, Seed seed);
std::vector<Index> all_rows(Index n);
/// The first n rows by score, ties to the smaller row.
std::vector<Index> best_rows(const std::vector<float>& score, Index n);
/// Mean of differences, whose error counts groups: differences inside one are not independent.
HeldOutGain grouped_gain(const std::vector<Label>& group, const std::vector<double>& before,
                         const std::vector<double>& after);

}  // namespace shoal
