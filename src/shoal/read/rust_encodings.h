#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/text_encoding.rs, where they are described. Included by text_encoding.cpp
/// alone.
extern "C" {

struct ShoalDecoder;

struct ShoalEncodingBytes {
  const char* data;
  std::size_t size;
};

struct ShoalEncodingGuess {
  ShoalEncodingBytes name;
  std::size_t foreign, odd;
};

struct ShoalDecoded {
  std::size_t read, written, bad;
  bool done, failed;
};

ShoalEncodingGuess shoal_encoding_guess(ShoalEncodingBytes bytes, bool whole);
ShoalEncodingBytes shoal_encoding_named(ShoalEncodingBytes label);
ShoalDecoder* shoal_decoder_new(ShoalEncodingBytes name);
ShoalDecoded shoal_decoder_feed(ShoalDecoder* decoder, ShoalEncodingBytes from, bool last, char* to,
                                std::size_t room);
void shoal_decoder_free(ShoalDecoder* decoder);
}
