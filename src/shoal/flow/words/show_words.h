#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"

namespace shoal {

/// How the maps of all times are made.
enum class WordsLayout : std::uint8_t {
  umap,  ///< a map of each time, all laid out together, each word tied to itself before and after
  pca    ///< one plane for all times: the two directions in which words differ most at the end
};
constexpr auto names_of(WordsLayout) { return std::array{"umap", "pca"}; }

struct ShowWordsOptions {
  std::filesystem::path space;  ///< of `shoal words train`
  std::filesystem::path out;    ///< .html
  bool overwrite = false;
  std::string title;  ///< empty: the folder's name
  WordsLayout layout = WordsLayout::umap;
  Index neighbours = 8;
  Seed seed{42};
};
template <class V>
void fields(ShowWordsOptions& o, V&& visit) {
  visit("title", o.title, "what stands above the map; empty: the folder's name");
  visit("layout", o.layout, "how maps are made: one of each time, tied together, or one plane for all times");
  visit("neighbours", o.neighbours, "nearest words that are told of a word", between(1, 50));
  visit("seed", o.seed, "start of all randomness");
}

struct ShowWordsReport {
  bool done_before = false;
  Index words = 0, frames = 0;
  Index bytes = 0;  ///< of the page
};

/// The course that `shoal words train` kept, as one page: a map of its words at each time, their nearest
/// words among each other, loss, uniformity and mean cosine (map/words_page.h). A finished page has a
/// receipt. Error(argument) if the space keeps no course, or `out` exists, is of other options and not to be
/// overwritten, or lies in the space. Steps "neighbours", "layout". The neighbours cost frames words^2 dims.
ShowWordsReport show_words(const ShowWordsOptions& options, const Run& run);

}  // namespace shoal
