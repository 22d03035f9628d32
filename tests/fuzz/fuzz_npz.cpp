// Any bytes as a .npz file: either an Error, or its rows can be read to the last.
#include <cstdlib>

#include "shoal/core/error.h"
#include "shoal/store/vectors/npy_impl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using shoal::Fault;
  try {
    const shoal::Rows rows = shoal::open_npz(std::as_bytes(std::span(data, size)), "fuzz.npz", nullptr);
    shoal::Matrix scratch;
    if (rows.rows() > 0) rows.block(rows.rows() - 1, 1, scratch);
  } catch (const shoal::Error& error) {  // data: a number beyond float32
    if (error.fault != Fault::format && error.fault != Fault::unsupported && error.fault != Fault::data)
      std::abort();
  }
  return 0;
}
