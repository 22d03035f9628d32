#include "shoal/measure/word_spaces.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/product.h"
#include "shoal/measure/rank_correlation.h"

namespace shoal {

Measurable word_similarity(std::vector<JudgedPairs> sets, const std::vector<std::vector<double>>& cosines,
                           Index words) {
  require(sets.size() == cosines.size() && !sets.empty(), Fault::argument,
          "word similarity needs sets of pairs, and cosines of each");
  std::vector<RankedLists> ranked;
  for (Index s = 0; s < sets.size(); ++s) {
    require(sets[s].judged.size() == sets[s].words.size() && cosines[s].size() == sets[s].words.size(),
            Fault::argument, "pairs, judgements and cosines are not equally many");
    ranked.emplace_back(cosines[s], sets[s].judged);
  }
  Measurable out;
  out.things = {words};
  out.of = [sets = std::make_shared<std::vector<JudgedPairs>>(std::move(sets)),
            ranked = std::make_shared<std::vector<RankedLists>>(std::move(ranked))](DrawCounts times) {
    double sum = 0;
    std::vector<std::uint32_t> drawn;
    for (Index s = 0; s < sets->size(); ++s) {
      drawn.clear();
      for (const auto& [a, b] : (*sets)[s].words) drawn.push_back(times[a] * times[b]);
      sum += (*ranked)[s].spearman(drawn);
    }
    return sum / static_cast<double>(sets->size());
  };
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
