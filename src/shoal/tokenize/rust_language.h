#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/language.rs, where they are described. Included by language.cpp alone.
extern "C" {

struct ShoalLanguageBytes {
  const char* data;
  std::size_t size;
};

struct ShoalLanguageGuess {
  std::uint8_t language;  // its number; past the last: unknown
  float confidence;
};

ShoalLanguageBytes shoal_language_code(std::size_t index);
bool shoal_language_guess(const ShoalLanguageBytes* texts, std::size_t count, const float* prior,
                          bool trigrams, ShoalLanguageGuess* out);
}
