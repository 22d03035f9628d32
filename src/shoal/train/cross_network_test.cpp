#include "shoal/train/cross_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stop_token>

#include "shoal/core/error.h"
#include "shoal/encode/cross_encoder.h"
#include "shoal/store/archive/archive.h"
#include "shoal/train/cross_loss.h"
#include "shoal/train/cross_trainer.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden";
const char* const kModels[] = {"bert_1",        "bert_3",        "roberta_1",   "roberta_3",
                               "xlm_roberta_1", "xlm_roberta_3", "camembert_1", "camembert_3",
                               "distilbert_1",  "distilbert_3",  "mpnet_1",     "mpnet_3"};

struct Pairs {
  Texts firsts, seconds;
};

Pairs golden_pairs() {
  Pairs out;
  std::ifstream in(kGolden / "cross/pairs.jsonl");
  for (std::string line; std::getline(in, line);) {
    const json pair = json::parse(line);
    out.firsts.add(pair[0].get<std::string>());
    out.seconds.add(pair[1].get<std::string>());
  }
  return out;
}

std::vector<Index> all_of(const PairTokens& pairs) {
  std::vector<Index> out(pairs.size());
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

Matrix column(const std::vector<float>& x) {
  Matrix out(x.size(), 1);
  std::ranges::copy(x, out.data());
  return out;
}

TEST(CrossNetwork, GivesTheBitsOfTheModelThatIsUsed) {
  const Pairs pairs = golden_pairs();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const CrossNetwork network = CrossNetwork::load(kGolden / "cross" / name);
    const Matrix expected = CrossEncoder::load(kGolden / "cross" / name)
                                .scores(pairs.firsts, pairs.seconds, {.scale = ScoreScale::logits});
    EXPECT_EQ(network.logits(network.tokenize(pairs.firsts, pairs.seconds)), expected);
  }
}

/// Of the folder's loss over all pairs.
double learn(CrossNetwork& network, const PairTokens& tokens, CrossLoss kind, const Matrix& targets,
             const CrossDropout& dropout, const Run& run = {}) {
  CrossPass pass;
  const Matrix logits = network.forward(tokens, all_of(tokens), dropout, pass, run);
  const CrossLossValue found = cross_loss(kind, logits.view(), targets.view());
  network.parameters.clear_gradients();
  network.backward(pass, found.slope.view(), run);
  return found.loss;
}

TEST(CrossNetwork, LossesAndGradientsAreThoseOfSentenceTransformers) {
  const Pairs pairs = golden_pairs();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const ArchiveReader golden(kGolden / "cross" / (name + std::string(".safetensors")));
    CrossNetwork network = CrossNetwork::load(kGolden / "cross" / name);
    const PairTokens tokens = network.tokenize(pairs.firsts, pairs.seconds);
    const char* const losses[] = {"bce", "mse", "ce"};
    for (Index kind = 0; kind < 3; ++kind) {
      const std::string loss = losses[kind];
      if (!golden.has(loss)) continue;
      const Matrix targets = column(golden.floats(loss + ".targets", tokens.size()));
      const double found = learn(network, tokens, static_cast<CrossLoss>(kind), targets, {});
      const auto expected = static_cast<double>(golden.floats(loss, 1)[0]);
      EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected)) << loss;
      Index compared = 0;
      for (const auto& [full, tensor] : golden.tensors()) {
        if (!full.starts_with(loss + "/")) continue;
        std::string wanted = full.substr(loss.size() + 1);
        Index p = 0;
        const auto find = [&] {
          for (p = 0; p < network.parameters.size(); ++p)
            if (network.parameters[p].name == wanted) return true;
          return false;
        };
        if (!find()) wanted.erase(0, wanted.find('.') + 1);
        ASSERT_TRUE(find()) << full;
        const Parameter& own = network.parameters[p];
        const auto values = golden.floats(full, own.gradient.rows() * own.gradient.cols());
        double most = 0;
        for (const float x : values) most = std::max(most, static_cast<double>(std::abs(x)));
        // torch keeps the gradient of padding's own row at 0; a text may have its token written in it.
        const bool is_table = own.name.find("word_embeddings") != std::string::npos ||
                              (own.name.find("position_embeddings") != std::string::npos &&
                               network.folder().model.transformer.first_position > 0);
        const Index padding =
            network.folder().model.transformer.first_position > 0 ? 1 : 0;  // of these vocabularies
        for (Index i = 0; i < values.size(); ++i) {
          if (is_table && i / own.gradient.cols() == padding) continue;
          ASSERT_NEAR(own.gradient.data()[i], values[i], 1e-5 * most + 1e-7) << full << " " << i;
        }
        ++compared;
      }
      EXPECT_EQ(compared, network.parameters.size()) << loss;
    }
  }
}

/// Each parameter along a direction of its own: the loss of two steps against the gradient.
void check_gradients(const char* name, const CrossDropout& dropout) {
  SCOPED_TRACE(name);
  const Pairs pairs = golden_pairs();
  CrossNetwork network = CrossNetwork::load(kGolden / "cross" / name);
  const PairTokens tokens = network.tokenize(pairs.firsts, pairs.seconds);
  std::vector<float> targets;
  for (Index i = 0; i < tokens.size(); ++i) targets.push_back(static_cast<float>(i % 3));
  const auto loss = [&] {
    network.prepare();
    CrossPass pass;
    const Matrix logits = network.forward(tokens, all_of(tokens), dropout, pass), wanted = column(targets);
    return cross_loss(CrossLoss::ce, logits.view(), wanted.view()).loss;
  };
  learn(network, tokens, CrossLoss::ce, column(targets), dropout);
  for (Index p = 0; p < network.parameters.size(); ++p) {
    Matrix& value = network.parameters[p].value;
    const Matrix kept = value, gradient = network.parameters[p].gradient;
    const Random random(Seed{7}.child(p));
    const Index n = value.rows() * value.cols();
    double expected = 0;
    for (Index i = 0; i < n; ++i) expected += static_cast<double>(gradient.data()[i]) * random.normal(i);
    const double step = 1e-3;
    double losses[2];
    for (const int side : {0, 1}) {
      for (Index i = 0; i < n; ++i)
        value.data()[i] = static_cast<float>(static_cast<double>(kept.data()[i]) +
                                             (side == 0 ? -step : step) * random.normal(i));
      losses[side] = loss();
    }
    value = kept;
    EXPECT_NEAR((losses[1] - losses[0]) / (2 * step), expected, 0.01 * std::abs(expected) + 0.002)
        << network.parameters[p].name;
  }
}

TEST(CrossNetwork, GradientsWithDropoutAreThoseOfWhatIsLeft) {
  const CrossDropout dropout{.network = {.hidden = 0.1, .attention = 0.1, .seed = {9}}, .head = 0.3};
  for (const char* name : {"bert_3", "roberta_3", "distilbert_3", "mpnet_3"}) check_gradients(name, dropout);
}

TEST(CrossNetwork, DropoutIsWhatTheConfigSays) {
  const auto of = [](const char* name) { return CrossNetwork::load(kGolden / "cross" / name).dropout(); };
  EXPECT_EQ(of("bert_1").head, 0.1);
  EXPECT_EQ(of("distilbert_1").head, 0.2);
  EXPECT_EQ(of("mpnet_1").head, 0.1);
  EXPECT_EQ(of("bert_1").network.attention, 0.1);
}

TEST(CrossNetwork, SameBitsForAnyThreads) {
  const Pairs pairs = golden_pairs();
  const CrossDropout dropout{.network = {.hidden = 0.1, .attention = 0.1, .seed = {4}}, .head = 0.2};
  CrossNetwork one = CrossNetwork::load(kGolden / "cross/bert_1"),
               many = CrossNetwork::load(kGolden / "cross/bert_1");
  const PairTokens tokens = one.tokenize(pairs.firsts, pairs.seconds);
  const Matrix targets(tokens.size(), 1);
  learn(one, tokens, CrossLoss::bce, targets, dropout,
        {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  learn(many, tokens, CrossLoss::bce, targets, dropout,
        {.threads = 4, .stop = {}, .progress = {}, .pool = {}});
  for (Index p = 0; p < one.parameters.size(); ++p)
    EXPECT_EQ(one.parameters[p].gradient, many.parameters[p].gradient) << one.parameters[p].name;
}

const Matrix& value_of(const CrossNetwork& network, const std::string& name) {
  for (Index p = 0; p < network.parameters.size(); ++p)
    if (network.parameters[p].name == name) return network.parameters[p].value;
  throw std::runtime_error(name);
}

TEST(CrossNetwork, ANewHeadOnAnyEncoder) {
  const auto create = [](const char* name, Index labels, std::uint64_t seed) {
    return CrossNetwork::create(kGolden / "encoder" / name, labels, {seed});
  };
  for (const char* name : {"bert_new", "bert_bare", "roberta", "distilbert", "mpnet", "xlm_roberta"}) {
    SCOPED_TRACE(name);
    const CrossNetwork network = create(name, 3, 1);
    EXPECT_EQ(network.labels(), 3u);
    EXPECT_EQ(network.folder().activation, ScoreActivation::identity);
    const Pairs pairs = golden_pairs();
    EXPECT_EQ(network.logits(network.tokenize(pairs.firsts, pairs.seconds)).cols(), 3u);
  }
  const CrossNetwork one = create("mpnet", 1, 1), same = create("mpnet", 1, 1), other = create("mpnet", 1, 2);
  EXPECT_EQ(one.folder().activation, ScoreActivation::sigmoid);
  const Matrix& dense = value_of(one, "classifier.dense.weight");
  EXPECT_EQ(dense, value_of(same, "classifier.dense.weight"));
  EXPECT_NE(dense, value_of(other, "classifier.dense.weight"));
  double squares = 0;
  const Index n = dense.rows() * dense.cols();
  for (Index i = 0; i < n; ++i) squares += std::pow(static_cast<double>(dense.data()[i]), 2);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(n)), 0.02, 0.003);
  EXPECT_EQ(value_of(one, "classifier.out_proj.bias"), Matrix(1, 1));
  // What BERT has between is not drawn: its pooler is a part of the encoder's folder.
  EXPECT_EQ(value_of(create("bert_old", 1, 1), "bert.pooler.dense.weight"),
            Weights(kGolden / "encoder/bert_old").matrix("pooler.dense.weight", 36, 36));
  EXPECT_EQ(error_of([&] { create("mpnet", 0, 1); }).fault, Fault::argument);
}

TEST(CrossNetwork, WhatIsSavedGivesTheSameScores) {
  const Pairs pairs = golden_pairs();
  const auto check = [&](const CrossNetwork& network, bool sigmoid) {
    const ScratchFolder scratch;
    const fs::path folder = scratch / "saved";
    fs::create_directory(folder);
    network.save(folder);
    const CrossEncoder model = CrossEncoder::load(folder);
    const Matrix logits = network.logits(network.tokenize(pairs.firsts, pairs.seconds));
    EXPECT_EQ(model.scores(pairs.firsts, pairs.seconds, {.scale = ScoreScale::logits}), logits);
    EXPECT_EQ(model.scores(pairs.firsts, pairs.seconds),
              model.scores(pairs.firsts, pairs.seconds,
                           {.scale = sigmoid ? ScoreScale::sigmoid : ScoreScale::logits}));
    EXPECT_EQ(model.max_tokens(), network.folder().model.limit);
    EXPECT_EQ(model.labels(), network.folder().labels);
    EXPECT_EQ(ArchiveReader(folder / "model.safetensors").meta("format"), "pt");
    // And again, from what was saved.
    const CrossNetwork again = CrossNetwork::load(folder);
    EXPECT_EQ(again.logits(again.tokenize(pairs.firsts, pairs.seconds)), logits);
  };
  for (const char* name : {"bert_new", "bert_bare", "roberta", "distilbert", "mpnet", "xlm_roberta"}) {
    SCOPED_TRACE(name);
    check(CrossNetwork::create(kGolden / "encoder" / name, 1, {3}), true);
  }
  check(CrossNetwork::load(kGolden / "cross/camembert_3"), false);
}

TEST(CrossNetwork, KeepsThePromptsOfItsFolder) {
  const ScratchFolder scratch;
  const fs::path from = scratch / "from", to = scratch / "to";
  fs::copy(kGolden / "cross/bert_3", from, fs::copy_options::recursive);
  json config = json::parse(read_file(from / "config_sentence_transformers.json", 1 << 20));
  config["prompts"] = {{"query", "the licence "}};
  config["default_prompt_name"] = "query";
  std::ofstream(from / "config_sentence_transformers.json") << config.dump();
  fs::create_directory(to);
  const CrossNetwork network = CrossNetwork::load(from);
  network.save(to);
  const Pairs pairs = golden_pairs();
  const Matrix expected = CrossEncoder::load(from).scores(pairs.firsts, pairs.seconds);
  EXPECT_EQ(CrossEncoder::load(to).scores(pairs.firsts, pairs.seconds), expected);
  EXPECT_EQ(network.logits(network.tokenize(pairs.firsts, pairs.seconds)), expected);
}

/// Pairs of five texts; those of a text with itself are alike.
CrossTrainingSet alike_or_not() {
  const char* const texts[] = {"the licence of the work", "You may reproduce copies", "a map of texts",
                               "in any form", "the contributor grants"};
  CrossTrainingSet out{.name = "alike.csv"};
  std::vector<float> targets;
  for (const char* a : texts)
    for (const char* b : texts) {
      out.firsts.add(a);
      out.seconds.add(b);
      targets.push_back(a == b ? 1 : 0);
    }
  out.targets = column(targets);
  return out;
}

CrossNetwork untrained() { return CrossNetwork::create(kGolden / "encoder/bert_new", 1, {1}); }

TrainOptions quick(Index epochs) {
  TrainOptions out;
  out.learn.n_epochs = epochs;
  out.learn.batch_size = 8;
  out.learning_rate = 2e-3;
  return out;
}

/// Over the set, nothing dropped.
double mean_loss(const CrossNetwork& model, const CrossTrainingSet& set) {
  const Matrix logits = model.logits(model.tokenize(set.firsts, set.seconds));
  return cross_loss(set.loss, logits.view(), set.targets.view(), set.positive_weight).loss;
}

TEST(CrossTrainer, LearnsWhichTextsAreAlike) {
  CrossNetwork network = untrained();
  const CrossTrainingSet set = alike_or_not();
  const double before = mean_loss(network, set);
  const TrainReport report = train_cross(network, {set}, quick(60));
  EXPECT_EQ(report.rows, 25u);
  EXPECT_EQ(report.batches, 4u);
  EXPECT_EQ(report.learnt.steps, 240u);
  // Saying that each fifth pair is alike, whatever the texts, gives 0.5.
  EXPECT_GT(before, 0.5);
  EXPECT_LT(mean_loss(network, set), 0.2);
}

/// Whether all values are the same, bit for bit.
void expect_same(const CrossNetwork& a, const CrossNetwork& b) {
  for (Index p = 0; p < a.parameters.size(); ++p)
    EXPECT_EQ(a.parameters[p].value, b.parameters[p].value) << a.parameters[p].name;
}

TEST(CrossTrainer, SameBitsForAnyThreadsAndFromACheckpoint) {
  const std::vector<CrossTrainingSet> sets{alike_or_not(), alike_or_not()};
  CrossNetwork one = untrained(), many = untrained(), resumed = untrained();
  train_cross(one, sets, quick(3), {}, {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  train_cross(many, sets, quick(3), {}, {.threads = 3, .stop = {}, .progress = {}, .pool = {}});
  expect_same(one, many);
  const ScratchFolder scratch;
  const Checkpoint checkpoint{.file = scratch / "checkpoint"};
  std::stop_source stop;
  CrossTrainHooks hooks;
  hooks.log = [&](const LearnStep& step) {
    if (step.step == 7) stop.request_stop();
  };
  CrossNetwork stopped = untrained();
  EXPECT_EQ(error_of([&] {
              train_cross(stopped, sets, quick(3), hooks,
                          {.threads = 2, .stop = stop.get_token(), .progress = {}, .pool = {}}, checkpoint);
            }).fault,
            Fault::cancelled);
  ASSERT_TRUE(fs::exists(checkpoint.file));
  Index from = 0;
  CrossTrainHooks again;
  again.begins = [&](const TrainReport&, Index step, double) { from = step; };
  train_cross(resumed, sets, quick(3), again, {}, checkpoint);
  EXPECT_GE(from, 7u);
  expect_same(one, resumed);
}

TEST(CrossTrainer, PartsOfABatchGiveItsGradients) {
  CrossNetwork whole = untrained(), parts = untrained();
  TrainOptions options = quick(1);
  options.dropout = 0;
  options.learn.batch_size = 25;
  train_cross(whole, {alike_or_not()}, options);
  options.mini_batch = 4;
  train_cross(parts, {alike_or_not()}, options);
  for (Index p = 0; p < whole.parameters.size(); ++p) {
    const Matrix &a = whole.parameters[p].gradient, &b = parts.parameters[p].gradient;
    for (Index i = 0; i < a.rows() * a.cols(); ++i)
      ASSERT_NEAR(a.data()[i], b.data()[i], 1e-5) << whole.parameters[p].name;
  }
}

TEST(CrossTrainer, WhatIsFrozenStays) {
  CrossNetwork network = untrained();
  const CrossNetwork before = untrained();
  TrainOptions options = quick(1);
  options.freeze_layers = 2;
  const TrainReport report = train_cross(network, {alike_or_not()}, options);
  EXPECT_GT(report.frozen, 0u);
  Index changed = 0;
  for (Index p = 0; p < network.parameters.size(); ++p) {
    const std::string& name = network.parameters[p].name;
    const bool same = network.parameters[p].value == before.parameters[p].value;
    const bool low = name.starts_with("embeddings") || name.find("layer.0.") != std::string::npos ||
                     name.find("layer.1.") != std::string::npos;
    EXPECT_EQ(same, low) << name;
    changed += !same;
  }
  EXPECT_GT(changed, 0u);
}

TEST(CrossTrainer, RefusesWhatTeachesNothing) {
  CrossNetwork network = untrained();
  const auto refused = [&](const CrossTrainingSet& set, const TrainOptions& options) {
    return error_of([&] { train_cross(network, {set}, options); });
  };
  const auto says = [](const Error& error, const char* words) {
    return std::string(error.what()).find(words) != std::string::npos;
  };
  CrossTrainingSet set = alike_or_not();
  set.targets = Matrix(25, 1);
  EXPECT_TRUE(says(refused(set, quick(1)), "alike.csv: all targets are 0"));
  set.targets[3][0] = 7;
  EXPECT_TRUE(says(refused(set, quick(1)), "alike.csv: BinaryCrossEntropyLoss: the target of row 4 is 7"));
  for (Index i = 0; i < set.rows(); ++i) set.numbers.push_back(2 * i + 1);  // between them rows were left out
  EXPECT_TRUE(says(refused(set, quick(1)), "alike.csv: BinaryCrossEntropyLoss: the target of row 7 is 7"));
  set = alike_or_not();
  set.loss = CrossLoss::ce;
  EXPECT_EQ(refused(set, quick(1)).fault, Fault::argument);
  TrainOptions options = quick(1);
  options.batching = Batching::no_duplicates;
  EXPECT_TRUE(says(refused(alike_or_not(), options), "is of sentence encoders"));
  EXPECT_TRUE(says(refused({.name = "none.csv"}, quick(1)), "none.csv: there are no rows"));
}

TEST(CrossNetwork, PartsAreCutByTheMemoryOfAToken) {
  const CrossNetwork network = untrained();
  const BertConfig& c = network.folder().model.transformer;
  const double token = 4.0 * static_cast<double>(c.layers * (8 * c.hidden + c.inner));
  const auto bytes = static_cast<double>(tokens_that_fit(c)) * token;
  EXPECT_LE(bytes, 512.0 * 1024 * 1024);
  EXPECT_GT(bytes + token, 512.0 * 1024 * 1024);
}

TEST(CrossLoss, RefusesTargetsThatItCannotTake) {
  const Matrix one(2, 1), three(2, 3);
  const auto refused = [](CrossLoss kind, const Matrix& logits, std::vector<float> targets) {
    const Matrix wanted = column(targets);
    return error_of([&] { cross_loss(kind, logits.view(), wanted.view()); });
  };
  EXPECT_EQ(refused(CrossLoss::bce, one, {0, 1.5}).fault, Fault::data);
  EXPECT_EQ(refused(CrossLoss::ce, three, {0, 3}).fault, Fault::data);
  EXPECT_EQ(refused(CrossLoss::ce, three, {0, 0.5}).fault, Fault::data);
  EXPECT_EQ(refused(CrossLoss::mse, one, {0, NAN}).fault, Fault::data);
  EXPECT_EQ(refused(CrossLoss::mse, three, {0, 1}).fault, Fault::argument);
  EXPECT_EQ(refused(CrossLoss::ce, one, {0, 0}).fault, Fault::argument);
  EXPECT_EQ(refused(CrossLoss::bce, one, {0}).fault, Fault::argument);
  const std::string message = refused(CrossLoss::bce, one, {0, 1.5}).what();
  EXPECT_NE(message.find("the target of row 1 is 1.5"), std::string::npos);
}

TEST(CrossLoss, PositivesMayCountMore) {
  Matrix logits(2, 1), targets(2, 1);
  logits[0][0] = 0.5f, logits[1][0] = -1, targets[0][0] = 1;
  const auto loss = [&](double weight) {
    return cross_loss(CrossLoss::bce, logits.view(), targets.view(), weight);
  };
  const double positive = std::log1p(std::exp(-0.5)), negative = std::log1p(std::exp(-1.0));
  EXPECT_NEAR(loss(1).loss, (positive + negative) / 2, 1e-7);
  EXPECT_NEAR(loss(4).loss, (4 * positive + negative) / 2, 1e-7);
  const CrossLossValue one = loss(1), four = loss(4);
  EXPECT_NEAR(four.slope[0][0], 4 * one.slope[0][0], 1e-7);
}

}  // namespace
}  // namespace shoal
