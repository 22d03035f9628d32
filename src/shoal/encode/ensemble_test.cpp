#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/tfidf.h"
#include "shoal/encode/token_vectors.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"
#include "shoal/tokenize/tokenizer.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Kind = EnsemblePart::Kind;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

Texts golden_texts(Index most) {
  std::ifstream in(kGolden / "debian.jsonl");
  Texts texts;
  for (std::string line; texts.size() < most && std::getline(in, line);)
    texts.add(nlohmann::json::parse(line).get<std::string>());
  return texts;
}

template <class Stage>
void save(const Stage& stage, const fs::path& path) {
  ArchiveWriter out(Stage::kind);
  stage.save(out);
  out.write(path);
}

void save_tfidf(const fs::path& folder) {
  const Texts texts = golden_texts(200);
  TfidfOptions options;
  options.tfidf_dims = 12;
  save(Tfidf::fit([&](const auto& take) { take(texts); }, options), folder / "tfidf.safetensors");
}

EnsemblePart model_part(const fs::path& folder, double weight) {
  const Encoder encoder = Encoder::load(folder);
  EnsemblePart part;
  part.name = encoder.name(), part.path = folder, part.id = encoder.space().id, part.weight = weight;
  return part;
}

EnsemblePart tfidf_part(double weight) {
  EnsemblePart part;
  part.kind = Kind::tfidf, part.name = "tfidf", part.file = "tfidf.safetensors", part.weight = weight;
  return part;
}

/// bert_bare and tfidf.
Encoder make(const fs::path& folder, double weight = 0.5) {
  fs::create_directories(folder);
  save_tfidf(folder);
  EnsembleDescription d;
  d.parts = {model_part(kGolden / "bert_bare", 1), tfidf_part(weight)};
  write_ensemble(d, folder, {});
  return Encoder::load(folder);
}

TEST(Ensemble, CosinesAreWeightedMeans) {
  const ScratchFolder scratch;
  const Encoder both = make(scratch / "both");
  EXPECT_EQ(both.kind(), ModelKind::ensemble);
  EXPECT_EQ(both.name(), "both");
  EXPECT_EQ(both.space().dims, 32u + 12u);
  EXPECT_TRUE(both.space().unit);
  ASSERT_EQ(both.parts().size(), 2u);
  EXPECT_EQ(both.parts()[1].encoder.kind(), ModelKind::tfidf);
  EXPECT_EQ(both.max_tokens(), both.parts()[0].encoder.max_tokens());
  EXPECT_NE(both.tokenizer(), nullptr);
  EXPECT_EQ(both.parts()[1].encoder.tokenizer(), nullptr);
  const Texts texts = golden_texts(40);
  const Matrix x = both.encode(texts).to_matrix();
  const auto parts = both.encode_parts(texts);
  EXPECT_EQ(both.pooled(parts).to_matrix(), x);
  Matrix a = parts[0].to_matrix(), b = parts[1].to_matrix();
  EXPECT_EQ(a, Encoder::load(kGolden / "bert_bare").encode(texts).to_matrix());
  EXPECT_EQ(unit_rows(a.span()) + unit_rows(b.span()), 0u);
  const auto cosine = [](const Matrix& m, Index i, Index j) {
    double sum = 0;
    for (Index c = 0; c < m.cols(); ++c) sum += static_cast<double>(m[i][c]) * m[j][c];
    return sum;
  };
  for (Index i = 0; i < 40; ++i)
    EXPECT_NEAR(cosine(x, i, 39 - i), (cosine(a, i, 39 - i) + 0.25 * cosine(b, i, 39 - i)) / 1.25, 2e-6);
  for (const Index i : {0u, 13u, 39u}) {
    const Matrix alone = both.encode(texts, i, 1, {}, {}).to_matrix();
    EXPECT_TRUE(std::ranges::equal(alone[0], x[i])) << i;
  }
  EXPECT_EQ(both.encode(texts, {}, {.threads = 3}).to_matrix(), x);
}

TEST(Ensemble, ATextWithoutKnownWordsIsThatOfTheOtherPart) {
  const ScratchFolder scratch;
  const Encoder both = make(scratch / "both");
  Texts texts;
  texts.add("the");
  texts.add("");
  EncodeCounts counts;
  const Matrix x = both.encode(texts, {}, {}, &counts).to_matrix();
  const Matrix alone = [&] {
    Matrix m = both.parts()[0].encoder.encode(texts).to_matrix();
    unit_rows(m.span());
    return m;
  }();
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < x.cols(); ++j) EXPECT_NEAR(x[i][j], j < 32 ? alone[i][j] : 0, 1e-6);
  EXPECT_EQ(counts.unknown, 1u) << "a function word is known to the tokenizer alone";
  EXPECT_EQ(counts.first_unknown, 1u);
  // Words alone: zeros, not NaN.
  EnsembleDescription d;
  d.parts = {tfidf_part(1)};
  write_ensemble(d, scratch / "both", {});
  const Encoder words = Encoder::load(scratch / "both");
  const Matrix zeros = words.encode(texts, {}, {}, &counts).to_matrix();
  EXPECT_EQ(zeros, Matrix(2, 12));
  EXPECT_EQ(counts.unknown, 2u);
  EXPECT_EQ(words.max_tokens(), 0u);
  EXPECT_EQ(words.tokenizer(), nullptr);
}

TEST(Ensemble, IdIsOfContentWeightsAndPool) {
  const ScratchFolder scratch;
  const std::string id = make(scratch / "a").space().id;
  EXPECT_EQ(model_of(make(scratch / "b").space().id), model_of(id)) << "not of its name";
  EXPECT_NE(model_of(make(scratch / "c", 0.6).space().id), model_of(id));
  fs::copy(kGolden / "bert_bare", scratch / "copy", fs::copy_options::recursive);
  EnsembleDescription d = read_ensemble(scratch / "a");
  d.parts[0].path = "../copy";
  write_ensemble(d, scratch / "a", {});
  EXPECT_EQ(Encoder::load(scratch / "a").space().id, id) << "nor of where parts lie";
  std::swap(d.parts[0], d.parts[1]);
  write_ensemble(d, scratch / "a", {});
  EXPECT_NE(Encoder::load(scratch / "a").space().id, id);
  d.parts.resize(1);
  write_ensemble(d, scratch / "a", {});
  EXPECT_NE(Encoder::load(scratch / "a").space().id, id);
}

TEST(Ensemble, PartsAreFoundBesideItAndByName) {
  const ScratchFolder scratch;
  const std::string id = make(scratch / "both").space().id;
  EnsembleDescription d = read_ensemble(scratch / "both");
  d.parts[0].path = scratch / "gone";
  write_ensemble(d, scratch / "both", {});
  const Error e = error_of([&] { Encoder::load(scratch / "both"); });
  EXPECT_EQ(e.fault, Fault::file);
  EXPECT_NE(std::string(e.what()).find("bert_bare"), std::string::npos) << e.what();
  EXPECT_EQ(Encoder::load(scratch / "both", {}, kGolden).space().id, id) << "by name among the models";
  fs::copy(kGolden / "bert_old", scratch / "bert_bare", fs::copy_options::recursive);  // another of that name
  EXPECT_EQ(error_of([&] { Encoder::load(scratch / "both"); }).fault, Fault::format);
  EXPECT_EQ(Encoder::load(scratch / "both", {}, kGolden).space().id, id) << "passed over for the right one";
  fs::remove_all(scratch / "bert_bare");
  fs::copy(kGolden / "bert_bare", scratch / "bert_bare", fs::copy_options::recursive);
  EXPECT_EQ(Encoder::load(scratch / "both").space().id, id);
}

TEST(Ensemble, WhatWasChangedIsRefused) {
  const ScratchFolder scratch;
  make(scratch / "both");
  std::ofstream(scratch / "both" / "tfidf.safetensors", std::ios::app) << " ";
  EXPECT_EQ(error_of([&] { Encoder::load(scratch / "both"); }).fault, Fault::format);
  fs::remove(scratch / "both" / "tfidf.safetensors");
  EXPECT_EQ(error_of([&] { Encoder::load(scratch / "both"); }).fault, Fault::file);
  const auto refused = [&](const std::string& json) {
    write_file(scratch / "both" / kEnsembleMark, json);
    return error_of([&] { Encoder::load(scratch / "both"); }).fault == Fault::format;
  };
  const std::string head = R"({"format": "shoal ensemble", "version": 1, "pool": "concatenate", "parts": )";
  for (const char* parts :
       {"[]", "7", R"([{"kind": "magic", "name": "x"}])", R"([{"kind": "model", "name": "x"}])",
        R"([{"kind": "tfidf", "name": "x", "file": "../x", "hash": "1"}])",
        R"([{"kind": "tfidf", "name": "x", "file": "x", "hash": "1", "weight": 0}])",
        R"([{"kind": "tfidf", "name": "x", "file": "x", "hash": "1", "weight": -1}])", "[3]"})
    EXPECT_TRUE(refused(head + parts + "}")) << parts;
  EXPECT_TRUE(refused("{"));
  EXPECT_TRUE(refused("[]"));
  EXPECT_TRUE(refused(R"({"format": "another"})"));
}

TEST(Ensemble, LiesInItself) {
  const ScratchFolder scratch;
  make(scratch / "both");
  EnsembleDescription d = read_ensemble(scratch / "both");
  d.parts[0].path = ".";
  write_ensemble(d, scratch / "both", {});
  EXPECT_EQ(error_of([&] { Encoder::load(scratch / "both"); }).fault, Fault::format);
}

TEST(Ensemble, AMapComesAfter) {
  const ScratchFolder scratch;
  const Encoder plain = make(scratch / "both");
  EnsembleMap map{std::vector<float>(44, 0.01f), Matrix(2, 44)};
  map.map[0][3] = 1, map.map[1][40] = -2;
  save(map, scratch / "both" / kEnsembleMap);
  EnsembleDescription d = read_ensemble(scratch / "both");
  d.pool = EnsemblePool::pca;
  write_ensemble(d, scratch / "both", {});
  const Encoder mapped = Encoder::load(scratch / "both");
  EXPECT_EQ(mapped.space().dims, 2u);
  EXPECT_NE(model_of(mapped.space().id), model_of(plain.space().id));
  const Texts texts = golden_texts(5);
  const Matrix x = plain.encode(texts).to_matrix(), y = mapped.encode(texts).to_matrix();
  for (Index i = 0; i < 5; ++i) {
    const float a = x[i][3] - 0.01f, b = -2 * (x[i][40] - 0.01f), length = std::sqrt(a * a + b * b);
    EXPECT_NEAR(y[i][0], a / length, 1e-5);
    EXPECT_NEAR(y[i][1], b / length, 1e-5);
  }
}

TEST(Ensemble, OptionsGoToThePartsThatKnowThem) {
  const ScratchFolder scratch;
  const Encoder both = make(scratch / "both");
  const Texts texts = golden_texts(3);
  EncodeOptions options;
  options.prompt = "query";
  EXPECT_EQ(error_of([&] { both.encode(texts, options); }).fault, Fault::argument);
  options = {};
  options.max_tokens = both.max_tokens() + 1;
  EXPECT_EQ(error_of([&] { both.encode(texts, options); }).fault, Fault::argument);
  options.max_tokens = 8;
  const auto parts = both.encode_parts(texts, options);
  EXPECT_EQ(parts[0].to_matrix(), both.parts()[0].encoder.encode(texts, options).to_matrix());
  EXPECT_EQ(parts[1].to_matrix(), both.parts()[1].encoder.encode(texts).to_matrix());
}

TEST(Ensemble, APromptGoesToThePartsThatHaveIt) {
  const ScratchFolder scratch;
  fs::create_directories(scratch / "both");
  save_tfidf(scratch / "both");
  EnsembleDescription d;
  d.parts = {model_part(kGolden / "bert_poolings", 1), model_part(kGolden / "bert_bare", 1), tfidf_part(0.5)};
  write_ensemble(d, scratch / "both", {});
  const Encoder both = Encoder::load(scratch / "both");
  EXPECT_EQ(both.prompts(), (std::vector<std::string>{"none", "query"}));
  const Texts texts = golden_texts(3);
  EncodeOptions options;
  options.prompt = "query";
  const auto parts = both.encode_parts(texts, options);
  EXPECT_EQ(parts[0].to_matrix(), both.parts()[0].encoder.encode(texts, options).to_matrix());
  EXPECT_NE(parts[0].to_matrix(), both.parts()[0].encoder.encode(texts).to_matrix());
  EXPECT_EQ(parts[1].to_matrix(), both.parts()[1].encoder.encode(texts).to_matrix());
}

/// A folder that begins with a StaticEmbedding: bert_bare's tokenizer and drawn vectors.
Matrix make_static(const fs::path& folder) {
  fs::create_directories(folder / "0_StaticEmbedding");
  fs::copy_file(kGolden / "bert_bare/tokenizer.json", folder / "0_StaticEmbedding/tokenizer.json");
  write_file(
      folder / "modules.json",
      R"([{"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": "sentence_transformers.models.StaticEmbedding"},
                 {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}])");
  const Tokenizer tokenizer = Tokenizer::load(kGolden / "bert_bare/tokenizer.json");
  Matrix table(tokenizer.vocabulary(), 5);
  const Random random({8});
  for (Index i = 0; i < table.rows() * 5; ++i) table.data()[i] = static_cast<float>(random.normal(i));
  ArchiveWriter out("embedding");
  out.add("embedding.weight", table);
  out.write(folder / "0_StaticEmbedding/model.safetensors");
  return table;
}

TEST(TokenVectors, AStaticEmbeddingIsTheMeanOfItsTokens) {
  const ScratchFolder scratch;
  const Matrix table = make_static(scratch / "static");
  const Encoder encoder = Encoder::load(scratch / "static");
  EXPECT_EQ(encoder.kind(), ModelKind::tokens);
  EXPECT_EQ(encoder.space().dims, 5u);
  EXPECT_TRUE(encoder.space().unit);
  EXPECT_EQ(encoder.max_tokens(), 0u);
  Texts texts = golden_texts(300);
  texts.add("");
  EncodeCounts counts;
  const Matrix x = encoder.encode(texts, {}, {}, &counts).to_matrix();
  const Tokenizer& tokenizer = *encoder.tokenizer();
  const Tokens tokens = tokenizer.encode_plain(texts, 0, texts.size());
  for (Index i = 0; i < 300; ++i) {
    double mean[5] = {}, squares = 0;
    for (const auto id : tokens[i])
      for (Index j = 0; j < 5; ++j) mean[j] += table[id][j];
    for (const double m : mean) squares += m * m;
    for (Index j = 0; j < 5; ++j) EXPECT_NEAR(x[i][j], mean[j] / std::sqrt(squares), 1e-5) << i;
  }
  for (Index j = 0; j < 5; ++j) EXPECT_EQ(x[300][j], 0);
  EXPECT_EQ(counts.unknown, 1u);
  EXPECT_EQ(counts.first_unknown, 300u);
  EncodeOptions first_two;
  first_two.max_tokens = 2;
  encoder.encode(texts, first_two, {}, &counts);
  EXPECT_GT(counts.cut, 200u);
  std::ofstream(scratch / "static/0_StaticEmbedding/tokenizer.json", std::ios::app) << "\n";
  EXPECT_NE(Encoder::load(scratch / "static").space().id, encoder.space().id);
}

TEST(TokenVectors, WeightsMakeFrequentTokensCountLess) {
  std::string id, again;
  TokenVectors tokens = TokenVectors::of(kGolden / "bert_bare", {}, id);
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(tokens.dims(), 32u);
  const Texts texts = golden_texts(200);
  const auto passes = [&](const auto& take) { take(texts); };
  const TokenWeights one = tokens.fit_weights(passes, {.threads = 1}),
                     three = tokens.fit_weights(passes, {.threads = 3});
  EXPECT_EQ(one.weights, three.weights);
  EXPECT_EQ(one.mean, three.mean);
  std::vector<Index> times(tokens.vocabulary());
  Index all = 0;
  for (const auto t : tokens.tokenizer().encode_plain(texts, 0, texts.size()).ids) ++times[t], ++all;
  for (Index t = 0; t < times.size(); ++t)
    EXPECT_NEAR(one.weights[t], 1e-3 / (1e-3 + static_cast<double>(times[t]) / static_cast<double>(all)),
                1e-6);
  const ScratchFolder scratch;
  save(one, scratch / "w.safetensors");
  const TokenWeights loaded =
      TokenWeights::load(ArchiveReader(scratch / "w.safetensors"), tokens.vocabulary(), 32);
  EXPECT_EQ(loaded.weights, one.weights);
  EXPECT_EQ(error_of([&] { TokenWeights::load(ArchiveReader(scratch / "w.safetensors"), 7, 32); }).fault,
            Fault::format);

  fs::create_directories(scratch / "e");
  save(one, scratch / "e/tokens-0.safetensors");
  EnsemblePart part;
  part.kind = Kind::tokens, part.name = "tokens:bert_bare", part.path = kGolden / "bert_bare";
  part.id = "bert_bare@" + id, part.file = "tokens-0.safetensors";
  EnsembleDescription d;
  d.parts = {part};
  write_ensemble(d, scratch / "e", {});
  const Encoder encoder = Encoder::load(scratch / "e");
  const Matrix x = encoder.encode(texts).to_matrix();
  // The vectors' mean is near zero: what all texts share is taken off.
  double mean = 0;
  for (Index j = 0; j < 32; ++j) {
    double sum = 0;
    for (Index i = 0; i < 200; ++i) sum += x[i][j];
    mean += sum / 200 * sum / 200;
  }
  EXPECT_LT(std::sqrt(mean), 0.25);
  const Matrix alone = encoder.encode(texts, 7, 1, {}, {}).to_matrix();
  EXPECT_TRUE(std::ranges::equal(alone[0], x[7]));
}

}  // namespace
}  // namespace shoal
