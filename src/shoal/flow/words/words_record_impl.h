#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "shoal/core/texts.h"
#include "shoal/words/course.h"

namespace shoal {

/// What a folder of `shoal words train` says of itself.
struct WordsRecord {
  std::filesystem::path folder;
  nlohmann::ordered_json mark;  ///< words.json
  Texts words;                  ///< words.txt, the vocabulary
};

/// Error(argument) if it is no such folder, or keeps no course of words.
WordsRecord open_words_record(const std::filesystem::path& folder);
/// Error(format) unless the course is of these words.
void check_course(const WordCourse& course, const WordsRecord& space);

}  // namespace shoal
