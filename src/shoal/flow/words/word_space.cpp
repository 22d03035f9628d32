#include "shoal/flow/words/word_space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/topk.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

WordSpace open_folder(const fs::path& folder) {
  WordSpace out;
  out.words = read_words(folder);
  const Matrix table = ArchiveReader(folder / "model.safetensors").matrix("embeddings");
  require(table.rows() > out.words.size(), Fault::format,  // behind them: rows of other forms

          (folder / kWordsFile).string() + " has " + std::to_string(out.words.size()) + " words, and " +
              (folder / "model.safetensors").string() + " " + std::to_string(table.rows()) +
              " vectors; there must be more of them: the first is of unknown words");
  out.vectors = Matrix(out.words.size(), table.cols());
  for (Index i = 0; i < out.words.size(); ++i)
    std::copy_n(table[i + 1].data(), table.cols(), out.vectors[i].data());
  return out;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

WordSpace open_text(const fs::path& path, const Run& run) {
  const std::uintmax_t size = fs::file_size(path);
  std::ifstream in(path, std::ios::binary);
  require(in.good(), Fault::file, "cannot read " + path.string());
  const auto broken = [&](Index line, const std::string& what) {
    return Error(
        Fault::format, path.string() + ", line " + std::to_string(line) + ": " + what,
        "a folder of 'shoal words train' or a text file of word2vec is needed: a line \"WORDS DIMS\", "
        "then a word and its numbers on each");
  };
  std::string line;
  Index words = 0, dims = 0;
  if (!std::getline(in, line)) throw broken(1, "the file is empty");
  {
    const char* end = line.data() + line.size();
    const auto first = std::from_chars(line.data(), end, words);
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == ' ')
      std::from_chars(first.ptr + 1, end, dims);
    if (words == 0 || dims == 0 || dims > 65536 || words > 100'000'000)
      throw broken(1, "it does not say how many words and dimensions there are");
  }
  if (words * (2 * dims + 1) > size)  // each number and each word has a blank or a line's end
    throw broken(1, "the file is too short for " + std::to_string(words) + " words of " +
                        std::to_string(dims) + " numbers");
  WordSpace out;
  out.vectors = Matrix(words, dims);
  for (Index i = 0; i < words; ++i) {
    if (i % 1024 == 0) check_stop(run);
    if (!std::getline(in, line))
      throw broken(i + 2, "the file ends before its " + std::to_string(words) + " words");
    std::size_t at = line.find(' ');
    if (at == 0 || at == line.npos) throw broken(i + 2, "there is no word, a blank and numbers");
    std::string word = line.substr(0, at);
    std::ranges::replace(word, '_', ' ');
    out.words.add(word);
    for (Index c = 0; c < dims; ++c) {
      while (at < line.size() && line[at] == ' ') ++at;
      double number = 0;  // of a float, what is too small for it would be an error
      const auto [end, fault] = std::from_chars(line.data() + at, line.data() + line.size(), number);
      at = static_cast<std::size_t>(end - line.data());
      out.vectors[i][c] = static_cast<float>(number);
      if (fault != std::errc() || !std::isfinite(out.vectors[i][c]) ||
          !(at == line.size() || is_blank(line[at])))
        throw broken(i + 2,
                     "number " + std::to_string(c + 1) + " of " + std::to_string(dims) + " cannot be read");
    }
    if (!std::ranges::all_of(line.substr(at), is_blank))
      throw broken(i + 2, "there are more than " + std::to_string(dims) + " numbers");
  }
  while (std::getline(in, line))
    if (!std::ranges::all_of(line, is_blank))
      throw broken(words + 2, "there are more than " + std::to_string(words) + " words");
  return out;
}

}  // namespace

std::optional<std::uint32_t> WordSpace::find(std::string_view word) const {
  const auto at = places_.find(lower_form(word));
  if (at == places_.end()) return std::nullopt;
  return at->second;
}

void WordSpace::index() {
  places_.clear();
  for (Index i = 0; i < words.size(); ++i) {
    const auto row = std::as_const(vectors)[i];
    if (std::ranges::all_of(row, [](float x) { return x == 0; })) continue;
    places_.try_emplace(lower_form(words[i]), static_cast<std::uint32_t>(i));
  }
}

std::uint32_t WordSpace::place(std::string_view word) const {
  if (const auto at = find(word)) return *at;
  std::string alike;
  const std::string lower = lower_form(word);
  const std::string begin = lower.substr(0, std::max<std::size_t>(lower.size() * 2 / 3, 1));
  for (Index i = 0, n = 0; i < words.size() && n < 5; ++i)
    if (words[i].starts_with(begin) && find(words[i])) {
      alike += (n++ == 0 ? "" : ", ") + std::string(words[i]);
    }
  throw Error(Fault::argument, "the space does not know \"" + std::string(word) + "\"",
              alike.empty() ? "" : "it knows " + alike);
}

std::vector<WordNeighbour> nearest_words(const WordSpace& space, const Matrix& vectors, std::uint32_t word,
                                         Index k) {
  TopK best(k);
  for (Index i = 0; i < vectors.rows(); ++i)
    if (i != word && space.find(space.words[i]) == i)
      best.offer(kernels().dot(vectors[word].data(), vectors[i].data(), vectors.cols()),
                 static_cast<std::uint32_t>(i));
  std::vector<WordNeighbour> out;
  for (const TopK::Item& item : best.sorted())
    out.push_back({std::string(space.words[item.id]), static_cast<double>(item.score)});
  return out;
}

bool is_words_folder(const fs::path& folder) { return has_mark(folder, kWordsMark); }

WordSpace open_word_space(const fs::path& path, const Run& run) {
  require(fs::exists(path), Fault::file, "there is no " + path.string());
  require(!fs::is_directory(path) || is_words_folder(path), Fault::argument,
          path.string() + " is no folder of 'shoal words train'");
  WordSpace out = fs::is_directory(path) ? open_folder(path) : open_text(path, run);
  try {
    check_finite(Rows(out.vectors), run);
  } catch (const Error& e) {
    throw Error(e.fault, path.string() + ": " + e.marked, e.hint);
  }
  unit_rows(out.vectors.span());
  out.name = path.string();
  out.index();
  return out;
}

}  // namespace shoal
