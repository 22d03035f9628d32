// A tokenizer.json of any bytes, then a few texts: an Error or ids below the vocabulary, never a crash or a
// hang. The Rust library itself is not instrumented: what is caught in it is aborts, overflows of the stack,
// and time.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shoal/core/error.h"
#include "shoal/tokenize/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  shoal::Texts texts;
  for (std::string_view text :
       {"", "a map of 63,000 texts", "na\xC3\xAFve \xFF [CLS] don't  \t\xE6\x97\xA5\xE6\x9C\xAC"})
    texts.add(text);
  try {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const shoal::Tokenizer tokenizer = shoal::Tokenizer::from_json(json, "fuzz");
    const shoal::Tokens tokens = tokenizer.encode(texts, 0, texts.size(), 16);
    for (std::uint32_t id : tokens.ids)
      if (id >= tokenizer.vocabulary()) std::abort();
    for (shoal::Index i = 0; i < tokens.size(); ++i)
      if (tokens[i].size() > 16) std::abort();
  } catch (const shoal::Error&) {
  }
  return 0;
}
