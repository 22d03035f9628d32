#pragma once

#include <filesystem>
#include <string>

#include "shoal/core/matrix.h"
#include "shoal/core/texts.h"
#include "shoal/flow/texts/static_folder.h"
#include "shoal/flow/words/train_words.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {

// A folder of `shoal words train`: a static model, its words and a report.

inline constexpr const char* kWordsMarkFile = "words.json";
inline constexpr FolderMark kWordsMark{kWordsMarkFile, "\"format\": \"shoal words\""};
inline constexpr const char* kWordsFile = "words.txt";       ///< a word a line
inline constexpr const char* kWord2vecFile = "vectors.txt";  ///< as word2vec writes it
inline constexpr const char* kCourseFile = "course.safetensors";
inline constexpr const char* kWordsFiles[] = {kWordsMarkFile, "model.safetensors", "tokenizer.json",
                                              "config.json",  "modules.json",      kWordsFile,
                                              kWord2vecFile,  kCourseFile};

/// Words and their vectors, and other ways of writing them.
struct WordTable {
  const Texts& words;
  const Matrix& vectors;
  const Texts& forms;
  const std::vector<std::uint32_t>& form_words;  ///< of each form: its word
};

/// Writes model.safetensors, tokenizer.json, config.json, modules.json and words.txt. `embeddings` has a row
/// of zeros, of what is not known, the words' rows, and with FormRows::rows the forms'. A text's vector is
/// the mean of its words'. Terms of several words are found whole. Model2Vec and shoal read it;
/// sentence-transformers too unless there is a mapping.
void write_words_model(const NewFolder& folder, const WordTable& table, FormRows form_rows,
                       const StaticOrigin& origin);
/// The words of such a folder, in the order of their vectors. Error(file).
Texts read_words(const std::filesystem::path& folder);
/// A line "WORDS DIMS", then a word, its blanks as underscores, and its numbers on each. Words without a
/// vector (zeros) are left out.
void write_word2vec(const std::filesystem::path& file, const Texts& words, const Matrix& vectors);

}  // namespace shoal
