#include "shoal/learn/learn.h"

#include <gtest/gtest.h>

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
                [this, run](std::span<const Index> rows, Parameters& p) {
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
  ASSERT_TRUE(learnt.best_epoch);
  EXPECT_DOUBLE_EQ(-toy.error(toy.parameters), learnt.scores[*learnt.best_epoch]);
  EXPECT_EQ(learnt.losses.size(), 30U);
}

TEST(Learn, ThreadsDoNotMatterAndAStopDoesNot) {
  Toy one, two, stopped;
  const auto file = std::filesystem::path(testing::TempDir()) / "learn.part.safetensors";
  std::filesystem::remove(file);
  shoal::Run run;
  run.threads = 1;
  learn(one.parameters, one.lesson(run), kToy, {1});
  run.threads = 3;
  learn(two.parameters, two.lesson(run), kToy, {1});
  EXPECT_TRUE(same(one.parameters, two.parameters));
  Lesson broken = stopped.lesson({});
  int calls = 0;
  const auto batch = broken.batch;
  broken.batch = [&](std::span<const Index> rows, Parameters& p) {
    if (++calls == 25) throw Error(Fault::cancelled, "stopped");
    return batch(rows, p);
  };
  EXPECT_THROW(learn(stopped.parameters, broken, kToy, {1}, {}, file), Error);
  ASSERT_TRUE(std::filesystem::exists(file));
  Toy again;
  const Learnt learnt = learn(again.parameters, again.lesson({}), kToy, {1}, {}, file);
  EXPECT_EQ(learnt.losses.size(), 30U);
  EXPECT_TRUE(same(one.parameters, again.parameters));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Learn, EndsWhenNothingGetsBetter) {
  Toy toy;
  Lesson lesson = toy.lesson({});
  int epoch = 0;
  lesson.score = [&](const Parameters&) { return epoch++ == 2 ? 1.0 : 0.0; };
  const Learnt learnt = learn(toy.parameters, lesson, {.n_epochs = 30, .optimiser = {}, .patience = 3}, {1});
  EXPECT_EQ(learnt.best_epoch, Index{2});
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
