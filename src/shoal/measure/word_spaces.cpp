#include "shoal/measure/word_spaces.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/measure/rank_correlation.h"

namespace shoal {

WordSimilarity word_similarity(const std::vector<JudgedPairs>& sets,
                               const std::vector<std::vector<double>>& cosines, const Run& run) {
  require(sets.size() == cosines.size() && !sets.empty(), Fault::argument,
          "word similarity needs sets of pairs, and cosines of each");
  WordSimilarity out;
  const auto share = static_cast<double>(sets.size());
  for (Index s = 0; s < sets.size(); ++s) {
    const Index n = sets[s].words.size();
    require(sets[s].judged.size() == n && cosines[s].size() == n, Fault::argument,
            "pairs, judgements and cosines are not equally many");
    const RankedLists ranked(cosines[s], sets[s].judged);
    const double value = ranked.spearman(std::vector<std::uint32_t>(n, 1));
    out.value += value / share;
    const Index before = out.influence.size();
    out.influence.resize(before + n);
    for_chunks(run.quiet(), n, 64, [&](Index, Index first, Index last) {
      std::vector<std::uint32_t> times(n, 1);
      for (Index p = first; p < last; ++p) {
        times[p] = 0;
        out.influence[before + p] = (value - ranked.spearman(times)) / share;
        times[p] = 1;
      }
    });
  }
  return out;
}

Measured measured(const WordSimilarity& what, const std::vector<JudgedPairs>& sets, Index words) {
  std::vector<double> of_word(words);
  double once = 0, twice = 0;
  Index p = 0;
  for (const JudgedPairs& set : sets)
    for (const auto& [a, b] : set.words) {
      const double x = what.influence[p++];
      of_word[a] += x;
      if (b != a) of_word[b] += x;
      once += x * x;
      if (b != a) twice += x * x;
    }
  double sum = 0;
  for (const double x : of_word) sum += x * x;
  const double reach = 1.96 * std::sqrt(std::max(sum - twice, once));
  return {what.value, what.value - reach, what.value + reach};
}

WordSimilarity difference(const WordSimilarity& a, const WordSimilarity& b) {
  require(a.influence.size() == b.influence.size(), Fault::argument, "similarities of different pairs");
  WordSimilarity out{a.value - b.value, a.influence};
  for (Index i = 0; i < out.influence.size(); ++i) out.influence[i] -= b.influence[i];
  return out;
}

std::vector<std::uint8_t> solve_analogies(MatrixView vectors,
                                          std::span<const std::array<std::uint32_t, 4>> questions,
                                          const Run& run) {
  constexpr Index kQuestions = 64, kWords = 1024;
  std::vector<std::uint8_t> out(questions.size());
  std::vector<Packed> packed;
  for (Index first = 0; first < vectors.rows; first += kWords)
    packed.push_back(Packed::rows(vectors.slice(first, std::min(kWords, vectors.rows - first))));
  for_chunks(
      run, questions.size(), kQuestions,
      [&](Index, Index first, Index last) {
        Matrix wanted(last - first, vectors.cols);
        for (Index q = first; q < last; ++q) {
          const auto& [a, b, c, d] = questions[q];
          for (Index i = 0; i < vectors.cols; ++i)
            wanted[q - first][i] = vectors[b][i] - vectors[a][i] + vectors[c][i];
        }
        std::vector<std::pair<float, Index>> best(last - first, {0, vectors.rows});
        for (Index block = 0; block < packed.size(); ++block) {
          Matrix products(last - first, packed[block].outputs());
          multiply(wanted.view(), packed[block], {}, Activation::none, products.span());
          for (Index q = first; q < last; ++q) {
            const auto& [a, b, c, d] = questions[q];
            auto& [most, which] = best[q - first];
            for (Index i = 0; i < products.cols(); ++i) {
              const Index word = block * kWords + i;
              if (word == a || word == b || word == c) continue;
              if (which == vectors.rows || products[q - first][i] > most) {
                most = products[q - first][i];
                which = word;
              }
            }
          }
        }
        for (Index q = first; q < last; ++q) out[q] = best[q - first].second == questions[q][3];
      },
      "analogies");
  return out;
}

}  // namespace shoal
