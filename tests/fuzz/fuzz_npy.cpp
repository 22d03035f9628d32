// Any bytes as a .npy file: either Error(format) or Error(data), or its rows can be read to the last.
#include <cstdlib>

#include "shoal/core/error.h"
#include "shoal/store/vectors/npy_impl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const shoal::Rows rows = shoal::parse_npy(std::as_bytes(std::span(data, size)), "fuzz.npy", nullptr);
    shoal::Matrix scratch;
    if (rows.rows() > 0) rows.block(rows.rows() - 1, 1, scratch);
    if (rows.rows() < 1 << 20) rows.to_matrix();
  } catch (const shoal::Error& error) {
    // data: a number beyond the range of float32
    if (error.fault != shoal::Fault::format && error.fault != shoal::Fault::data) std::abort();
  }
  return 0;
}
