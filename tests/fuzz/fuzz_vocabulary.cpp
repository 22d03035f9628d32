// A vocab.txt and, behind the first zero byte, a tokenizer_config.json of any bytes: an Error, or a tokenizer
// whose ids lie in its vocabulary.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"

namespace {

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fs = std::filesystem;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(bytes.find('\0'), size);
  static const fs::path folder =
      fs::temp_directory_path() / ("fuzz_vocabulary_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  write(folder / "config.json", R"({"model_type": "bert"})");
  write(folder / "vocab.txt", bytes.substr(0, cut));
  write(folder / "tokenizer_config.json", bytes.substr(std::min(cut + 1, size)));
  try {
    shoal::ModelFolder model;
    model.folder = model.transformer_folder = folder;
    const shoal::Tokenizer tokenizer = shoal::load_tokenizer(model);
    shoal::Texts texts;
    for (std::string_view text : {"", "A map of na\xC3\xAFve texts.", "\xE6\x97\xA5 [MASK] \xFF"})
      texts.add(text);
    const shoal::Tokens tokens = tokenizer.encode(texts, 0, texts.size(), 16);
    for (const std::uint32_t id : tokens.ids)
      if (id >= tokenizer.vocabulary()) std::abort();
  } catch (const shoal::Error&) {
  }
  fs::remove_all(folder);
  return 0;
}
