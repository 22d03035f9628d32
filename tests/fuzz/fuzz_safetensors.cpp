// Any bytes as a safetensors file: either Error(format), or every tensor can be read to its last byte.
#include <cstdlib>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace {

template <class F>
void allowed_to_refuse(F&& f) {
  try {
    f();
  } catch (const shoal::Error& error) {
    if (error.fault != shoal::Fault::format) std::abort();
  }
}

struct FuzzOptions {
  shoal::Index k = 1;
  double tolerance = 0;
  std::string method;
};
template <class V>
void fields(FuzzOptions& o, V&& visit) {
  visit("k", o.k, "", shoal::at_least(1));
  visit("tolerance", o.tolerance, "");
  visit("method", o.method, "");
}

void read_everything(const shoal::ArchiveReader& in) {
  for (const auto& entry : in.tensors()) {  // clang 14 lets no lambda capture a structured binding
    const std::string& name = entry.first;
    const shoal::Tensor& tensor = entry.second;
    if (tensor.bytes.size() > 1 << 20) continue;
    allowed_to_refuse([&] { in.matrix(name); });
    allowed_to_refuse([&] { in.integers(name); });
    allowed_to_refuse([&] { in.floats(name, tensor.count()); });
    allowed_to_refuse([&] {
      const shoal::Rows rows = in.rows(name);
      shoal::Matrix scratch;
      if (rows.rows() > 0) rows.block(rows.rows() - 1, 1, scratch);
      if (rows.rows() < 1 << 20) rows.to_matrix();
    });
  }
  allowed_to_refuse([&] { shoal::read_space(in); });
  allowed_to_refuse([&] { shoal::check_kind(in, "example"); });
  allowed_to_refuse([&] { shoal::read_options<FuzzOptions>(in); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  allowed_to_refuse([&] {
    const shoal::ArchiveReader in(std::as_bytes(std::span(data, size)), "fuzz.safetensors");
    read_everything(in);
  });
  return 0;
}
