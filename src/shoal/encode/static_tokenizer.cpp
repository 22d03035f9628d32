#include "shoal/encode/static_tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/json_fields_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kUnknown = "[UNK]";

bool is_object(const json& file, const char* name) {
  const auto found = file.find(name);
  return found != file.end() && found->is_object();
}

/// All steps of a pre-tokenizer, also those in sequences.
template <class Visit>
void visit_steps(json& step, const Visit& visit) {
  if (!step.is_object()) return;
  visit(step);
  if (const auto inner = step.find("pretokenizers"); inner != step.end() && inner->is_array())
    for (json& one : *inner) visit_steps(one, visit);
}

/// [unused12] and longer.
bool is_unused(std::string_view token) {
  constexpr std::string_view kStart = "[unused";
  if (!token.starts_with(kStart)) return false;
  const std::size_t end = token.find_first_not_of("0123456789", kStart.size());
  return end > kStart.size() && end != std::string_view::npos && token[end] == ']';
}

/// The token of padding, by any of the files that name it; empty: none.
std::string padding_token(const json& file, const fs::path& folder) {
  if (is_object(file, "padding")) return file["padding"].value("pad_token", "");
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    if (!fs::exists(folder / name)) continue;
    const JsonFields settings = JsonFields::read(folder / name);
    const json* pad = settings.find("pad_token");
    if (pad && pad->is_string()) return pad->get<std::string>();
    if (pad && pad->is_object()) return pad->value("content", "");
  }
  return "";
}

/// The byte for each character of the byte-level alphabet: printable Latin-1 stands for itself, the others
/// follow from U+0100.
const std::unordered_map<char32_t, char>& byte_letters() {
  static const auto table = [] {
    std::unordered_map<char32_t, char> out;
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      out[printable ? static_cast<char32_t>(b) : next++] = static_cast<char>(b);
    }
    return out;
  }();
  return table;
}

}  // namespace

Index letters_in(std::string_view text) {
  return static_cast<Index>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

struct StaticTokenizer::State {
  json file;  // without its vocabulary
  std::string kind, prefix;
  bool bytes = false;
  std::string blank;  // what stands for a blank in pieces; empty: nothing
  std::vector<std::string> tokens;
  std::vector<double> scores;  // of Unigram
  std::vector<std::vector<std::uint32_t>> originals;
  std::unordered_map<std::string, std::uint32_t> ids;
  std::optional<std::uint32_t> unknown;

  void read_vocabulary(const fs::path& path);
  std::string vocabulary_json() const;
};

void StaticTokenizer::State::read_vocabulary(const fs::path& path) {
  json& model = file["model"];
  const auto wrong = [&](const char* what) {
    throw Error(Fault::format, path.string() + ": model." + what + " is not as a tokenizer has it");
  };
  struct Entry {
    std::uint32_t id;
    std::string token;
    double score;
  };
  std::vector<Entry> entries;
  if (kind == "Unigram") {
    if (!model["vocab"].is_array()) wrong("vocab");
    for (const json& pair : model["vocab"]) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number())
        wrong("vocab");
      entries.push_back({static_cast<std::uint32_t>(entries.size()), pair[0], pair[1]});
    }
  } else {
    if (!model["vocab"].is_object()) wrong("vocab");
    for (const auto& item : model["vocab"].items()) {
      if (!item.value().is_number_unsigned()) wrong("vocab");
      entries.push_back({item.value(), item.key(), 0});
    }
    std::ranges::sort(entries, {}, &Entry::id);
  }
  std::string unknown_token = model.contains("unk_token") && model["unk_token"].is_string()
                                  ? model["unk_token"].get<std::string>()
                                  : std::string();
  if (model.contains("unk_id") && model["unk_id"].is_number_unsigned()) {
    const Index id = model["unk_id"];
    if (id >= entries.size()) wrong("unk_id");
    unknown_token = entries[id].token;
  }
  const std::string padding = padding_token(file, path.parent_path());
  std::set<std::string> dropped, kept_added;  // of the tokens that were added to the vocabulary
  json added = json::array();
  if (file.contains("added_tokens") && file["added_tokens"].is_array())
    for (const json& one : file["added_tokens"]) {
      if (!one.is_object() || !one.contains("content") || !one["content"].is_string() ||
          !one.contains("id") || !one["id"].is_number_unsigned())
        throw Error(Fault::format, path.string() + ": added_tokens is not as a tokenizer has it");
      const std::string content = one["content"];
      if (content != unknown_token && (content != padding || padding.empty())) {
        dropped.insert(content);
        continue;
      }
      const bool there = std::ranges::any_of(entries, [&](const Entry& e) { return e.token == content; });
      if (!there) entries.push_back({one["id"], content, kind == "Unigram" ? -100.0 : 0.0});
      kept_added.insert(content);
      added.push_back(one);
    }
  for (Entry& entry : entries) {
    const bool needed = kept_added.contains(entry.token) || entry.token == unknown_token;
    if (dropped.contains(entry.token) || (is_unused(entry.token) && !needed)) continue;
    if (!ids.emplace(entry.token, static_cast<std::uint32_t>(tokens.size())).second) continue;
    if (entry.token == unknown_token && !unknown_token.empty())
      unknown = static_cast<std::uint32_t>(tokens.size());
    tokens.push_back(std::move(entry.token));
    scores.push_back(entry.score);
    originals.push_back({entry.id});
  }
  for (json& one : added) one["id"] = ids.at(one["content"].get<std::string>());
  file["added_tokens"] = std::move(added);
  if (model.contains("unk_id")) model["unk_id"] = unknown ? json(*unknown) : json();
  if (model.contains("merges") && model["merges"].is_array()) {
    json merges = json::array();
    for (json& merge : model["merges"]) {
      std::string left, right;
      if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        left = merge[0], right = merge[1];
      } else if (merge.is_string()) {
        const std::string both = merge;
        const std::size_t at = both.find(' ');
        if (at == std::string::npos) wrong("merges");
        left = both.substr(0, at), right = both.substr(at + 1);
      } else {
        wrong("merges");
      }
      if (ids.contains(left) && ids.contains(right) && ids.contains(left + right))
        merges.push_back(std::move(merge));
    }
    model["merges"] = std::move(merges);
  }
  model.erase("vocab");
}

StaticTokenizer::StaticTokenizer(const ModelFolder& model) : state_(std::make_unique<State>()) {
  State& s = *state_;
  const fs::path path = model.transformer_folder / "tokenizer.json";
  s.file = tokenizer_file(model);
  require(is_object(s.file, "model"), Fault::format, path.string() + ": has no model");
  json& own = s.file["model"];
  s.kind = own.value("type", "");
  if (s.kind.empty() && own.contains("merges")) s.kind = "BPE";  // files of old
  if (s.kind.empty() && own.contains("continuing_subword_prefix")) s.kind = "WordPiece";
  if (s.kind != "WordPiece" && s.kind != "WordLevel" && s.kind != "BPE" && s.kind != "Unigram")
    throw Error(Fault::unsupported,
                path.string() + ": model.type is \"" + s.kind +
                    "\"; static models are made of WordPiece, WordLevel, BPE and Unigram");
  own["type"] = s.kind;
  if (own.contains("continuing_subword_prefix") && own["continuing_subword_prefix"].is_string())
    s.prefix = own["continuing_subword_prefix"];
  s.read_vocabulary(path);
  for (const char* name : {"truncation", "padding", "post_processor"}) s.file[name] = nullptr;
  if (s.file.contains("pre_tokenizer"))
    visit_steps(s.file["pre_tokenizer"], [&](json& step) {
      const std::string type = step.value("type", "");
      if (type == "ByteLevel") {
        s.bytes = true;
        step["add_prefix_space"] = true;
      }
      if (type == "Metaspace") s.blank = step.value("replacement", "\u2581");
    });
}

StaticTokenizer::~StaticTokenizer() = default;

Index StaticTokenizer::size() const { return state_->tokens.size(); }
const std::string& StaticTokenizer::token(Index id) const { return state_->tokens.at(id); }
const std::vector<std::uint32_t>& StaticTokenizer::originals(Index id) const {
  return state_->originals.at(id);
}
std::optional<std::uint32_t> StaticTokenizer::unknown() const { return state_->unknown; }

std::optional<std::uint32_t> StaticTokenizer::find(std::string_view token) const {
  const auto found = state_->ids.find(std::string(token));
  return found == state_->ids.end() ? std::nullopt : std::optional(found->second);
}

Index StaticTokenizer::letters(Index id) const {
  std::string_view token = state_->tokens.at(id);
  if (!state_->prefix.empty() && token.starts_with(state_->prefix))
    token.remove_prefix(state_->prefix.size());
  return letters_in(token);
}

std::string StaticTokenizer::plain(std::string_view piece) const {
  std::string out;
  for (std::size_t at = 0; at < piece.size();) {
    if (!state_->blank.empty() && piece.substr(at).starts_with(state_->blank)) {
      out += ' ';
      at += state_->blank.size();
      continue;
    }
    const CodePoint point = code_point_at(piece, at);
    const auto byte = state_->bytes ? byte_letters().find(point.value) : byte_letters().end();
    if (byte != byte_letters().end())
      out += byte->second;
    else
      out += piece.substr(at, point.length);
    at += point.length;
  }
  return out;
}

bool StaticTokenizer::takes_words() const {
  const json& model = state_->file["model"];
  const auto suffix = model.find("end_of_word_suffix");
  return suffix == model.end() || !suffix->is_string() || suffix->get<std::string>().empty();
}

void StaticTokenizer::add(std::string word, const std::vector<std::uint32_t>& parts) {
  State& s = *state_;
  require(!s.ids.contains(word), Fault::argument, "the word " + word + " is a token already");
  double score = 0, least = 0;
  std::vector<std::uint32_t> originals;
  for (const std::uint32_t part : parts) {
    score += s.scores[part];
    originals.insert(originals.end(), s.originals[part].begin(), s.originals[part].end());
  }
  if (s.kind == "Unigram") least = *std::ranges::min_element(s.scores);
  // Unigram takes the way of the largest sum: the word must beat its parts.
  s.scores.push_back(std::max(score + 1e-3, least));
  s.originals.push_back(std::move(originals));
  s.ids.emplace(word, static_cast<std::uint32_t>(s.tokens.size()));
  s.tokens.push_back(std::move(word));
  if (s.kind == "BPE") s.file["model"]["ignore_merges"] = true;  // a piece that is a token is one
}

std::string StaticTokenizer::State::vocabulary_json() const {
  const bool pairs = kind == "Unigram";
  std::string out(1, pairs ? '[' : '{');
  for (Index id = 0; id < tokens.size(); ++id) {
    if (id > 0) out += ',';
    const std::string token = json(tokens[id]).dump();
    out += pairs ? "[" + token + "," + json(scores[id]).dump() + "]" : token + ":" + std::to_string(id);
  }
  return out + (pairs ? ']' : '}');
}

namespace {

/// The file with `type` first in its model, as the library writes it, and the vocabulary last.
std::string file_json(const json& file, const json& model, const std::string& type,
                      const std::string& vocabulary) {
  std::string out = "{\"version\":\"1.0\"";
  for (const auto& item : file.items())
    if (item.key() != "model" && item.key() != "version")
      out += "," + json(item.key()).dump() + ":" + item.value().dump();
  out += ",\"model\":{\"type\":" + json(type).dump();
  for (const auto& item : model.items())
    if (item.key() != "type" && item.key() != "vocab")
      out += "," + json(item.key()).dump() + ":" + item.value().dump();
  return out + ",\"vocab\":" + vocabulary + "}}";
}

}  // namespace

std::string StaticTokenizer::to_json() const {
  return file_json(state_->file, state_->file["model"], state_->kind, state_->vocabulary_json());
}

std::string StaticTokenizer::words_json(const std::vector<std::string>& words) const {
  nlohmann::json file = state_->file, model{{"unk_token", kUnknown}};
  file["added_tokens"] = {{{"id", 0},
                           {"content", kUnknown},
                           {"single_word", false},
                           {"lstrip", false},
                           {"rstrip", false},
                           {"normalized", false},
                           {"special", true}}};
  file["decoder"] = nullptr;
  std::string vocabulary = "{" + nlohmann::json(kUnknown).dump() + ":0";
  for (Index i = 0; i < words.size(); ++i)
    vocabulary += "," + nlohmann::json(words[i]).dump() + ":" + std::to_string(i + 1);
  return file_json(file, model, "WordLevel", vocabulary + "}");
}

}  // namespace shoal
