// What tests/tokenizers/differential.py asks shoal: the ids of many texts.
//
//   dump_ids tokenizer.json texts ids [max_length ...]
//
// `texts`: for each text its length as 4 bytes, little-endian, then its bytes. `ids`: for each max_length
// (default 0, no limit) and each text the number of its ids, then the ids, 4 bytes each.
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/tokenize/tokenizer.h"

namespace {

shoal::Texts read_texts(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  shoal::Texts texts;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t size;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    texts.add(std::string_view(bytes).substr(at + sizeof size, size));
    at += sizeof size + size;
  }
  return texts;
}

void write(std::ofstream& out, std::span<const std::uint32_t> values) {
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
}

void dump(const shoal::Tokenizer& tokenizer, const shoal::Texts& texts, std::size_t max_length,
          std::ofstream& out) {
  constexpr std::size_t kGrain = 512;
  std::vector<shoal::Tokens> parts(shoal::chunk_count(texts.size(), kGrain));
  shoal::for_chunks({}, texts.size(), kGrain, [&](std::size_t chunk, std::size_t first, std::size_t last) {
    parts[chunk] = tokenizer.encode(texts, first, last - first, max_length);
  });
  for (const shoal::Tokens& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto count = static_cast<std::uint32_t>(part[i].size());
      write(out, {&count, 1});
      write(out, part[i]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw std::runtime_error("usage: dump_ids tokenizer.json texts ids [max_length ...]");
  const shoal::Tokenizer tokenizer = shoal::Tokenizer::load(argv[1]);
  const shoal::Texts texts = read_texts(argv[2]);
  std::ofstream out(argv[3], std::ios::binary);
  if (argc == 4) dump(tokenizer, texts, 0, out);
  for (int i = 4; i < argc; ++i) dump(tokenizer, texts, std::stoul(argv[i]), out);
  return out.flush() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
