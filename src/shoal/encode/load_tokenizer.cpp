#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/vocabulary_file_impl.h"

// shoal runs tokenizer.json as it stands. transformers does so only for classes that it has no code for; for
// the others it builds the steps anew from the vocabulary and the settings in tokenizer_config.json, absent
// ones by the class's defaults (transformers 5: models/bert/tokenization_bert.py and its like). So both must
// agree.

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Classes that differ in nothing that concerns ids.
enum class Kind : std::uint8_t { other, bert, roberta, xlm_roberta };

Kind kind_of(const std::string& name) {
  static const std::map<std::string, Kind, std::less<>> kKinds = {{"BertTokenizer", Kind::bert},
                                                                  {"DistilBertTokenizer", Kind::bert},
                                                                  {"ElectraTokenizer", Kind::bert},
                                                                  {"MPNetTokenizer", Kind::bert},
                                                                  {"RobertaTokenizer", Kind::roberta},
                                                                  {"XLMRobertaTokenizer", Kind::xlm_roberta},
                                                                  {"CamembertTokenizer", Kind::xlm_roberta}};
  const auto found = kKinds.find(name);
  return found == kKinds.end() ? Kind::other : found->second;
}

std::string class_of(const JsonFields& settings, const JsonFields& model) {
  static const std::map<std::string, std::string, std::less<>> kOfModel = {
      {"bert", "BertTokenizer"},       {"distilbert", "BertTokenizer"},
      {"mpnet", "MPNetTokenizer"},     {"xlm-roberta", "XLMRobertaTokenizer"},
      {"roberta", "RobertaTokenizer"}, {"camembert", "CamembertTokenizer"}};
  const auto usual = kOfModel.find(model.text("model_type", ""));
  std::string name = settings.text(
      "tokenizer_class", model.text("tokenizer_class", usual == kOfModel.end() ? "" : usual->second));
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

/// Compares tokenizer_config.json with the steps of tokenizer.json.
class Agreement {
 public:
  Agreement(const JsonFields& settings, const JsonFields& steps, const std::string& name)
      : settings_(settings), steps_(steps), name_(name) {}

  /// Error(unsupported) naming both fields where they differ.
  void check(Kind kind) const {
    if (kind == Kind::bert) {
      check_normalizer();
    } else {
      const bool byte_level = kind == Kind::roberta;
      const JsonFields step = part("pre_tokenizer", byte_level ? "ByteLevel" : "");
      agree("add_prefix_space", !byte_level, puts_blank(step), "pre_tokenizer");
    }
  }

 private:
  /// A part of tokenizer.json, of type `type` if one is given.
  JsonFields part(const char* name, const std::string& type) const {
    const fs::path where = steps_.path().string() + ": " + name;
    const json* found = steps_.find(name);
    if (!found) steps_.refuse(name, "tokenizer_class " + name_ + " stands for a " + name);
    const JsonFields out(where, *found);
    if (!type.empty() && out.text("type", "") != type)
      out.refuse("type", "tokenizer_class " + name_ + " stands for " + type);
    return out;
  }

  void check_normalizer() const {
    const JsonFields normalizer = part("normalizer", "BertNormalizer");
    const bool lower = normalizer.flag("lowercase", true);
    agree("do_lower_case", true, lower, "normalizer.lowercase");
    agree("strip_accents", lower, normalizer.flag("strip_accents", lower), "normalizer.strip_accents");
    agree("tokenize_chinese_chars", true, normalizer.flag("handle_chinese_chars", true),
          "normalizer.handle_chinese_chars");
    if (!normalizer.flag("clean_text", true))
      normalizer.refuse("clean_text", "tokenizer_class " + name_ + " stands for true");
  }

  /// Whether a pre-tokenizer puts a blank before a text.
  static bool puts_blank(const JsonFields& step) {
    const std::string type = step.text("type", "");
    if (type == "ByteLevel") return step.flag("add_prefix_space", true);
    if (type == "Metaspace" && step.has("prepend_scheme")) return step.text("prepend_scheme") != "never";
    if (type == "Metaspace") return step.flag("add_prefix_space", true);
    bool any = false;
    if (const json* inner = step.find("pretokenizers"); inner && inner->is_array())
      for (const json& one : *inner) any = any || puts_blank({step.path(), one});
    return any;
  }

  void agree(const char* setting, bool otherwise, bool is, const char* field) const {
    const bool wanted = settings_.flag(setting, otherwise);
    if (wanted == is) return;
    const auto word = [](bool flag) { return flag ? "true" : "false"; };
    settings_.refuse(setting, "tokenizer_class " + name_ + " takes it as " + word(wanted) + ", but " + field +
                                  " in tokenizer.json says " + word(is) + "; make the two agree");
  }

  const JsonFields &settings_, &steps_;
  const std::string& name_;
};

/// Puts lower case before the steps of the normaliser unless it is one of them already: what do_lower_case
/// means to sentence-transformers.
void put_lower_case(json& file, const fs::path& path) {
  json steps = json::array();
  if (const auto found = file.find("normalizer"); found != file.end() && found->is_object()) {
    const json& own = *found;
    steps = own.value("type", json()) == "Sequence" ? own.value("normalizers", json()) : json::array({own});
    require(steps.is_array(), Fault::format, path.string() + ": normalizers must be a list");
  }
  for (const json& step : steps)
    if (step.is_object() && step.value("type", json()) == "Lowercase") return;
  const json lower = {{"type", "Lowercase"}};
  steps.insert(steps.begin(), lower);
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
}

/// Without a tokenizer.json: from a vocabulary of BERT's kind.
Tokenizer load_old_tokenizer(const ModelFolder& model, const JsonFields& settings, const std::string& name,
                             Kind kind) {
  const fs::path folder = model.transformer_folder, path = folder / "vocab.txt";
  if (kind == Kind::bert && fs::exists(path)) {
    json file = tokenizer_of_vocabulary(folder, settings, name);
    if (model.lower_case) put_lower_case(file, path);
    return Tokenizer::from_json(file.dump(), path.string());
  }
  for (const char* other :
       {"vocab.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.json"})
    if (fs::exists(folder / other))
      throw Error(Fault::unsupported,
                  (folder / "tokenizer.json").string() + ": missing, and " + other + " of " +
                      (name.empty() ? "an unknown tokenizer" : name) +
                      " is not read without it (save_pretrained of transformers writes it)");
  throw Error(Fault::file, (folder / "tokenizer.json").string() + ": missing");
}

JsonFields settings_of(const ModelFolder& model) {
  const fs::path config = model.transformer_folder / "tokenizer_config.json";
  return fs::exists(config) ? JsonFields::read(config) : JsonFields(config, json::object());
}

}  // namespace

std::string tokenizer_class(const ModelFolder& model) {
  return class_of(settings_of(model), JsonFields::read(model.transformer_folder / "config.json"));
}

json tokenizer_file(const ModelFolder& model) {
  const fs::path folder = model.transformer_folder, path = folder / "tokenizer.json";
  json file = fs::exists(path) ? read_json(path)
                               : tokenizer_of_vocabulary(folder, settings_of(model), tokenizer_class(model));
  require(file.is_object(), Fault::format, path.string() + ": must hold one JSON object");
  if (model.lower_case) put_lower_case(file, path);
  return file;
}

Tokenizer load_tokenizer(const ModelFolder& model) {
  const fs::path folder = model.transformer_folder, path = folder / "tokenizer.json";
  const JsonFields settings = settings_of(model);
  const std::string name = class_of(settings, JsonFields::read(folder / "config.json"));
  const Kind kind = kind_of(name);
  if (!fs::exists(path)) return load_old_tokenizer(model, settings, name, kind);
  if (kind == Kind::other && !model.lower_case) return Tokenizer::load(path);

  json file = model.lower_case ? read_json(path) : read_members(path, {"normalizer", "pre_tokenizer"});
  require(file.is_object(), Fault::format, path.string() + ": must hold one JSON object");
  if (kind != Kind::other) {
    const JsonFields steps(path, {{"normalizer", file.value("normalizer", json())},
                                  {"pre_tokenizer", file.value("pre_tokenizer", json())}});
    Agreement(settings, steps, name).check(kind);
  }
  if (model.lower_case) put_lower_case(file, path);
  Tokenizer tokenizer =
      model.lower_case ? Tokenizer::from_json(file.dump(), path.string()) : Tokenizer::load(path);
  if (kind != Kind::other && (tokenizer.prefix().size() != 1 || tokenizer.suffix().size() != 1))
    throw Error(Fault::unsupported,
                path.string() + ": post_processor puts " + std::to_string(tokenizer.prefix().size()) +
                    " tokens before a text and " + std::to_string(tokenizer.suffix().size()) +
                    " after it; tokenizer_class " + name +
                    " of tokenizer_config.json stands for one and one");
  return tokenizer;
}

}  // namespace shoal
