#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUnknown = "[UNK]";
/// Runs of letters, marks and digits, with apostrophes, hyphens and points inside.
constexpr const char* kWordPattern = R"([\p{L}\p{M}\p{N}]+(?:['’.\-][\p{L}\p{M}\p{N}]+)*)";

/// Whether the pattern finds the word whole: "isn't", "node.js"; not "c++", "hot dog", "'hood".
bool is_found_whole(std::string_view word) {
  bool inside = false;  // the last was a letter, mark or number
  while (!word.empty()) {
    utf8proc_int32_t code = -1;
    const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                                        static_cast<utf8proc_ssize_t>(word.size()), &code);
    if (bytes <= 0) return false;
    word.remove_prefix(static_cast<std::size_t>(bytes));
    const char kind = utf8proc_category_string(code)[0];
    const bool letter = kind == 'L' || kind == 'M' || kind == 'N';
    const bool joint = code == '\'' || code == 0x2019 || code == '.' || code == '-';
    if (!letter && !(joint && inside)) return false;
    inside = letter;
  }
  return inside;
}

/// Of words and forms: ids from 1 in that order.
std::string tokenizer_of(const Texts& words, const Texts& forms) {
  Json vocabulary = Json::object();
  vocabulary[kUnknown] = 0;
  Json added = Json::array();
  const auto token = [](Index id, std::string_view text, bool special) {
    return Json{{"id", id},        {"content", text},        {"single_word", !special}, {"lstrip", false},
                {"rstrip", false}, {"normalized", !special}, {"special", special}};
  };
  added.push_back(token(0, kUnknown, true));
  Index id = 0;
  for (const Texts* texts : {&words, &forms})
    for (Index i = 0; i < texts->size(); ++i) {
      const std::string_view text = (*texts)[i];
      // Words and forms are distinct, and a lookup would read all that is there.
      vocabulary.get_ref<Json::object_t&>().emplace_back(std::string(text), ++id);
      if (!is_found_whole(text)) added.push_back(token(id, text, false));
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

void write_words_model(const NewFolder& folder, const WordTable& from, FormRows form_rows,
                       const StaticOrigin& origin) {
  const Texts none;
  const Texts& forms = form_rows == FormRows::none ? none : from.forms;
  const Index words = from.words.size(), rows = form_rows == FormRows::rows ? words + forms.size() : words;
  std::vector<std::int64_t> row_of{0};
  for (Index i = 0; i < words; ++i) row_of.push_back(static_cast<std::int64_t>(i) + 1);
  for (Index i = 0; i < forms.size(); ++i) row_of.push_back(from.form_words[i] + std::int64_t{1});
  Matrix table(rows + 1, from.vectors.cols());
  for (Index i = 1; i <= rows; ++i)
    std::ranges::copy(from.vectors[static_cast<Index>(row_of[i]) - 1], table[i].begin());
  if (form_rows != FormRows::mapping || forms.size() == 0) row_of.clear();
  write_static_model(folder, table, tokenizer_of(from.words, forms), origin, row_of);
  std::string list;
  for (Index i = 0; i < words; ++i) list.append(from.words[i]).append("\n");
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
