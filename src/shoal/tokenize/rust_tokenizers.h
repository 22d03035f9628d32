#pragma once

#include <cstddef>
#include <cstdint>

#include "shoal/core/rust_bytes.h"

/// The C functions of src/rust/src/tokens/mod.rs, where they are described. Included by tokenizer.cpp alone.
extern "C" {

struct ShoalTokenizer;
struct ShoalEncoded;

struct ShoalEncodedView {
  ShoalEncoded* owner;
  const std::uint32_t* ids;
  const std::size_t* ends;
  std::size_t ends_count;
  ShoalBytes error;
  std::uint8_t kind;  // of the error: 0 the input's, 1 not supported, 2 too little memory
};

ShoalEncodedView shoal_tokenizer_load(ShoalBytes json, ShoalTokenizer** out);
ShoalEncodedView shoal_tokenizer_encode(const ShoalTokenizer* tokenizer, const ShoalBytes* texts,
                                        std::size_t count, std::size_t most);
ShoalEncodedView shoal_tokenizer_places(const ShoalTokenizer* tokenizer, const ShoalBytes* texts,
                                        std::size_t count, std::size_t most);
ShoalEncodedView shoal_tokenizer_split(const ShoalTokenizer* tokenizer, const ShoalBytes* texts,
                                       std::size_t count);
void shoal_tokenizer_free(ShoalTokenizer* tokenizer);
void shoal_encoded_free(ShoalEncoded* encoded);
void shoal_on_memory_refused(void (*handler)());
}
