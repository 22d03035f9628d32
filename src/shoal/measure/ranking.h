#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// How well the passages that answer one query are found among all. Equal to what sentence-transformers'
/// InformationRetrievalEvaluator says of one query.
struct FoundScores {
  std::vector<double> accuracy;   ///< at each of `at`: 1 if a relevant one is among so many hits
  std::vector<double> precision;  ///< at each of `at`: relevant ones among so many, by so many
  std::vector<double> recall;     ///< at each of `at`: relevant ones among so many, by all relevant ones
  double ndcg = 0;                ///< at k: Jaervelin, Kekaelaeinen 2002, gain 1 for a relevant one
  double mrr = 0;                 ///< at k: 1 / rank of the first relevant one, 0 if it is not among k
  double map = 0;                 ///< at map_k: precision at each relevant hit, by min(map_k, relevant)
};
/// hits: 1 for a relevant one, best first. relevant: how many there are, at least 1.
FoundScores found_scores(std::span<const std::uint8_t> hits, Index relevant, std::span<const Index> at,
                         Index k, Index map_k);

/// How well one query's candidates are ordered. Equal to sentence-transformers' RerankingEvaluator: ties
/// share their ranks in nDCG and are one step in AP. In MRR they count against the relevant one, so that a
/// model to which all is alike does not look good.
struct OrderScores {
  double ap = 0;    ///< average precision, over all candidates
  double mrr = 0;   ///< at k
  double ndcg = 0;  ///< at k
};
/// Both of one length; more is better.
OrderScores order_scores(std::span<const double> scores, std::span<const std::uint8_t> relevant, Index k);

}  // namespace shoal
