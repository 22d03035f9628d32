#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"

namespace shoal {

/// A number that changes from epoch to epoch.
struct WordsCurve {
  std::string name, help;
  std::vector<Index> epochs;
  std::vector<double> values;
};

/// What the page of moving words shows: W words at F times.
struct WordsPageData {
  std::string title, subtitle, made_by;
  std::vector<std::string> notes;     ///< such as why the training ended early
  std::string layout;                 ///< how the maps were made, a sentence
  Texts words;                        ///< W <= 65,535, the most frequent first
  std::vector<Index> epochs;          ///< F of them, ascending
  std::vector<Matrix> points;         ///< F of W x 2, maps that belong together
  std::vector<Neighbours> near;       ///< F of W rows with the same k, cosine distances; k 0: none
  std::vector<std::uint32_t> chosen;  ///< places of words that the page begins with
  std::vector<WordsCurve> curves;
};

/// One HTML file that asks for nothing else (web/words.html). Equal data give equal bytes. Points are rounded
/// to 1 / 32,767 of the maps' extent, cosines to 1e-4. Error(argument) where the numbers of things differ.
std::string words_page(const WordsPageData& data);

}  // namespace shoal
