#include "shoal/train/trainer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

const std::filesystem::path kModel = SHOAL_SOURCE "/tests/golden/encoder/bert_new";

/// Pairs of short texts: alike if they begin with the same word.
TrainingSet scored_pairs(Index rows) {
  const char* first[] = {"the licence", "a map", "patent claims", "work copies"};
  const char* rest[] = {"of the work", "under the terms", "in any form", "and conditions", "no"};
  TrainingSet out{
      .name = "pairs.csv", .columns = std::vector<Texts>(2), .targets = Matrix(rows, 1), .loss = {}};
  const Random random({8});
  for (Index i = 0; i < rows; ++i) {
    const Index a = random.below(4 * i, 4), b = random.below(4 * i + 1, 4);
    out.columns[0].add(std::string(first[a]) + " " + rest[random.below(4 * i + 2, 5)]);
    out.columns[1].add(std::string(first[b]) + " " + rest[random.below(4 * i + 3, 5)]);
    out.targets[i][0] = a == b ? 0.9f : 0.1f;
  }
  return out;
}

/// The same words in another order: each belongs to one text only.
TrainingSet ranked_pairs(Index rows) {
  TrainingSet out{.name = "ranked.csv", .columns = std::vector<Texts>(2), .targets = {}, .loss = {}};
  out.loss.kind = LossKind::mnrl;
  const TrainingSet from = scored_pairs(rows);
  for (Index i = 0; i < rows; ++i) {
    const std::string text(from.columns[0][i]);
    const auto cut = text.find(' ', 4);
    out.columns[0].add(text);
    out.columns[1].add(text.substr(cut + 1) + " " + text.substr(0, cut));
  }
  return out;
}

TrainOptions quick() {
  TrainOptions out;
  out.learn.n_epochs = 2;
  out.learn.batch_size = 8;
  out.learning_rate = 1e-3;
  out.learn.watch_every = 5;
  return out;
}

bool same(const Parameters& a, const Parameters& b) {
  for (Index i = 0; i < a.size(); ++i)
    if (!(a[i].value == b[i].value)) return false;
  return true;
}

TEST(Trainer, TheLossGoesDownWithTheSameBitsForAnyThreads) {
  const std::vector<TrainingSet> sets{scored_pairs(60), ranked_pairs(40)};
  auto one = TrainableEncoder::load(kModel), many = TrainableEncoder::load(kModel);
  TrainOptions options = quick();
  options.learn.n_epochs = 4;
  options.dropout = 0.01;  // these models are too small for more
  const TrainReport report =
      train_encoder(one, sets, options, {}, {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  const TrainReport other =
      train_encoder(many, sets, options, {}, {.threads = 3, .stop = {}, .progress = {}, .pool = {}});
  EXPECT_TRUE(same(one.parameters, many.parameters));
  EXPECT_EQ(report.learnt.losses, other.learnt.losses);
  ASSERT_EQ(report.learnt.losses.size(), 4U) << report.learnt.harm;
  EXPECT_LT(report.learnt.losses.back(), 0.8 * report.learnt.losses.front());
  EXPECT_EQ(report.rows, 100U);
}

TEST(Trainer, PartsOfABatchGiveTheGradientsOfTheWhole) {
  for (const TrainingSet& set : {scored_pairs(24), ranked_pairs(24)}) {
    auto whole = TrainableEncoder::load(kModel), parts = TrainableEncoder::load(kModel);
    TrainOptions options = quick();
    options.learn.batch_size = 12;
    options.dropout = 0;
    options.learn.n_epochs = 1;
    options.learning_rate = 1e-4;
    train_encoder(whole, {set}, options);
    options.mini_batch = 5;
    train_encoder(parts, {set}, options);
    for (Index p = 0; p < whole.parameters.size(); ++p) {
      // Adam makes whole steps of tiny gradients; those of keys' biases are sums that come to 0.
      if (whole.parameters[p].name.find("key.bias") != std::string::npos) continue;
      for (Index i = 0; i < whole.parameters[p].value.rows() * whole.parameters[p].value.cols(); ++i)
        ASSERT_NEAR(whole.parameters[p].value.data()[i], parts.parameters[p].value.data()[i], 2e-5)
            << whole.parameters[p].name;
    }
  }
}

TEST(Trainer, StoppedAnywhereItEndsWithTheSameBits) {
  const std::vector<TrainingSet> sets{scored_pairs(30), ranked_pairs(20)};
  TrainOptions options = quick();
  options.learn.accumulate = 2;
  auto whole = TrainableEncoder::load(kModel);
  std::vector<double> losses;
  TrainHooks hooks;
  hooks.log = [&](const LearnStep& step) { losses.push_back(step.loss); };
  train_encoder(whole, sets, options, hooks);
  const auto file =
      std::filesystem::path(testing::TempDir()) / ("train." + std::to_string(::getpid()) + ".part");
  for (const Index at : {1, 3, 6}) {
    std::filesystem::remove(file);
    auto stopped = TrainableEncoder::load(kModel), again = TrainableEncoder::load(kModel);
    std::stop_source source;
    shoal::Run run;
    run.stop = source.get_token();
    std::vector<double> found;
    hooks.log = [&](const LearnStep& step) {
      found.push_back(step.loss);
      if (step.step == at) source.request_stop();
    };
    EXPECT_EQ(error_of([&] {
                train_encoder(stopped, sets, options, hooks, run, {.file = file, .made_by = {}});
              }).fault,
              Fault::cancelled);
    hooks.log = [&](const LearnStep& step) { found.push_back(step.loss); };
    Index from = 0;
    hooks.begins = [&](const TrainReport&, Index step, double) { from = step; };
    train_encoder(again, sets, options, hooks, {}, {.file = file, .made_by = {}});
    EXPECT_EQ(from, at);
    EXPECT_EQ(found, losses);
    EXPECT_TRUE(same(whole.parameters, again.parameters));
  }
}

TEST(Trainer, ACollapseIsCaughtAndTakenBack) {
  TrainingSet set = scored_pairs(80);
  for (Index i = 0; i < set.rows(); ++i) set.targets[i][0] = 1;
  auto model = TrainableEncoder::load(kModel);
  TrainOptions options = quick();
  options.learn.n_epochs = 20;
  options.learning_rate = 3e-3;
  const TrainReport report = train_encoder(model, {set}, options);
  EXPECT_NE(report.learnt.harm.find("collapse"), std::string::npos) << report.after.mean_cosine;
  EXPECT_LT(report.learnt.steps, report.learnt.n_steps);
  EXPECT_EQ(harm_of(report.before, report.after), "");
  options.alarms = false;
  auto blind = TrainableEncoder::load(kModel);
  const TrainReport other = train_encoder(blind, {set}, options);
  EXPECT_NE(harm_of(other.before, other.after), "");
}

TEST(Trainer, SaysWhatCannotBeLearntFrom) {
  auto model = TrainableEncoder::load(kModel);
  TrainingSet none = scored_pairs(0), wrong = scored_pairs(4), same_texts = ranked_pairs(1);
  EXPECT_EQ(error_of([&] { train_encoder(model, {none}, quick()); }).fault, Fault::data);
  wrong.targets[2][0] = 4.5f;
  const Error beyond = error_of([&] { train_encoder(model, {wrong}, quick()); });
  EXPECT_EQ(beyond.fault, Fault::data);
  EXPECT_NE(std::string(beyond.what()).find("pairs.csv"), std::string::npos) << beyond.what();
  TrainOptions options = quick();
  options.freeze_layers = 99;
  EXPECT_EQ(error_of([&] { train_encoder(model, {scored_pairs(9)}, options); }).option(), "freeze_layers");
}

/// The words of texts that belong together come nearer, at the rate of static models; their layers are none.
TEST(Trainer, AStaticModelLearnsWithTheSameBitsForAnyThreads) {
  const std::filesystem::path folder = SHOAL_SOURCE "/tests/golden/static/plain";
  const std::vector<TrainingSet> sets{scored_pairs(60), ranked_pairs(40)};
  auto one = TrainableEncoder::load(folder), many = TrainableEncoder::load(folder);
  TrainOptions options = quick();
  options.learning_rate.reset();
  options.learn.n_epochs = 12;
  const TrainReport report =
      train_encoder(one, sets, options, {}, {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  EXPECT_EQ(report.learning_rate, kStaticRate);
  const TrainReport other =
      train_encoder(many, sets, options, {}, {.threads = 3, .stop = {}, .progress = {}, .pool = {}});
  EXPECT_TRUE(same(one.parameters, many.parameters));
  ASSERT_EQ(report.learnt.losses.size(), 12U) << report.learnt.harm;
  EXPECT_LT(report.learnt.losses.back(), 0.8 * report.learnt.losses.front());
  options.dropout = 0.1;
  EXPECT_EQ(error_of([&] { train_encoder(one, sets, options); }).fault, Fault::argument);
  options.dropout.reset();
  options.freeze_layers = 1;
  EXPECT_EQ(error_of([&] { train_encoder(one, sets, options); }).fault, Fault::argument);
}

}  // namespace
}  // namespace shoal
