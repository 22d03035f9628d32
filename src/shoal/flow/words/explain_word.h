#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/flow/words/word_space.h"
#include "shoal/words/move.h"

namespace shoal {

struct ExplainWordOptions {
  std::filesystem::path space;      ///< of `shoal words train`, with a course
  std::filesystem::path attention;  ///< the store that it was trained on
  std::string word;
  Index neighbours = 8;  ///< nearest words at the start and at the end
};

/// A word that another one is moved with.
struct WordPull {
  std::string word;
  double weight = 0;             ///< sum over descriptions of what training weighed it with
  Index descriptions = 0;        ///< in which it did
  double before = 0, after = 0;  ///< cosine of the two words, before the first epoch and after the last
};

/// A description in which the word is a target.
struct WordReason {
  Index description = 0;  ///< its number in the store
  std::string describes;  ///< the word that it is of
  std::string text;
  std::vector<std::pair<std::string, double>> contexts;  ///< and their weights, strongest first
};

/// Why a word is where it is: what it was moved towards.
struct WordReasons {
  std::string word;
  std::string heads, layers;  ///< whose attention counted; empty: none
  WordMoves moves = WordMoves::both;
  double turned = 0;  ///< degrees between where it began and where it came to lie
  std::vector<WordNeighbour> near_before, near_after;  ///< among all words that have a vector
  std::vector<WordPull> contexts;  ///< its own, over all its descriptions, most weight first
  /// Targets whose context it is: it moves along with them (none if only targets move).
  std::vector<WordPull> targets;
  std::vector<WordReason> descriptions;  ///< its own first, then others in which it stands
};

/// From the store, with the settings that words.json records, and the course. Weights are those of training
/// (contexts.h). Cosines are of moved words, not of what was read out, and to half floats. Error(argument) if
/// the store is not that of the space, and for a word that it does not know; others as open_attention_rows
/// and show_words.
WordReasons explain_word(const ExplainWordOptions& options, const Run& run);

}  // namespace shoal
