#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"

namespace shoal {

/// Words and their vectors.
struct WordSpace {
  std::string name;  ///< how the user calls it
  Texts words;
  Matrix vectors;  ///< words x dims, of length 1; zeros: nothing is known of the word

  /// Of its words; nothing: it has no vector.
  std::optional<std::uint32_t> find(std::string_view word) const;
  /// The same; Error(argument) if it has no vector, with words that begin alike.
  std::uint32_t place(std::string_view word) const;
  void index();  ///< after words and vectors were set

 private:
  std::unordered_map<std::string, std::uint32_t> places_;
};

struct WordNeighbour {
  std::string word;
  double cosine = 0;
};
/// The k words nearest to a word by other vectors of the space's words, of length 1: best first; ties: the
/// first in the space. Words without a vector in the space are left out.
std::vector<WordNeighbour> nearest_words(const WordSpace& space, const Matrix& vectors, std::uint32_t word,
                                         Index k);

/// Whether it is a folder of `shoal words train`.
bool is_words_folder(const std::filesystem::path& folder);

/// A folder of `shoal words train`, or a text file of word2vec: a line of two numbers, words and dims, then a
/// line a word, its blanks as underscores. Words are read in lower case. Error(file); Error(format) naming
/// the line.
WordSpace open_word_space(const std::filesystem::path& path, const Run& run);

}  // namespace shoal
