#include "shoal/train/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "shoal/encode/bert_network.h"
#include "shoal/encode/model_folder.h"

namespace shoal {
namespace {

const std::filesystem::path kGolden = SHOAL_SOURCE "/tests/golden/encoder";
constexpr const char* kModels[] = {"bert_new", "bert_old", "roberta", "distilbert", "mpnet", "xlm_roberta"};

/// A model and a batch of three texts of 1 to 9 tokens.
struct Trained {
  ModelFolder folder;
  Parameters parameters;
  TrainableNetwork network;
  std::vector<std::uint32_t> ids, types;
  std::vector<Index> starts{0};

  explicit Trained(const char* name)
      : folder(read_model_folder(kGolden / name)),
        network(TrainableNetwork::load(folder.transformer, Weights(folder.transformer_folder), parameters)) {
    const Random random({5});
    for (const Index length : {Index{7}, Index{1}, Index{9}}) {
      for (Index i = 0; i < length; ++i)
        ids.push_back(
            static_cast<std::uint32_t>(2 + random.below(ids.size(), folder.transformer.vocabulary - 2)));
      starts.push_back(ids.size());
    }
  }

  Matrix forward(const NetworkDropout& dropout, NetworkPass& pass, const Run& run = {}) const {
    return network.forward(ids, starts, parameters, dropout, pass, run, types);
  }
  /// The later half of each text is of type 1.
  void make_pairs() {
    for (Index text = 0; text + 1 < starts.size(); ++text)
      for (Index t = starts[text]; t < starts[text + 1]; ++t)
        types.push_back(2 * t >= starts[text] + starts[text + 1]);
  }
  /// A loss of which every number of the output has its own slope.
  Matrix slopes() const {
    Matrix out(ids.size(), folder.transformer.hidden);
    const Random random({6});
    for (Index i = 0; i < out.rows() * out.cols(); ++i) out.data()[i] = static_cast<float>(random.normal(i));
    return out;
  }
  double loss(const NetworkDropout& dropout) const {
    NetworkPass pass;
    const Matrix states = forward(dropout, pass), slope = slopes();
    double sum = 0;
    for (Index i = 0; i < states.rows() * states.cols(); ++i)
      sum += static_cast<double>(states.data()[i]) * static_cast<double>(slope.data()[i]);
    return sum;
  }
  void backward(const NetworkDropout& dropout, const Run& run = {}) {
    NetworkPass pass;
    forward(dropout, pass, run);
    parameters.clear_gradients();
    network.backward(pass, slopes(), parameters, run);
  }
};

void check_same_bits(const Trained& model) {
  const auto used = BertNetwork::load(model.folder.transformer, Weights(model.folder.transformer_folder));
  BertScratch scratch;
  const MatrixView states = used.forward(model.ids, model.starts, scratch, model.types);
  NetworkPass pass;
  const Matrix found = model.forward({}, pass);
  ASSERT_EQ(found.rows(), states.rows);
  for (Index i = 0; i < found.rows(); ++i)
    for (Index j = 0; j < found.cols(); ++j) ASSERT_EQ(found[i][j], states[i][j]);
}

TEST(TrainableNetwork, GivesTheBitsOfTheNetworkThatIsUsed) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    check_same_bits(Trained(name));
  }
}

TEST(TrainableNetwork, TypesOfTokensGiveTheBitsOfTheNetworkThatIsUsed) {
  Trained plain("bert_new"), pairs("bert_new"), zeros("bert_new");
  pairs.make_pairs();
  zeros.types.assign(zeros.ids.size(), 0);
  check_same_bits(pairs);
  NetworkPass pass;
  const Matrix expected = plain.forward({}, pass);
  EXPECT_EQ(zeros.forward({}, pass), expected);
  EXPECT_NE(pairs.forward({}, pass), expected);
}

/// Each parameter along a direction of its own: the loss of two steps against the gradient.
void check_gradients(const char* name, const NetworkDropout& dropout, bool pairs = false) {
  SCOPED_TRACE(name);
  Trained model(name);
  if (pairs) model.make_pairs();
  model.backward(dropout);
  for (Index p = 0; p < model.parameters.size(); ++p) {
    Matrix& value = model.parameters[p].value;
    const Matrix kept = value, gradient = model.parameters[p].gradient;
    const Index n = value.rows() * value.cols();
    const Random random(Seed{7}.child(p));
    double expected = 0;
    std::vector<float> direction(n);
    for (Index i = 0; i < n; ++i) {
      direction[i] = static_cast<float>(random.normal(i));
      expected += static_cast<double>(gradient.data()[i]) * static_cast<double>(direction[i]);
    }
    const float step = 1e-3f;
    double losses[2];
    for (const int side : {0, 1}) {
      for (Index i = 0; i < n; ++i)
        value.data()[i] = kept.data()[i] + (side == 0 ? -step : step) * direction[i];
      model.network.prepare(model.parameters, {});
      losses[side] = model.loss(dropout);
    }
    value = kept;
    model.network.prepare(model.parameters, {});
    const double found = (losses[1] - losses[0]) / (2 * static_cast<double>(step));
    EXPECT_NEAR(found, expected, 0.01 * std::abs(expected) + 0.015) << model.parameters[p].name;
  }
}

TEST(TrainableNetwork, GradientsAreDifferencesOfLosses) {
  for (const char* name : kModels) check_gradients(name, {});
}

TEST(TrainableNetwork, GradientsOfTypesGoToEachType) { check_gradients("bert_new", {}, true); }

TEST(TrainableNetwork, GradientsWithDropoutAreThoseOfWhatIsLeft) {
  check_gradients("bert_new", {.hidden = 0.2, .attention = 0.3, .seed = {9}});
  check_gradients("mpnet", {.hidden = 0.1, .attention = 0.1, .seed = {3}});
}

TEST(TrainableNetwork, SameBitsForAnyThreads) {
  const NetworkDropout dropout{.hidden = 0.1, .attention = 0.1, .seed = {4}};
  Trained one("mpnet"), many("mpnet");
  one.backward(dropout, {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  many.backward(dropout, {.threads = 4, .stop = {}, .progress = {}, .pool = {}});
  for (Index p = 0; p < one.parameters.size(); ++p)
    EXPECT_EQ(one.parameters[p].gradient, many.parameters[p].gradient) << one.parameters[p].name;
}

}  // namespace
}  // namespace shoal
