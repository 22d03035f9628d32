// Any bytes as a file of torch.save, and as the pickle in one: either an Error, or all tensors can be read.
#include <cstdlib>

#include "shoal/core/error.h"
#include "shoal/store/archive/state_dict_impl.h"
#include "shoal/store/archive/torch_file.h"

namespace {

void attempt(void (*read)(std::span<const std::byte>), std::span<const std::byte> bytes) {
  try {
    read(bytes);
  } catch (const shoal::Error& error) {
    if (error.fault != shoal::Fault::format && error.fault != shoal::Fault::unsupported) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  attempt(
      [](std::span<const std::byte> all) {
        const shoal::ArchiveReader in = shoal::read_torch_file(all, "fuzz.bin", nullptr);
        unsigned sum = 0;
        for (const auto& [name, tensor] : in.tensors())
          for (const std::byte b : tensor.bytes) sum += std::to_integer<unsigned>(b);
        if (sum == 0x7FFFFFFF) std::abort();  // the sum is wanted, so the bytes are read
      },
      bytes);
  attempt([](std::span<const std::byte> pickle) { shoal::read_state_dict(pickle, "fuzz.pkl"); }, bytes);
  return 0;
}
