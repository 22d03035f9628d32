#include "shoal/encode/model_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

/// A copy of a golden model that a test may spoil.
class Spoilt : public testing::Test {
 protected:
  void SetUp() override { fresh("bert_old"); }

  void fresh(const char* model) {
    fs::remove_all(folder_);
    fs::copy(kGolden / model, folder_, fs::copy_options::recursive);
  }
  void write(const fs::path& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  void edit(const fs::path& name, const std::string& field, const json& value) {
    json file = json::parse(read_file(folder_ / name, 1 << 20));
    file[field] = value;
    write(name, file.dump());
  }
  /// Loads, and expects a fault whose message has all the parts.
  void expect(Fault fault, const std::vector<std::string>& parts) {
    try {
      Encoder::load(folder_);
      FAIL() << "loaded, although " << parts.front() << " is spoilt";
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(error.fault), static_cast<int>(fault)) << error.what();
      for (const std::string& part : parts)
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << " in: " << error.what();
    }
  }
  /// The same with one field changed, in a fresh copy.
  void expect_field(const fs::path& name, const std::string& field, const json& value, Fault fault,
                    const std::string& part = {}) {
    SCOPED_TRACE(field + " = " + value.dump());
    fresh("bert_old");
    edit(name, field, value);
    expect(fault, {name.filename().string(), field, part});
  }

  const ScratchFolder scratch_;
  const fs::path folder_ = scratch_ / "model";
};

TEST_F(Spoilt, NotSpoiltLoads) { EXPECT_EQ(Encoder::load(folder_).max_tokens(), 64u); }

TEST_F(Spoilt, ConfigNumbers) {
  const fs::path config = "config.json";
  expect_field(config, "num_hidden_layers", 1000000000, Fault::format, "1 to 1024");
  expect_field(config, "num_hidden_layers", 0, Fault::format);
  expect_field(config, "num_hidden_layers", -1, Fault::format);
  expect_field(config, "num_hidden_layers", 2.5, Fault::format);
  expect_field(config, "num_hidden_layers", "2", Fault::format, "\"2\"");
  expect_field(config, "num_attention_heads", 5, Fault::format, "divide the hidden size, 36");
  expect_field(config, "hidden_size", 1e300, Fault::format);
  expect_field(config, "layer_norm_eps", "small", Fault::format);
  expect_field(config, "vocab_size", nullptr, Fault::format, "absent");
}

TEST_F(Spoilt, WhatShoalDoesNotDo) {
  const fs::path config = "config.json";
  expect_field(config, "model_type", "llama", Fault::unsupported, "bert, roberta");
  expect_field(config, "hidden_act", "mish", Fault::unsupported);
  expect_field(config, "position_embedding_type", "relative_key", Fault::unsupported);
  expect_field(config, "is_decoder", true, Fault::unsupported);
  expect_field(config, "auto_map", json{{"AutoModel", "own_code.Model"}}, Fault::unsupported);
  expect_field(config, "quantization_config", json{{"bits", 4}}, Fault::unsupported);
  expect_field("tokenizer_config.json", "truncation_side", "left", Fault::unsupported);
  expect_field("1_Pooling/config.json", "pooling_mode", "attention", Fault::unsupported, "lasttoken");
}

TEST_F(Spoilt, ShapesAreComparedWithTheConfig) {
  for (const auto& [field, value, tensor] :
       {std::tuple<const char*, int, const char*>{"hidden_size", 72, "word_embeddings"},
        {"intermediate_size", 71, "intermediate.dense.weight"},
        {"num_hidden_layers", 3, "encoder.layer.2."},
        {"max_position_embeddings", 4096, "position_embeddings"},
        {"vocab_size", 100000000, "word_embeddings"}}) {
    SCOPED_TRACE(field);
    fresh("bert_old");
    if (field == std::string("hidden_size")) edit("1_Pooling/config.json", "word_embedding_dimension", value);
    edit("config.json", field, value);
    expect(Fault::format, {"model.safetensors", tensor});
  }
}

TEST_F(Spoilt, VocabularySmallerThanTheTokenizers) {
  edit("config.json", "vocab_size", 50);
  expect(Fault::format, {"tokenizer.json", "vocab_size is 50"});
}

TEST_F(Spoilt, MissingAndTruncatedFiles) {
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"}) {
    SCOPED_TRACE(name);
    fresh("bert_old");
    fs::remove(folder_ / name);
    expect(Fault::file, {fs::path(name).filename().string()});
    fresh("bert_old");
    fs::resize_file(folder_ / name, fs::file_size(folder_ / name) / 2);
    expect(Fault::format, {fs::path(name).filename().string()});
  }
  fs::remove_all(folder_);
  expect(Fault::file, {folder_.string(), "no such model folder"});
}

/// The numbers of some texts under a model.
Matrix vectors_of(const fs::path& folder) {
  Texts texts;
  for (const char* text : {"hello world", "A naïve café, über alles", "", "1234 [MASK] 北京"})
    texts.add(text);
  return Encoder::load(folder).encode(texts).to_matrix();
}

TEST_F(Spoilt, WeightsOfTorchGiveTheSameVectors) {
  const Matrix want = vectors_of(folder_);
  fs::remove(folder_ / "model.safetensors");
  fs::copy_file(kGolden / "../torch/model.bin", folder_ / "pytorch_model.bin");
  EXPECT_TRUE(vectors_of(folder_) == want);
  // In parts, of which an index says which tensor is where.
  const ArchiveReader weights(kGolden / "bert_old" / "model.safetensors");
  json index = {{"weight_map", json::object()}};
  for (const auto& [name, tensor] : weights.tensors()) index["weight_map"][name] = "pytorch_model-1-of-1.bin";
  fs::rename(folder_ / "pytorch_model.bin", folder_ / "pytorch_model-1-of-1.bin");
  write("pytorch_model.bin.index.json", index.dump());
  EXPECT_TRUE(vectors_of(folder_) == want);
  fs::copy_file(kGolden / "../torch/runs_system.bin", folder_ / "pytorch_model.bin");
  expect(Fault::unsupported, {"pytorch_model.bin", "posix.system"});
}

TEST_F(Spoilt, APointerOfGitLfsIsNoWeights) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    fresh("bert_old");
    fs::remove(folder_ / "model.safetensors");
    write(name, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    expect(Fault::file, {name, "git lfs pull"});
  }
}

TEST_F(Spoilt, WeightsOfOtherProgramsAreRefusedByName) {
  const std::pair<const char*, const char*> kinds[] = {{"model.onnx", "ONNX"},
                                                       {"onnx/model_quantized.onnx", "ONNX"},
                                                       {"tf_model.h5", "TensorFlow"},
                                                       {"flax_model.msgpack", "Flax"},
                                                       {"openvino/openvino_model.xml", "OpenVINO"},
                                                       {"all-minilm.Q4_K_M.gguf", "GGUF"}};
  for (const auto& [name, program] : kinds) {
    fresh("bert_old");
    fs::remove(folder_ / "model.safetensors");
    fs::create_directories((folder_ / name).parent_path());
    write(name, "x");
    expect(Fault::unsupported, {folder_.string(), name, program, "safetensors"});
    fs::remove(folder_ / "config.json");  // such a folder may lack the rest too
    fs::remove(folder_ / "modules.json");
    expect(Fault::unsupported, {folder_.string(), name, program});
  }
}

TEST_F(Spoilt, ACacheOfHuggingFaceIsTakenAsItIs) {
  const Encoder plain = Encoder::load(folder_);
  const fs::path hub = scratch_ / "hub", model = hub / "models--sentence-transformers--tiny-bert";
  const fs::path snapshot = model / "snapshots/0123abcd";
  fs::create_directories(model / "blobs");
  fs::create_directories(model / "refs");
  int blob = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    const fs::path name = entry.path().lexically_relative(folder_),
                   to = model / "blobs" / std::to_string(++blob);
    fs::copy_file(entry.path(), to);
    fs::create_directories((snapshot / name).parent_path());
    fs::create_symlink(to.lexically_relative((snapshot / name).parent_path()), snapshot / name);
  }
  std::ofstream(model / "refs/main") << "0123abcd";
  for (const fs::path& given : {model, hub, snapshot, fs::path(model.string() + "/")}) {
    const Encoder encoder = Encoder::load(given);
    EXPECT_EQ(encoder.name(), "tiny-bert") << given;
    EXPECT_EQ(encoder.space().id, "tiny-bert@" + plain.space().id.substr(plain.space().id.rfind('@') + 1));
  }
  const auto refused = [](const fs::path& given) {
    const Error e = error_of([&] { Encoder::load(given); });
    EXPECT_EQ(e.fault, Fault::file);
    return std::string(e.what());
  };
  fs::create_directories(model / "snapshots/9999");
  EXPECT_EQ(Encoder::load(model).name(), "tiny-bert");  // refs/main decides
  fs::remove_all(model / "refs");
  EXPECT_NE(refused(model).find("0123abcd, 9999"), std::string::npos);
  fs::remove_all(model / "snapshots/9999");
  EXPECT_EQ(Encoder::load(model).name(), "tiny-bert");
  fs::create_directories(hub / "models--other/snapshots/1");
  EXPECT_NE(refused(hub).find("models--other, models--sentence-transformers--tiny-bert"), std::string::npos);
  fs::remove_all(model / "blobs");
  EXPECT_NE(refused(model).find("was the download finished?"), std::string::npos);
}

TEST_F(Spoilt, WithoutATokenizerJsonOtherVocabulariesAreRefused) {
  fs::remove(folder_ / "tokenizer.json");
  edit("tokenizer_config.json", "tokenizer_class", "XLMRobertaTokenizer");
  write("sentencepiece.bpe.model", "x");
  expect(Fault::unsupported, {"sentencepiece.bpe.model", "XLMRobertaTokenizer", "save_pretrained"});
  edit("tokenizer_config.json", "tokenizer_class", "BertTokenizer");
  write("vocab.txt", "[PAD]\n[CLS]\n[SEP]\na\n");
  expect(Fault::format, {"vocab.txt", "[UNK]"});
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\xff\n");
  expect(Fault::format, {"vocab.txt", "byte 25 is not UTF-8"});
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n");
  EXPECT_EQ(vectors_of(folder_).rows(), 4u);
  edit("tokenizer_config.json", "do_basic_tokenize", false);
  expect(Fault::unsupported, {"do_basic_tokenize"});
}

TEST_F(Spoilt, Modules) {
  const auto type = [&](int which, const char* name, const std::string& path = "1_Pooling") {
    fresh("bert_old");
    json modules = json::parse(read_file(folder_ / "modules.json", 1 << 20));
    modules[which]["type"] = name;
    if (which > 0) modules[which]["path"] = path;
    write("modules.json", modules.dump());
  };
  type(0, "sentence_transformers.models.StaticEmbedding");
  expect(Fault::format, {"model.safetensors", "the table of a StaticEmbedding"});
  type(0, "sentence_transformers.models.CLIPModel");
  expect(Fault::unsupported, {"CLIPModel"});
  type(0, "custom_st.Transformer");
  expect(Fault::unsupported, {"custom_st.Transformer", "no code that a model brings"});
  type(1, "sentence_transformers.models.LSTM");
  expect(Fault::unsupported, {"LSTM"});
  type(2, "sentence_transformers.models.WeightedLayerPooling");
  expect(Fault::unsupported, {"WeightedLayerPooling"});
  type(1, "sentence_transformers.models.Pooling", "../elsewhere");
  expect(Fault::format, {"path", "inside the model's folder"});
  type(1, "sentence_transformers.models.Pooling", std::string("1_Pooling\0/x", 12));
  expect(Fault::format, {"path", "1_Pooling\\u0000/x", "it must not hold a zero byte"});
  for (const char* content : {"[]", "{}", "[1]", "[[[[", "\xff", ""}) {
    write("modules.json", content);
    expect(Fault::format, {"modules.json"});
  }
}

TEST_F(Spoilt, DeepAndLongJson) {
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  for (const char* name : {"config.json", "modules.json", "tokenizer_config.json", "tokenizer.json",
                           "1_Pooling/config.json", "config_sentence_transformers.json"}) {
    SCOPED_TRACE(name);
    for (const std::string& content : {deep, R"({"model_type":)" + deep + "}", std::string(1000000, '[')}) {
      fresh("bert_old");
      write(name, content);
      expect(Fault::format, {fs::path(name).filename().string(), "nests deeper"});
    }
  }
  fresh("bert_old");
  edit("config.json", "brackets", std::string(100, '[') + "\"\\" + std::string(100, '['));  // in a string
  EXPECT_NO_THROW(Encoder::load(folder_));
  write("modules.json", "[\"" + std::string(1000000, 'x'));
  try {
    Encoder::load(folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 500u) << "the message holds the file";
  }
}

TEST_F(Spoilt, DenseIsChecked) {
  fresh("roberta");
  edit("2_Dense/config.json", "in_features", 64);
  expect(Fault::format, {"in_features", "the step before it gives 128"});
  fresh("roberta");
  edit("2_Dense/config.json", "out_features", 25);
  expect(Fault::format, {"linear.weight", "[25, 128]"});
  fresh("roberta");
  edit("2_Dense/config.json", "activation_function", "torch.nn.modules.activation.Mish");
  expect(Fault::unsupported, {"activation_function", "Mish"});
  fresh("roberta");
  edit("config_sentence_transformers.json", "default_prompt_name", "nothing");
  expect(Fault::format, {"default_prompt_name"});
}

TEST_F(Spoilt, ShardsOutsideTheFolderOrNone) {
  for (const json& map : {json{{"a", "../../secret.safetensors"}}, json::object(), json::array()}) {
    fresh("distilbert");
    edit("0_Transformer/model.safetensors.index.json", "weight_map", map);
    expect(Fault::format, {"weight_map"});
  }
}

TEST_F(Spoilt, SettingsThatAskForOtherIds) {
  const fs::path settings = "tokenizer_config.json";
  const auto refused = [&](const char* model, const char* name, const std::string& setting, const json& value,
                           const char* part) {
    SCOPED_TRACE(setting + " = " + value.dump());
    fresh(model);
    edit(settings, "tokenizer_class", name);
    EXPECT_NO_THROW(Encoder::load(folder_));
    edit(settings, setting, value);
    expect(Fault::unsupported, {"tokenizer_config.json", setting, part, "tokenizer.json"});
  };
  refused("bert_old", "BertTokenizer", "do_lower_case", false, "normalizer.lowercase");
  refused("bert_old", "BertTokenizerFast", "strip_accents", false, "normalizer.strip_accents");
  refused("bert_old", "DistilBertTokenizer", "tokenize_chinese_chars", false,
          "normalizer.handle_chinese_chars");
  refused("mpnet", "MPNetTokenizer", "do_lower_case", false, "normalizer.lowercase");
  refused("roberta", "RobertaTokenizer", "add_prefix_space", true, "pre_tokenizer");
  refused("xlm_roberta", "XLMRobertaTokenizerFast", "add_prefix_space", false, "pre_tokenizer");

  fresh("bert_old");
  edit(settings, "do_lower_case", false);  // of a class that does not heed it
  EXPECT_NO_THROW(Encoder::load(folder_));
  edit(settings, "split_special_tokens", true);
  expect(Fault::unsupported, {"tokenizer_config.json", "split_special_tokens"});
}

TEST_F(Spoilt, StepsOtherThanTheClassStandsFor) {
  const json plain{{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true}};
  const auto with = [&](json normalizer) {
    fresh("bert_old");
    fs::remove(folder_ / "tokenizer_config.json");  // then it is the usual class with its own settings
    edit("tokenizer.json", "normalizer", normalizer);
  };
  json cased = plain;
  cased.update({{"lowercase", false}, {"strip_accents", nullptr}});
  with(cased);
  expect(Fault::unsupported, {"do_lower_case is absent", "normalizer.lowercase", "BertTokenizer"});
  json spelled = plain;
  spelled.update({{"lowercase", true}, {"strip_accents", true}});  // what null means beside lowercase
  with(spelled);
  EXPECT_NO_THROW(Encoder::load(folder_));
  with(json{{"type", "Lowercase"}});
  expect(Fault::unsupported, {"tokenizer.json", "normalizer", "BertNormalizer"});
  with(nullptr);
  expect(Fault::unsupported, {"tokenizer.json", "normalizer"});
  with(spelled);
  edit("tokenizer.json", "post_processor", nullptr);
  expect(Fault::unsupported, {"tokenizer.json", "post_processor", "BertTokenizer"});
  with(spelled);
  edit("tokenizer.json", "truncation",
       {{"direction", "Left"}, {"max_length", 9}, {"strategy", "LongestFirst"}, {"stride", 0}});
  expect(Fault::unsupported, {"tokenizer.json", "truncation", "Left"});
}

TEST_F(Spoilt, TheLimitsOlderName) {
  fresh("bert_bare");
  write("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer", "max_len": 20})");
  EXPECT_EQ(Encoder::load(folder_).max_tokens(), 20u);
}

TEST_F(Spoilt, LowerCaseBeforeStepsThatAreNoList) {
  edit("sentence_bert_config.json", "do_lower_case", true);
  edit("tokenizer.json", "normalizer", json{{"type", "Sequence"}, {"normalizers", json::array()}});
  EXPECT_NO_THROW(Encoder::load(folder_));
  for (const json& steps : {json(), json(5), json::object()}) {
    edit("tokenizer.json", "normalizer", json{{"type", "Sequence"}, {"normalizers", steps}});
    expect(Fault::format, {"tokenizer.json", "normalizers must be a list"});
  }
}

TEST_F(Spoilt, WeightsThatAreNotFinite) {
  // All f32 weights become NaN; the header stays.
  std::string bytes = read_file(folder_ / "model.safetensors", 1 << 20);
  std::uint64_t header = 0;
  bytes.copy(reinterpret_cast<char*>(&header), sizeof(header));
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(header + 8), bytes.end(), '\xff');
  write("model.safetensors", bytes);
  Texts texts;
  texts.add("a");
  const Encoder encoder = Encoder::load(folder_);
  EXPECT_THROW(encoder.encode(texts), Error);
}

TEST(ModelFolder, BothGenerationsOfModules) {
  const ModelFolder old = read_model_folder(kGolden / "bert_old");
  EXPECT_EQ(old.pooling.modes, std::vector{PoolingMode::mean});
  ASSERT_EQ(old.head.size(), 1u);
  EXPECT_EQ(old.head[0].kind, StepKind::normalize);
  EXPECT_EQ(old.limit, 64u);
  const ModelFolder young = read_model_folder(kGolden / "roberta");
  EXPECT_EQ(young.pooling.modes,
            (std::vector{PoolingMode::max, PoolingMode::mean, PoolingMode::weightedmean, PoolingMode::cls}));
  EXPECT_FALSE(young.pooling.include_prompt);
  EXPECT_EQ(young.dims, 24u);
  EXPECT_EQ(young.default_prompt, "document");
  EXPECT_EQ(young.limit, 70u);
}

TEST(ModelFolder, WithoutModulesItIsTheMean) {
  const ModelFolder bare = read_model_folder(kGolden / "bert_bare");
  EXPECT_EQ(bare.pooling.modes, std::vector{PoolingMode::mean});
  EXPECT_TRUE(bare.head.empty());
  EXPECT_EQ(bare.limit, 48u);
}

}  // namespace
}  // namespace shoal
