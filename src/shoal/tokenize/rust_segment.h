#pragma once

#include <cstddef>

/// The C function of src/rust/src/segment.rs, where it is described. Included by words.cpp alone.
extern "C" {

struct ShoalSegmentBytes {
  const char* data;
  std::size_t size;
};

std::size_t shoal_segment(ShoalSegmentBytes text, std::size_t* ends);
}
