#include "shoal/train/cross_network.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/sequence_head.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/train/backward_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr Index kTokensAtOnce = 4096;
constexpr std::uint64_t kDenseTag = 101, kLastTag = 102;

const char* prefix_of(Family family) {
  switch (family) {
    case Family::bert:
      return "bert.";
    case Family::distilbert:
      return "distilbert.";
    case Family::mpnet:
      return "mpnet.";
    case Family::roberta:
      break;
  }
  return "roberta.";
}

bool drops_what_the_head_reads(Family family) { return family == Family::roberta || family == Family::mpnet; }

/// BERT's pooler, as an encoder's folder has it with or without the prefix of a task's model.
bool has_dense(const Weights& weights, const std::string& name) { return weights.has(name + ".weight"); }

std::string class_of(const std::string& model_type) {
  static const std::map<std::string, std::string, std::less<>> kClasses = {
      {"bert", "Bert"},           {"roberta", "Roberta"},       {"xlm-roberta", "XLMRoberta"},
      {"camembert", "Camembert"}, {"distilbert", "DistilBert"}, {"mpnet", "MPNet"}};
  return kClasses.at(model_type) + "ForSequenceClassification";
}

const char* activation_path(ScoreActivation activation) {
  switch (activation) {
    case ScoreActivation::sigmoid:
      return "torch.nn.modules.activation.Sigmoid";
    case ScoreActivation::tanh:
      return "torch.nn.modules.activation.Tanh";
    case ScoreActivation::identity:
      break;
  }
  return "torch.nn.modules.linear.Identity";
}

ordered_json read_object(const fs::path& path) {
  const std::string content = read_file(path, std::size_t{64} << 20);
  ordered_json out = ordered_json::parse(content, nullptr, false);
  require(out.is_object(), Fault::format, path.string() + ": must hold one JSON object");
  return out;
}

/// As CrossEncoder of version 6 saves them.
void write_sentence_files(const CrossFolder& folder, const fs::path& to) {
  const ordered_json modules = {{{"idx", 0},
                                 {"name", "0"},
                                 {"path", ""},
                                 {"type", "sentence_transformers.base.modules.transformer.Transformer"}}};
  const ordered_json method = {{"method", "forward"}, {"method_output_name", "logits"}};
  ordered_json config = {{"activation_fn", activation_path(folder.activation)},
                         {"default_prompt_name", nullptr},
                         {"model_type", "CrossEncoder"},
                         {"prompts", ordered_json::object()}};
  if (folder.model.default_prompt) config["default_prompt_name"] = *folder.model.default_prompt;
  for (const auto& [name, prompt] : folder.model.prompts) config["prompts"][name] = prompt;
  write_file(to / "modules.json", modules.dump(2) + "\n");
  write_file(to / "config_sentence_transformers.json", config.dump(2) + "\n");
  ordered_json sentence{{"transformer_task", "sequence-classification"},
                        {"modality_config", {{"text", method}}},
                        {"module_output_name", "scores"}};
  if (folder.model.lower_case) sentence["do_lower_case"] = true;
  write_file(to / "sentence_bert_config.json", sentence.dump(2) + "\n");
}

}  // namespace

CrossNetwork::CrossNetwork(CrossFolder folder, Seed seed, bool has_head)
    : folder_(std::move(folder)),
      tokenizer_(PairTokenizer::load(folder_.model)),
      network_(TrainableNetwork::load(folder_.model.transformer, Weights(folder_.model.transformer_folder),
                                      parameters)),
      dropout_{.network = {.hidden = folder_.model.transformer.hidden_dropout,
                           .attention = folder_.model.transformer.attention_dropout,
                           .seed = {}},
               .head = folder_.dropout} {
  const Index hidden = folder_.model.transformer.hidden;
  const HeadNames names = head_names(folder_.model.transformer.family);
  Weights weights(folder_.model.transformer_folder);
  add(dense_, names.dense, hidden, hidden, weights, has_head || has_dense(weights, names.dense),
      seed.child(kDenseTag));
  add(last_, names.last, labels(), hidden, weights, has_head, seed.child(kLastTag));
  prepare();
}

CrossNetwork CrossNetwork::load(const fs::path& folder) { return {read_cross_folder(folder), {}, true}; }

CrossNetwork CrossNetwork::create(const fs::path& folder, Index labels, Seed seed) {
  return {new_cross_folder(folder, labels), seed, false};
}

void CrossNetwork::name_labels(std::vector<std::string> names) {
  require(names.size() == labels(), Fault::argument,
          std::to_string(names.size()) + " names for " + std::to_string(labels()) + " labels");
  folder_.labels = std::move(names);
}

void CrossNetwork::add(Linear& linear, const std::string& name, Index outputs, Index inputs,
                       const Weights& weights, bool is_there, Seed seed) {
  Matrix weight(outputs, inputs), bias(1, outputs);
  if (is_there) {
    weight = weights.matrix(name + ".weight", outputs, inputs);
    std::ranges::copy(weights.vector(name + ".bias", outputs), bias.data());
  } else if (name == "bert.pooler.dense" && weights.has("pooler.dense.weight")) {
    weight = weights.matrix("pooler.dense.weight", outputs, inputs);
    std::ranges::copy(weights.vector("pooler.dense.bias", outputs), bias.data());
  } else {
    const Random random(seed);
    for (Index i = 0; i < outputs * inputs; ++i)
      weight.data()[i] = static_cast<float>(folder_.spread * random.normal(i));
  }
  linear.weight = parameters.add(name + ".weight", std::move(weight), true);
  linear.bias = parameters.add(name + ".bias", std::move(bias), false);
}

void CrossNetwork::prepare(const Run& run) {
  network_.prepare(parameters, run);
  for (Linear* linear : {&dense_, &last_}) {
    const Matrix& weight = parameters[linear->weight].value;
    linear->forward = Packed::rows(weight);
    linear->back = Packed::columns(weight.view());
  }
}

PairTokens CrossNetwork::tokenize(const Texts& firsts, const Texts& seconds, const Run& run) const {
  constexpr Index kAtOnce = 64;
  require(firsts.size() == seconds.size(), Fault::argument,
          "there are " + std::to_string(firsts.size()) + " first texts and " +
              std::to_string(seconds.size()) + " second ones");
  const std::string prompt = prompt_of(folder_.model, {});
  std::vector<PairTokens> parts(chunk_count(firsts.size(), kAtOnce));
  for_chunks(
      run, firsts.size(), kAtOnce,
      [&](Index chunk, Index first, Index last) {
        Texts prompted, others;
        for (Index i = first; i < last; ++i) {
          prompted.add(prompt + std::string(firsts[i]));
          others.add(seconds[i]);
        }
        parts[chunk] = tokenizer_.encode(prompted, others, 0, last - first, folder_.model.limit);
      },
      "tokenize");
  PairTokens out;
  for (const PairTokens& part : parts) {
    const Index before = out.ids.size();
    out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
    out.types.insert(out.types.end(), part.types.begin(), part.types.end());
    for (Index i = 1; i < part.starts.size(); ++i) out.starts.push_back(before + part.starts[i]);
    out.cut += part.cut;
  }
  return out;
}

Matrix CrossNetwork::forward(const PairTokens& pairs, std::span<const Index> which,
                             const CrossDropout& dropout, CrossPass& pass, const Run& run) const {
  std::vector<std::uint32_t> ids, types;
  std::vector<Index> starts{0};
  for (const Index i : which) {
    const std::size_t first = pairs.starts[i], count = pairs.starts[i + 1] - first;
    ids.insert(ids.end(), pairs.ids.data() + first, pairs.ids.data() + first + count);
    if (!pairs.types.empty())
      types.insert(types.end(), pairs.types.data() + first, pairs.types.data() + first + count);
    starts.push_back(ids.size());
  }
  const Matrix states = network_.forward(ids, starts, parameters, dropout.network, pass.network, run, types);
  const BertConfig& transformer = folder_.model.transformer;
  const Index hidden = transformer.hidden;
  const Seed seed = dropout.network.seed.child(kLastTag);
  pass.dropped = dropout.head;
  pass.first = Matrix(which.size(), hidden);
  for (Index i = 0; i < which.size(); ++i) std::ranges::copy(states[starts[i]], pass.first[i].begin());
  if (drops_what_the_head_reads(transformer.family))
    drop(pass.first.span(), dropout.head, seed.child(0), run);
  pass.before = Matrix(which.size(), hidden);
  product(pass.first.view(), dense_.forward, parameters[dense_.bias].value[0], pass.before.span(), run);
  pass.read = pass.before;
  kernels().activate(head_names(transformer.family).activation, pass.read.data(), which.size() * hidden);
  drop(pass.read.span(), dropout.head, seed.child(1), run);
  Matrix out(which.size(), labels());
  product(pass.read.view(), last_.forward, parameters[last_.bias].value[0], out.span(), run);
  return out;
}

void CrossNetwork::backward(const CrossPass& pass, MatrixView slope, const Run& run) {
  const BertConfig& transformer = folder_.model.transformer;
  const Index pairs = slope.rows, hidden = transformer.hidden;
  const Seed seed = pass.network.dropout.seed.child(kLastTag);
  const auto linear_back = [&](const Linear& linear, MatrixView of, MatrixView x) {
    add_weight_gradient(of, x, parameters[linear.weight], run);
    add_row_sum(of, parameters[linear.bias], run);
    Matrix before(pairs, hidden);
    product(of, linear.back, {}, before.span(), run);
    return before;
  };
  Matrix by_read = linear_back(last_, slope, pass.read.view());
  drop(by_read.span(), pass.dropped, seed.child(1), run);
  activation_back(head_names(transformer.family).activation, pass.before.view(), by_read.span(), run);
  Matrix by_first = linear_back(dense_, by_read.view(), pass.first.view());
  if (drops_what_the_head_reads(transformer.family)) drop(by_first.span(), pass.dropped, seed.child(0), run);
  Matrix by_states(pass.network.ids.size(), hidden);
  for (Index i = 0; i < pairs; ++i) std::ranges::copy(by_first[i], by_states[pass.network.starts[i]].begin());
  network_.backward(pass.network, std::move(by_states), parameters, run);
}

Matrix CrossNetwork::logits(const PairTokens& pairs, const Run& run) const {
  const Index most = std::min(kTokensAtOnce, tokens_that_fit(folder_.model.transformer));
  Matrix out(pairs.size(), labels());
  CrossPass pass;
  std::vector<Index> which;
  for (Index first = 0, last; first < pairs.size(); first = last) {
    check_stop(run);
    which.clear();
    Index tokens = 0;
    for (last = first; last < pairs.size() && (last == first || tokens + pairs[last].size() <= most);
         ++last) {
      which.push_back(last);
      tokens += pairs[last].size();
    }
    const Matrix found = forward(pairs, which, {}, pass, run.quiet());
    std::copy_n(found.data(), found.rows() * found.cols(), out[first].data());
    if (run.progress) run.progress("score", static_cast<double>(last), static_cast<double>(pairs.size()));
  }
  return out;
}

void CrossNetwork::save(const fs::path& to) const {
  const fs::path from = folder_.model.transformer_folder;
  ordered_json config = read_object(from / "config.json");
  config["architectures"] = {class_of(config.at("model_type").get<std::string>())};
  config["id2label"] = ordered_json::object();
  config["label2id"] = ordered_json::object();
  for (Index c = 0; c < labels(); ++c) {
    config["id2label"][std::to_string(c)] = folder_.labels[c];
    config["label2id"][folder_.labels[c]] = c;
  }
  for (const char* old :
       {"num_labels", "problem_type", "torch_dtype", "sbert_ce_default_activation_function"})
    config.erase(old);
  config["dtype"] = "float32";
  config["sentence_transformers"] = {{"activation_fn", activation_path(folder_.activation)}};
  write_file(to / "config.json", config.dump(2) + "\n");

  for (const char* name : {"tokenizer.json", "vocab.txt", "special_tokens_map.json", "added_tokens.json",
                           "vocab.json", "merges.txt", "sentencepiece.bpe.model"})
    if (fs::exists(from / name)) write_file(to / name, read_file(from / name, std::size_t{256} << 20));
  ordered_json tokenizer = fs::exists(from / "tokenizer_config.json")
                               ? read_object(from / "tokenizer_config.json")
                               : ordered_json::object();
  tokenizer["model_max_length"] = folder_.model.limit;
  write_file(to / "tokenizer_config.json", tokenizer.dump(2) + "\n");

  // Prompts and lower case stand in the files of sentence-transformers alone.
  if (!folder_.model.prompts.empty() || folder_.model.lower_case) write_sentence_files(folder_, to);

  ArchiveWriter weights("weights");
  weights.meta("format", "pt");  // transformers asks for it
  const std::string prefix = prefix_of(folder_.model.transformer.family);
  for (Index p = 0; p < parameters.size(); ++p) {
    std::string name = parameters[p].name;
    const bool is_head = p == dense_.weight || p == dense_.bias || p == last_.weight || p == last_.bias;
    if (name.ends_with(".gamma")) name.replace(name.size() - 5, 5, "weight");
    if (name.ends_with(".beta")) name.replace(name.size() - 4, 4, "bias");
    if (!is_head) name.insert(0, prefix);
    const Matrix& value = parameters[p].value;
    if (value.rows() == 1 && !parameters[p].decays)
      weights.add(name, std::span<const float>(value[0]));
    else
      weights.add(name, value);
  }
  weights.write(to / "model.safetensors");
}

}  // namespace shoal
