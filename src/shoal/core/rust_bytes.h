#pragma once

#include <cstddef>

/// Borrowed bytes, as what is in Rust (src/rust) takes and gives them.
extern "C" {

struct ShoalBytes {
  const char* data;
  std::size_t size;
};
}
