#include "shoal/encode/bert_config.h"

#include <map>
#include <string>

#include "shoal/encode/json_fields_impl.h"

namespace shoal {
namespace {

Family family_of(const JsonFields& config) {
  static const std::map<std::string, Family, std::less<>> kFamilies = {
      {"bert", Family::bert},         {"roberta", Family::roberta},       {"xlm-roberta", Family::roberta},
      {"camembert", Family::roberta}, {"distilbert", Family::distilbert}, {"mpnet", Family::mpnet}};
  const auto found = kFamilies.find(config.text("model_type"));
  if (found == kFamilies.end())
    config.refuse("model_type",
                  "shoal runs the architectures bert, roberta, xlm-roberta, camembert, distilbert and mpnet");
  return found->second;
}

Activation activation_of(const JsonFields& config, std::string_view field) {
  // gelu_new, gelu_fast, gelu_accurate and the *_tanh names are all the tanh approximation.
  static const std::map<std::string, Activation, std::less<>> kActivations = {
      {"gelu", Activation::gelu},
      {"gelu_python", Activation::gelu},
      {"gelu_new", Activation::gelu_tanh},
      {"gelu_fast", Activation::gelu_tanh},
      {"gelu_accurate", Activation::gelu_tanh},
      {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"gelu_python_tanh", Activation::gelu_tanh},
      {"relu", Activation::relu},
      {"silu", Activation::silu},
      {"swish", Activation::silu},
      {"tanh", Activation::tanh},
      {"linear", Activation::none}};
  const auto found = kActivations.find(config.text(field, "gelu"));
  if (found == kActivations.end())
    config.refuse(field, "shoal computes gelu, gelu_new (and its other names), relu, silu, tanh and linear");
  return found->second;
}

/// Whatever would change the computation in a way that the forward pass does not know.
void refuse_the_unknown(const JsonFields& config) {
  if (config.flag("is_decoder", false)) config.refuse("is_decoder", "shoal runs encoders only");
  if (config.flag("add_cross_attention", false))
    config.refuse("add_cross_attention", "shoal runs encoders only");
  if (config.text("position_embedding_type", "absolute") != "absolute")
    config.refuse("position_embedding_type", "shoal computes absolute positions only");
  if (const auto* pruned = config.find("pruned_heads"); pruned && !pruned->empty())
    config.refuse("pruned_heads", "shoal runs models with all their heads");
  if (config.has("quantization_config"))
    config.refuse("quantization_config", "shoal reads weights in f32, f16 or bf16");
  if (const auto* code = config.find("auto_map"); code && code->contains("AutoModel"))
    config.refuse("auto_map", "the model brings code of its own, and shoal runs none");
}

void read_positions(const JsonFields& config, BertConfig& out) {
  constexpr Index kMostPositions = Index{1} << 20;
  out.positions = config.integer("max_position_embeddings", 1, kMostPositions, 512);
  if (out.family == Family::roberta)
    out.padding = static_cast<std::uint32_t>(config.integer("pad_token_id", 0, out.vocabulary - 1, 1));
  if (out.family == Family::mpnet) out.padding = 1;  // fixed in the architecture, whatever the config says
  if (out.family == Family::roberta || out.family == Family::mpnet) out.first_position = out.padding + 1;
  if (out.positions <= out.first_position)
    config.fail("max_position_embeddings", "positions begin after the padding id, at " +
                                               std::to_string(out.first_position) + ": none is left");
  if (out.family == Family::mpnet && config.integer("relative_attention_num_buckets", 1, 1 << 20, 32) != 32)
    config.refuse("relative_attention_num_buckets", "the architecture computes with 32");
}

}  // namespace

BertConfig read_transformer_config(const std::filesystem::path& path) {
  constexpr Index kMostWidth = Index{1} << 16, kMostLayers = 1024, kMostVocabulary = Index{1} << 28;
  const JsonFields config = JsonFields::read(path);
  BertConfig out;
  out.family = family_of(config);
  refuse_the_unknown(config);
  const bool distil = out.family == Family::distilbert;
  out.vocabulary = config.integer("vocab_size", 1, kMostVocabulary);
  out.hidden = config.integer(distil ? "dim" : "hidden_size", 1, kMostWidth, 768);
  out.layers = config.integer(distil ? "n_layers" : "num_hidden_layers", 1, kMostLayers, distil ? 6 : 12);
  out.heads = config.integer(distil ? "n_heads" : "num_attention_heads", 1, out.hidden, 12);
  out.inner = config.integer(distil ? "hidden_dim" : "intermediate_size", 1, kMostWidth * 4, 3072);
  out.activation = activation_of(config, distil ? "activation" : "hidden_act");
  if (out.family == Family::bert || out.family == Family::roberta)
    out.types = config.integer("type_vocab_size", 1, kMostWidth, 2);
  if (!distil) out.epsilon = static_cast<float>(config.number("layer_norm_eps", 0, 1, 1e-12));
  if (out.hidden % out.heads != 0)
    config.fail(distil ? "n_heads" : "num_attention_heads",
                "it must divide the hidden size, " + std::to_string(out.hidden));
  out.hidden_dropout = config.number(distil ? "dropout" : "hidden_dropout_prob", 0, 1, 0.1);
  out.attention_dropout =
      config.number(distil ? "attention_dropout" : "attention_probs_dropout_prob", 0, 1, 0.1);
  read_positions(config, out);
  return out;
}

}  // namespace shoal
