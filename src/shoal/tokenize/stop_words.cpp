#include <algorithm>
#include <array>
#include <string_view>

#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

constexpr auto kStopWords = std::to_array<std::string_view>({
    "a",       "about",     "above",   "across",  "after",    "again",      "against",  "all",     "almost",
    "alone",   "along",     "already", "also",    "although", "always",     "am",       "among",   "an",
    "and",     "another",   "any",     "anyone",  "anything", "are",        "aren't",   "around",  "as",
    "at",      "away",      "be",      "became",  "because",  "become",     "been",     "before",  "behind",
    "being",   "below",     "between", "both",    "but",      "by",         "can",      "can't",   "cannot",
    "could",   "couldn't",  "did",     "didn't",  "do",       "does",       "doesn't",  "doing",   "don't",
    "done",    "down",      "during",  "each",    "either",   "else",       "enough",   "etc",     "even",
    "ever",    "every",     "few",     "for",     "from",     "further",    "get",      "gets",    "getting",
    "got",     "had",       "hadn't",  "has",     "hasn't",   "have",       "haven't",  "having",  "he",
    "her",     "here",      "hers",    "herself", "him",      "himself",    "his",      "how",     "however",
    "i",       "i'd",       "i'll",    "i'm",     "i've",     "if",         "in",       "into",    "is",
    "isn't",   "it",        "its",     "itself",  "just",     "least",      "less",     "let",     "like",
    "made",    "make",      "many",    "may",     "me",       "might",      "mine",     "more",    "most",
    "much",    "must",      "my",      "myself",  "neither",  "no",         "nor",      "not",     "nothing",
    "now",     "of",        "off",     "often",   "on",       "once",       "one",      "only",    "onto",
    "or",      "other",     "others",  "our",     "ours",     "ourselves",  "out",      "over",    "own",
    "per",     "perhaps",   "quite",   "rather",  "really",   "said",       "same",     "several", "she",
    "should",  "shouldn't", "since",   "so",      "some",     "something",  "still",    "such",    "than",
    "that",    "the",       "their",   "theirs",  "them",     "themselves", "then",     "there",   "these",
    "they",    "this",      "those",   "though",  "through",  "to",         "together", "too",     "toward",
    "towards", "under",     "until",   "up",      "upon",     "us",         "use",      "used",    "uses",
    "using",   "various",   "very",    "via",     "was",      "wasn't",     "we",       "well",    "were",
    "weren't", "what",      "when",    "where",   "whether",  "which",      "while",    "who",     "whom",
    "whose",   "why",       "will",    "with",    "within",   "without",    "won't",    "would",   "wouldn't",
    "yet",     "you",       "you'd",   "you'll",  "you're",   "you've",     "your",     "yours",   "yourself",
});
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

}  // namespace

bool is_stop_word(std::string_view word) {
  return std::binary_search(kStopWords.begin(), kStopWords.end(), word);
}

}  // namespace shoal
