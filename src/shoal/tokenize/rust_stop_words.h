#pragma once

#include <cstddef>

/// The C function of src/rust/src/stop_words.rs, where it is described. Included by stop_words.cpp alone.
extern "C" {

struct ShoalStopWordBytes {
  const char* data;
  std::size_t size;
};

ShoalStopWordBytes shoal_stop_word(ShoalStopWordBytes code, std::size_t index);
}
