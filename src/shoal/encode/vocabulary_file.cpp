#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/encode/vocabulary_file_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{64} << 20;

/// The lines of a text as Python reads them: ended by \n, \r\n or \r.
std::vector<std::string> lines_of(const fs::path& path) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(path, failed);
  require(!failed, Fault::file, path.string() + ": " + failed.message());
  require(size <= kMostBytes, Fault::format,
          path.string() + ": " + std::to_string(size) + " bytes; allowed are " + std::to_string(kMostBytes));
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  require(content.size() == size, Fault::file, path.string() + ": cannot be read");
  const std::size_t bad = first_invalid_utf8(content);
  require(bad == std::string::npos, Fault::format,
          path.string() + ": byte " + std::to_string(bad) + " is not UTF-8");
  std::vector<std::string> out;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find_first_of("\r\n", at), content.size());
    out.push_back(content.substr(at, end - at));
    at = end + (content.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return out;
}

/// Of a special token: its role in the settings and what it is if they do not say.
struct Role {
  const char *role, *usual;
};
constexpr Role kBert[] = {{"unk_token", "[UNK]"},
                          {"sep_token", "[SEP]"},
                          {"pad_token", "[PAD]"},
                          {"cls_token", "[CLS]"},
                          {"mask_token", "[MASK]"}};
constexpr Role kMpnet[] = {{"bos_token", "<s>"},    {"eos_token", "</s>"},  {"unk_token", "[UNK]"},
                           {"sep_token", "</s>"},   {"pad_token", "<pad>"}, {"cls_token", "<s>"},
                           {"mask_token", "<mask>"}};

class Builder {
 public:
  Builder(const fs::path& folder, const JsonFields& settings, const std::string& name)
      : folder_(folder),
        path_(folder / "vocab.txt"),
        settings_(settings),
        is_mpnet_(name == "MPNetTokenizer") {}

  json build() {
    if (!settings_.flag("do_basic_tokenize", true))
      settings_.refuse("do_basic_tokenize", "shoal splits words as BERT does before it looks for pieces");
    if (const json* kept = settings_.find("never_split"); kept != nullptr && !kept->empty())
      settings_.refuse("never_split", "shoal splits all words");
    Index id = 0;
    for (const std::string& piece : lines_of(path_)) ids_[piece] = id++;  // of equal lines the last counts
    read_special();
    read_added();
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", added_},
            {"normalizer", normalizer()},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"post_processor", template_of(special_["cls_token"], special_["sep_token"])},
            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", special_["unk_token"]},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", ids_}}}};
  }

 private:
  json normalizer() const {
    const json* accents = settings_.find("strip_accents");
    return {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", settings_.flag("tokenize_chinese_chars", true)},
            {"strip_accents",
             accents == nullptr || accents->is_null() ? json() : json(settings_.flag("strip_accents", true))},
            {"lowercase", settings_.flag("do_lower_case", true)}};
  }

  Index id_of(const std::string& token, const char* role) const {
    const auto found = ids_.find(token);
    if (found == ids_.end())
      throw Error(Fault::format, path_.string() + ": lacks '" + token + "', the " + role + " of the model");
    return found->second;
  }

  /// What a role is in a file of settings: a string, or an object with its content.
  static std::string said(const JsonFields& fields, const char* role) {
    const json* value = fields.find(role);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return value->get<std::string>();
    return JsonFields(fields.path().string() + ": " + role, *value).text("content");
  }

  void add(const std::string& token, Index id, bool special, bool lstrip, bool normalized) {
    if (!listed_.insert(token).second) return;
    added_.push_back({{"id", id},
                      {"content", token},
                      {"single_word", false},
                      {"lstrip", lstrip},
                      {"rstrip", false},
                      {"normalized", normalized},
                      {"special", special}});
  }

  void read_special() {
    const fs::path map = folder_ / "special_tokens_map.json";
    const JsonFields own = fs::exists(map) ? JsonFields::read(map) : JsonFields(map, json::object());
    const auto take = [&](const Role& role) {
      std::string token = said(settings_, role.role);
      if (token.empty()) token = said(own, role.role);
      if (token.empty()) token = role.usual;
      special_[role.role] = token;
      const bool is_mask = std::string(role.role) == "mask_token";
      const bool needed = !is_mask && std::string(role.role) != "pad_token";  // the others mark texts
      if (!needed && !ids_.contains(token)) return;
      add(token, id_of(token, role.role), true, is_mask && is_mpnet_, false);
    };
    if (is_mpnet_) {
      for (const Role& role : kMpnet) take(role);
    } else {
      for (const Role& role : kBert) take(role);
    }
  }

  /// Tokens that were added after training, with their ids.
  void read_added() {
    if (const json* decoder = settings_.find("added_tokens_decoder");
        decoder != nullptr && decoder->is_object()) {
      for (const auto& item : decoder->items()) {
        const JsonFields token(settings_.path().string() + ": added_tokens_decoder", item.value());
        if (token.flag("single_word", false) || token.flag("rstrip", false))
          token.refuse("content", "it is added in a way that shoal does not know from vocab.txt alone");
        const std::string content = token.text("content");
        if (listed_.contains(content)) continue;
        if (item.key().find_first_not_of("0123456789") != std::string::npos || item.key().size() > 9)
          settings_.refuse("added_tokens_decoder", "its keys must be ids");
        add(content, std::stoul(item.key()), token.flag("special", false), token.flag("lstrip", false),
            token.flag("normalized", false));
      }
      return;
    }
    const fs::path path = folder_ / "added_tokens.json";
    if (!fs::exists(path)) return;
    const json file = read_json(path);
    const JsonFields fields(path, file);
    std::map<Index, std::string> in_order;
    for (const auto& item : file.items()) in_order[fields.integer(item.key(), 0, 1 << 24)] = item.key();
    for (const auto& [id, token] : in_order) add(token, id, false, false, true);
  }

  json template_of(const std::string& before, const std::string& after) const {
    const auto special = [](const std::string& token, int type) {
      return json{{"SpecialToken", {{"id", token}, {"type_id", type}}}};
    };
    const auto text = [](const char* which, int type) {
      return json{{"Sequence", {{"id", which}, {"type_id", type}}}};
    };
    json tokens = json::object();
    for (const std::string& token : {before, after})
      tokens[token] = {{"id", token}, {"ids", {id_of(token, "special token")}}, {"tokens", {token}}};
    return {{"type", "TemplateProcessing"},
            {"single", {special(before, 0), text("A", 0), special(after, 0)}},
            {"pair", {special(before, 0), text("A", 0), special(after, 0), text("B", 1), special(after, 1)}},
            {"special_tokens", tokens}};
  }

  const fs::path &folder_, path_;
  const JsonFields& settings_;
  bool is_mpnet_;
  std::map<std::string, Index> ids_;
  std::map<std::string, std::string> special_;
  std::set<std::string> listed_;
  json added_ = json::array();
};

}  // namespace

json tokenizer_of_vocabulary(const fs::path& folder, const JsonFields& settings, const std::string& name) {
  return Builder(folder, settings, name).build();
}

}  // namespace shoal
