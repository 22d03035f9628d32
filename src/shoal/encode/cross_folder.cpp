#include "shoal/encode/cross_folder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/sequence_head.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSentenceConfig = "config_sentence_transformers.json";

/// The path of torch's class that is written down, if any; of classes of others sentence-transformers takes
/// its default.
std::optional<std::string> activation_name(const JsonFields& config, const char* field) {
  std::string name = config.text(field, "");
  if (!name.starts_with("torch.")) return std::nullopt;
  return name;
}

ScoreActivation known_activation(const JsonFields& config, const char* field, const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, ScoreActivation>, 3> kKnown = {
      {{"Identity", ScoreActivation::identity},
       {"Sigmoid", ScoreActivation::sigmoid},
       {"Tanh", ScoreActivation::tanh}}};
  for (const auto& [known, activation] : kKnown)
    if (name.starts_with("torch.nn.") && name.substr(name.rfind('.') + 1) == known) return activation;
  config.refuse(field, "shoal computes torch.nn's Identity, Sigmoid and Tanh");
}

/// Where sentence-transformers looks for it: its own file, then config.json, of today and of old.
ScoreActivation activation_of(const ModelFolder& model, Index labels) {
  const fs::path own = model.folder / kSentenceConfig;
  if (fs::exists(model.folder / "modules.json") && fs::exists(own)) {
    const JsonFields config = JsonFields::read(own);
    if (const auto name = activation_name(config, "activation_fn"))
      return known_activation(config, "activation_fn", *name);
  }
  const fs::path path = model.transformer_folder / "config.json";
  const JsonFields config = JsonFields::read(path);
  const json* inner = config.find("sentence_transformers");
  if (inner && inner->is_object() && inner->contains("activation_fn")) {
    const JsonFields fields(path.string() + ": sentence_transformers", *inner);
    if (const auto name = activation_name(fields, "activation_fn"))
      return known_activation(fields, "activation_fn", *name);
  } else if (const auto name = activation_name(config, "sbert_ce_default_activation_function")) {
    return known_activation(config, "sbert_ce_default_activation_function", *name);
  }
  return labels == 1 ? ScoreActivation::sigmoid : ScoreActivation::identity;
}

void read_learning(CrossFolder& out) {
  const BertConfig& transformer = out.model.transformer;
  const JsonFields config = JsonFields::read(out.model.transformer_folder / "config.json");
  switch (transformer.family) {
    case Family::distilbert:
      out.dropout = config.number("seq_classif_dropout", 0, 1, 0.2);
      break;
    case Family::mpnet:
      out.dropout = transformer.hidden_dropout;
      break;
    case Family::bert:
    case Family::roberta:
      out.dropout = config.number("classifier_dropout", 0, 1, transformer.hidden_dropout);
  }
  out.spread = config.number("initializer_range", 0, 1e3, 0.02);
}

/// Classes of tokenizers that transformers builds anew, with how they join two texts: how many tokens stand
/// between them, and whether the network is told which text a token belongs to.
struct PairClass {
  std::string_view name;
  Index between;
  bool types;
};
constexpr PairClass kClasses[] = {{"BertTokenizer", 1, true},        {"ElectraTokenizer", 1, true},
                                  {"DistilBertTokenizer", 1, false}, {"MPNetTokenizer", 2, false},
                                  {"RobertaTokenizer", 2, false},    {"XLMRobertaTokenizer", 2, false},
                                  {"CamembertTokenizer", 2, false}};

/// Whether what is fed to a network names the types: the list in tokenizer_config.json, else the class's.
bool names_types(const ModelFolder& model, const PairClass* of_class) {
  const fs::path path = model.transformer_folder / "tokenizer_config.json";
  if (fs::exists(path)) {
    const JsonFields config = JsonFields::read(path);
    if (const json* names = config.find("model_input_names")) {
      if (!names->is_array()) config.fail("model_input_names", "it must be a list of names");
      return std::ranges::find(*names, json("token_type_ids")) != names->end();
    }
  }
  return of_class != nullptr && of_class->types;
}

void check_template(const ModelFolder& model, const Tokenizer& tokenizer, const PairClass* of_class,
                    bool tells_types) {
  const std::string file = (model.transformer_folder / "tokenizer.json").string();
  const PairTemplate* pair = tokenizer.pair_template();
  require(pair != nullptr, Fault::unsupported,
          file + ": post_processor makes no pair that is one text after the other");
  if (of_class != nullptr) {
    bool agrees = pair->before == tokenizer.prefix() && pair->after == tokenizer.suffix() &&
                  pair->between.size() == of_class->between;
    for (const std::uint32_t id : pair->between) agrees = agrees && id == tokenizer.suffix().front();
    const Index second = pair->before.size() + 1 + pair->between.size();
    for (Index i = 0; tells_types && i < pair->types.size(); ++i)
      agrees = agrees && pair->types[i] == (of_class->types && i >= second ? 1u : 0u);
    require(agrees, Fault::unsupported,
            file + ": post_processor joins two texts in another way than tokenizer_class " +
                std::string(of_class->name) + " of tokenizer_config.json stands for");
  }
  const std::uint32_t most = *std::ranges::max_element(pair->types);
  if (tells_types && most >= model.transformer.types)
    throw Error(Fault::format, file + ": post_processor gives the type " + std::to_string(most) +
                                   ", but config.json's type_vocab_size is " +
                                   std::to_string(model.transformer.types));
}

}  // namespace

bool is_cross_folder(const fs::path& given) {
  if (!fs::is_directory(given)) return false;
  const fs::path folder = model_place(given);
  if (!fs::exists(folder / "modules.json")) return is_classifier_folder(given);
  return fs::exists(folder / kSentenceConfig) &&
         JsonFields::read(folder / kSentenceConfig).text("model_type", "") == "CrossEncoder";
}

CrossFolder read_cross_folder(const fs::path& given) {
  CrossFolder out;
  out.model = read_pair_folder(given, true);
  out.model.pooling.modes = {PoolingMode::cls};
  out.model.head = {feature_step(out.model.transformer_folder, out.model.transformer)};
  out.labels = read_sequence_head(out.model.transformer_folder, HeadUse::scores).labels;
  out.activation = activation_of(out.model, out.labels.size());
  read_learning(out);
  return out;
}

CrossFolder new_cross_folder(const fs::path& given, Index labels) {
  require(labels > 0, Fault::argument, "a cross-encoder of 0 labels was asked for; it needs at least one");
  CrossFolder out;
  out.model = read_pair_folder(given, false);
  for (Index c = 0; c < labels; ++c) out.labels.push_back("LABEL_" + std::to_string(c));
  out.activation = labels == 1 ? ScoreActivation::sigmoid : ScoreActivation::identity;
  read_learning(out);
  return out;
}

PairTokenizer PairTokenizer::load(const ModelFolder& model) {
  Tokenizer tokenizer = load_tokenizer(model);
  check_vocabulary(model, tokenizer);
  const std::string name = tokenizer_class(model);
  const auto* of_class = std::ranges::find(kClasses, name, &PairClass::name);
  if (of_class == std::end(kClasses)) of_class = nullptr;
  const bool tells_types = model.transformer.types > 0 && names_types(model, of_class);
  check_template(model, tokenizer, of_class, tells_types);
  return {std::move(tokenizer), tells_types};
}

PairTokens PairTokenizer::encode(const Texts& firsts, const Texts& seconds, Index first, Index count,
                                 Index max_length) const {
  PairTokens out = tokenizer_.encode_pairs(firsts, seconds, first, count, max_length);
  if (!tells_types_) out.types.clear();
  return out;
}

}  // namespace shoal
