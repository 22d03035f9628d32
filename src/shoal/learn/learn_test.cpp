#include "shoal/learn/learn.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/learn/mlp.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Matrix random_matrix(Index rows, Index cols, std::uint64_t seed) {
  Matrix out(rows, cols);
  const Random random({seed});
  for (Index i = 0; i < rows * cols; ++i) out.data()[i] = static_cast<float>(random.normal(i));
  return out;
}

bool same(const Parameters& a, const Parameters& b) {
  for (Index i = 0; i < a.size(); ++i)
    if (!(a[i].value == b[i].value)) return false;
  return a.size() == b.size();
}

/// The update of the paper, in double.
TEST(AdamW, StepsAsThePaperSays) {
  Parameters parameters;
  Matrix start(1, 2);
  start[0][0] = 1;
  start[0][1] = -2;
  parameters.add("w", start);
  parameters.add("bias", start, false);
  const AdamWOptions options{
      .learning_rate = 0.1, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-6, .weight_decay = 0.5};
  AdamW adam(parameters, options);
  double w[2] = {1, -2}, b[2] = {1, -2}, m[2] = {}, v[2] = {};
  for (int t = 1; t <= 5; ++t) {
    const double factor = 1.0 / t;
    for (int j = 0; j < 2; ++j) {
      const double g = std::sin(3.0 * t + j);
      parameters[0].gradient[0][j] = parameters[1].gradient[0][j] = static_cast<float>(g);
      m[j] = 0.8 * m[j] + 0.2 * g;
      v[j] = 0.9 * v[j] + 0.1 * g * g;
      const double step =
          0.1 * factor * (m[j] / (1 - std::pow(0.8, t))) / (std::sqrt(v[j] / (1 - std::pow(0.9, t))) + 1e-6);
      w[j] = w[j] * (1 - 0.1 * factor * 0.5) - step;
      b[j] -= step;
    }
    adam.step(parameters, factor);
    for (int j = 0; j < 2; ++j) {
      EXPECT_NEAR(parameters[0].value[0][j], w[j], 1e-6) << t;
      EXPECT_NEAR(parameters[1].value[0][j], b[j], 1e-6) << t;
    }
  }
  EXPECT_EQ(error_of([&] { AdamW(parameters, {.beta1 = 1}); }).fault, Fault::argument);
}

TEST(Schedule, RisesAndFalls) {
  EXPECT_EQ(rate_factor(Schedule::constant, 0, 99, 100), 1);
  EXPECT_EQ(rate_factor(Schedule::linear, 0, 0, 100), 1);
  EXPECT_DOUBLE_EQ(rate_factor(Schedule::linear, 0, 75, 100), 0.25);
  EXPECT_DOUBLE_EQ(rate_factor(Schedule::linear, 0.2, 10, 100), 0.5);
  EXPECT_DOUBLE_EQ(rate_factor(Schedule::linear, 0.2, 60, 100), 0.5);
  EXPECT_NEAR(rate_factor(Schedule::cosine, 0.2, 60, 100), 0.5, 1e-12);
  EXPECT_EQ(rate_factor(Schedule::cosine, 1, 0, 10), 0);
}

/// Squared error of outputs against targets, halved.
Mlp::Loss squared(const Matrix& targets) {
  return [&targets](Index first, MatrixSpan outputs) {
    double loss = 0;
    for (Index i = 0; i < outputs.rows; ++i)
      for (Index j = 0; j < outputs.cols; ++j) {
        const float error = outputs[i][j] - targets[first + i][j];
        loss += 0.5 * static_cast<double>(error) * static_cast<double>(error);
        outputs[i][j] = error;
      }
    return loss;
  };
}

TEST(Mlp, GradientsAreDifferencesOfTheLoss) {
  Parameters parameters;
  const Mlp mlp({5, 7, 6, 3}, parameters, {1}, "head.");
  EXPECT_EQ(parameters[2].name, "head.layer1.weight");
  // A row whose hidden numbers are all 0 would lie on the kink of the next layer's max(0, bias).
  for (const Index l : {Index{1}, Index{3}})
    for (float& b : parameters[l].value[0]) b = 0.1F;
  const Matrix x = random_matrix(150, 5, 2), targets = random_matrix(150, 3, 3);
  for (const double share : {0.0, 0.3}) {
    const Dropout dropout{share, {4}};
    parameters.clear_gradients();
    const double at = mlp.backward(x.view(), parameters, squared(targets), dropout);
    const auto loss = [&] {
      Parameters copy = parameters;
      return mlp.backward(x.view(), copy, squared(targets), dropout);
    };
    EXPECT_DOUBLE_EQ(loss(), at);
    for (Index p = 0; p < parameters.size(); ++p)
      for (const Index i : {Index{0}, parameters[p].value.rows() * parameters[p].value.cols() - 1}) {
        float& value = parameters[p].value.data()[i];
        const float before = value, h = 3e-4F;
        value = before + h;
        const double up = loss();
        value = before - h;
        const double down = loss();
        value = before;
        EXPECT_NEAR(parameters[p].gradient.data()[i], (up - down) / (2 * static_cast<double>(h)),
                    2e-2 * (1 + std::abs((up - down) / (2 * static_cast<double>(h)))))
            << parameters[p].name << " " << i << " dropout " << share;
      }
  }
  // Without dropout the outputs are those of forward.
  Parameters copy = parameters;
  Matrix outputs(150, 3);
  mlp.backward(x.view(), copy, [&](Index first, MatrixSpan z) {
    for (Index i = 0; i < z.rows; ++i) std::ranges::copy(z[i], outputs[first + i].begin());
    return 0.0;
  });
  EXPECT_EQ(outputs, mlp.forward(x.view(), parameters));
}

struct Toy {
  Matrix x = random_matrix(200, 4, 7);
  Matrix targets = Matrix(200, 1);
  Parameters parameters;
  Mlp mlp{{4, 8, 1}, parameters, {5}};
  Toy() {
    for (Index i = 0; i < 200; ++i) targets[i][0] = std::abs(x[i][0]) - x[i][1];
  }
  double error(const Parameters& p) const {
    const Matrix out = mlp.forward(x.view(), p);
    double total = 0;
    for (Index i = 0; i < 200; ++i)
      total += std::pow(static_cast<double>(out[i][0] - targets[i][0]), 2) / 200;
    return total;
  }
  Lesson lesson(const Run& run) {
    return {.rows = 200,
            .batch =
                [this, run](const Batch& batch, Parameters& p) {
                  const std::vector<Index>& rows = batch.rows;
                  Matrix some(rows.size(), 4), wanted(rows.size(), 1);
                  for (Index i = 0; i < rows.size(); ++i) {
                    std::ranges::copy(x[rows[i]], some[i].begin());
                    wanted[i][0] = targets[rows[i]][0];
                  }
                  const double loss = mlp.backward(some.view(), p, squared(wanted), {}, run);
                  p.scale_gradients(1 / static_cast<float>(rows.size()));
                  return loss / static_cast<double>(rows.size());
                },
            .score = [this](const Parameters& p) { return -error(p); }};
  }
};

const LearnOptions kToy{.n_epochs = 30, .batch_size = 150, .optimiser = {.learning_rate = 0.02}};

TEST(Learn, LearnsAndKeepsTheBest) {
  Toy toy;
  const double before = toy.error(toy.parameters);
  const Learnt learnt = learn(toy.parameters, toy.lesson({}), kToy, {1});
  EXPECT_LT(toy.error(toy.parameters), before / 4);
  ASSERT_TRUE(learnt.best);
  EXPECT_DOUBLE_EQ(-toy.error(toy.parameters), learnt.scores[*learnt.best]);
  EXPECT_EQ(learnt.losses.size(), 30U);
}

TEST(Learn, ThreadsDoNotMatterAndAStopDoesNot) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("learn." + std::to_string(::getpid()) + ".part.safetensors");
  for (const Index accumulate : {Index{1}, Index{2}}) {
    LearnOptions options = kToy;
    options.n_epochs = 6;
    options.batch_size = 30;  // 7 batches an epoch
    options.accumulate = accumulate;
    options.score_every = 3;
    options.optimiser.learning_rate = 0.2;  // scores go up and down
    Toy one, two;
    shoal::Run run;
    run.threads = 1;
    const Learnt whole = learn(one.parameters, one.lesson(run), options, {1});
    run.threads = 3;
    learn(two.parameters, two.lesson(run), options, {1});
    EXPECT_TRUE(same(one.parameters, two.parameters));
    for (const int at : {1, 2, 8, 15, 42}) {
      std::filesystem::remove(file);
      Toy stopped, again;
      Lesson broken = stopped.lesson({});
      int calls = 0;
      const auto batch = broken.batch;
      broken.batch = [&](const Batch& rows, Parameters& p) {
        if (++calls == at) throw Error(Fault::cancelled, "stopped");
        return batch(rows, p);
      };
      EXPECT_THROW(learn(stopped.parameters, broken, options, {1}, {}, {.file = file, .made_by = {}}), Error);
      ASSERT_TRUE(std::filesystem::exists(file));
      Lesson resumed = again.lesson({});
      Index from = 99;
      resumed.resumed = [&](Index step, Index) { from = step; };
      const Learnt learnt = learn(again.parameters, resumed, options, {1}, {}, {.file = file, .made_by = {}});
      EXPECT_EQ(from > 0, at > static_cast<int>(accumulate));
      EXPECT_EQ(learnt.losses, whole.losses);
      EXPECT_EQ(learnt.scores, whole.scores);
      EXPECT_EQ(learnt.best, whole.best);
      EXPECT_TRUE(same(one.parameters, again.parameters)) << accumulate << " " << at;
      ASSERT_TRUE(std::filesystem::exists(file));  // it has the end
      Toy third;
      resumed = third.lesson({});
      resumed.batch = [](const Batch&, Parameters&) -> double { throw Error(Fault::data, "a step"); };
      EXPECT_EQ(learn(third.parameters, resumed, options, {1}, {}, {.file = file, .made_by = {}}).scores,
                whole.scores);
      EXPECT_TRUE(same(one.parameters, third.parameters));
    }
  }
}

TEST(Learn, AfterHarmTheLastGoodParametersAreThere) {
  Toy toy;
  Lesson lesson = toy.lesson({});
  lesson.score = {};
  LearnOptions options = kToy;
  options.watch_every = 5;
  ParameterValues good;
  lesson.watch = [&](const Parameters& p, Index step) {
    if (step < 20) good = p.values();
    return step < 20 ? "" : "collapsed";
  };
  const Learnt learnt = learn(toy.parameters, lesson, options, {1});
  EXPECT_EQ(learnt.harm, "collapsed");
  EXPECT_EQ(learnt.steps, 20U);
  EXPECT_FALSE(learnt.stopped_early);
  for (Index i = 0; i < good.size(); ++i) EXPECT_EQ(toy.parameters[i].value, good[i]);
  // With a score, but before the first.
  Toy early;
  lesson = early.lesson({});
  const ParameterValues start = early.parameters.values();
  lesson.watch = [](const Parameters&, Index) { return "collapsed"; };
  options.score_every = 50;
  EXPECT_EQ(learn(early.parameters, lesson, options, {1}).harm, "collapsed");
  for (Index i = 0; i < start.size(); ++i) EXPECT_EQ(early.parameters[i].value, start[i]);
  options.score_every = 0;
  // A number that is none, before the first look: what was there at the beginning.
  Toy broken;
  const ParameterValues before = broken.parameters.values();
  broken.x[3][1] = std::nanf("");
  lesson = broken.lesson({});
  lesson.score = {};
  lesson.watch = [](const Parameters&, Index) { return ""; };
  lesson.name_rows = [](const std::vector<Batch>& batches) {
    return std::to_string(batches[0].rows.size()) + " rows";
  };
  const Learnt none = learn(broken.parameters, lesson, options, {1});
  EXPECT_NE(none.harm.find("150 rows"), std::string::npos) << none.harm;
  for (Index i = 0; i < before.size(); ++i) EXPECT_EQ(broken.parameters[i].value, before[i]);
}

TEST(Learn, WhatIsFrozenStaysAndATableIsADenseMatrix) {
  const auto train = [](bool table, bool frozen) {
    Parameters parameters;
    parameters.add("words", random_matrix(50, 3, 1));
    parameters.add("other", random_matrix(1, 3, 2), false);
    if (table) parameters.make_table(0);
    if (frozen) parameters.freeze([](const std::string& name) { return name == "other"; });
    const Lesson lesson{.rows = 8, .batch = [&](const Batch& batch, Parameters& p) {
                          double loss = 0;
                          for (const Index i : batch.rows)
                            for (const Index row : {3 * i, 3 * i + 2}) {
                              if (table) p.use_row(0, row);
                              for (Index j = 0; j < 3; ++j) {
                                p[0].gradient[row][j] += p[0].value[row][j] - 1;
                                if (!frozen) p[1].gradient[0][j] += p[0].value[row][j];
                                loss += std::abs(p[0].value[row][j] - 1);
                              }
                            }
                          return loss;
                        }};
    LearnOptions options{.n_epochs = 5, .batch_size = 3, .accumulate = 2, .optimiser = {}};
    options.max_norm = 0.5;
    const Learnt learnt = learn(parameters, lesson, options, {1});
    return std::pair(parameters, learnt);
  };
  const auto [dense, a] = train(false, false);
  const auto [table, b] = train(true, false);
  EXPECT_TRUE(same(dense, table));
  EXPECT_EQ(a.losses, b.losses);
  EXPECT_EQ(a.last_gradient_norm, b.last_gradient_norm);
  const auto [frozen, c] = train(true, true);
  EXPECT_EQ(frozen[1].value, random_matrix(1, 3, 2));
  EXPECT_NE(frozen[0].value, random_matrix(50, 3, 1));
}

TEST(Learn, EndsWhenNothingGetsBetter) {
  Toy toy;
  Lesson lesson = toy.lesson({});
  int epoch = 0;
  lesson.score = [&](const Parameters&) { return epoch++ == 2 ? 1.0 : 0.0; };
  const Learnt learnt = learn(toy.parameters, lesson, {.n_epochs = 30, .optimiser = {}, .patience = 3}, {1});
  EXPECT_EQ(learnt.best, Index{2});
  EXPECT_EQ(learnt.losses.size(), 6U);
  EXPECT_TRUE(learnt.stopped_early);
}

TEST(Learn, SaysWhatIsNoNumber) {
  Toy toy;
  toy.x[3][1] = std::nanf("");
  EXPECT_EQ(error_of([&] { learn(toy.parameters, toy.lesson({}), kToy, {1}); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { learn(toy.parameters, {}, kToy, {1}); }).fault, Fault::data);
  EXPECT_EQ(
      error_of([&] { learn(toy.parameters, toy.lesson({}), {.batch_size = 0, .optimiser = {}}, {1}); }).fault,
      Fault::argument);
}

}  // namespace
}  // namespace shoal
