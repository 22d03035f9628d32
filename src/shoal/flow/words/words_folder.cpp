#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/texts/static_folder.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUnknown = "[UNK]";
/// Runs of letters, marks and digits, with apostrophes, hyphens and points inside.
constexpr const char* kWordPattern = R"([\p{L}\p{M}\p{N}]+(?:['’.\-][\p{L}\p{M}\p{N}]+)*)";

std::string tokenizer_of(const Texts& words) {
  Json vocabulary = Json::object();
  vocabulary[kUnknown] = 0;
  Json added = Json::array();
  const auto token = [](Index id, std::string_view text, bool special) {
    return Json{{"id", id},        {"content", text},        {"single_word", !special}, {"lstrip", false},
                {"rstrip", false}, {"normalized", !special}, {"special", special}};
  };
  added.push_back(token(0, kUnknown, true));
  for (Index i = 0; i < words.size(); ++i) {
    vocabulary[std::string(words[i])] = i + 1;
    if (words[i].find(' ') != std::string_view::npos) added.push_back(token(i + 1, words[i], false));
  }
  const Json out{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "NFKC"}}, {{"type", "Lowercase"}}}}}},
      {"pre_tokenizer",
       {{"type", "Split"},
        {"pattern", {{"Regex", kWordPattern}}},
        {"behavior", "Removed"},
        {"invert", true}}},
      {"post_processor", nullptr},
      {"decoder", nullptr},
      {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", kUnknown}}}};
  return out.dump() + "\n";
}

}  // namespace

void write_words_model(const NewFolder& folder, const Texts& words, const Matrix& vectors,
                       const std::string& made_from) {
  Matrix table(words.size() + 1, vectors.cols());
  for (Index i = 0; i < words.size(); ++i) std::ranges::copy(vectors[i], table[i + 1].begin());
  write_static_model(folder, table, tokenizer_of(words),
                     {.made_from = made_from, .components = {}, .sif = {}});
  std::string list;
  for (Index i = 0; i < words.size(); ++i) list.append(words[i]).append("\n");
  write_file(folder / kWordsFile, list);
}

Texts read_words(const std::filesystem::path& folder) {
  std::ifstream in(folder / kWordsFile, std::ios::binary);
  require(in.good(), Fault::file, "cannot read " + (folder / kWordsFile).string());
  Texts out;
  for (std::string line; std::getline(in, line);) out.add(line);
  return out;
}

void write_word2vec(const std::filesystem::path& file, const Texts& words, const Matrix& vectors) {
  NewFile out(file);
  const auto known = [&](Index i) { return std::ranges::any_of(vectors[i], [](float x) { return x != 0; }); };
  Index count = 0;
  for (Index i = 0; i < words.size(); ++i) count += known(i);
  out.write(std::to_string(count) + " " + std::to_string(vectors.cols()) + "\n");
  std::string text;
  for (Index i = 0; i < words.size(); ++i) {
    if (!known(i)) continue;
    text.assign(words[i]);
    std::ranges::replace(text, ' ', '_');
    for (const float x : vectors[i]) {
      char digits[32];
      const auto [end, fault] = std::to_chars(digits, digits + sizeof digits, x);
      text.append(" ").append(digits, end);
    }
    out.write(text.append("\n"));
  }
  out.keep();
}

}  // namespace shoal
