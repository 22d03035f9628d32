#include "shoal/train/encoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "shoal/encode/encoder.h"

namespace shoal {
namespace {

const std::filesystem::path kGolden = SHOAL_SOURCE "/tests/golden/encoder";
constexpr const char* kModels[] = {"bert_new", "bert_old",    "roberta",   "distilbert",
                                   "mpnet",    "xlm_roberta", "bert_bare", "bert_poolings"};

Texts some_texts() {
  Texts out;
  for (const char* text : {"the licence of the work", "a", "", "You may reproduce copies of the Work.",
                           "patent claims licensable by such contributor, under the terms and conditions"})
    out.add(text);
  return out;
}

std::vector<std::span<const std::uint32_t>> spans(const Tokens& tokens) {
  std::vector<std::span<const std::uint32_t>> out;
  for (Index i = 0; i < tokens.size(); ++i) out.push_back(tokens[i]);
  return out;
}

Matrix slopes(Index rows, Index cols) {
  Matrix out(rows, cols);
  const Random random({6});
  for (Index i = 0; i < rows * cols; ++i) out.data()[i] = static_cast<float>(random.normal(i));
  return out;
}

TEST(TrainableEncoder, GivesTheBitsOfTheEncoderThatIsUsed) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const Texts texts = some_texts();
    const auto used = Encoder::load(kGolden / name).encode(texts).to_matrix();
    EXPECT_EQ(TrainableEncoder::load(kGolden / name).encode(texts), used);
  }
}

/// Each parameter along a direction of its own: the loss of two steps against the gradient.
TEST(TrainableEncoder, GradientsAreDifferencesOfLosses) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    auto model = TrainableEncoder::load(kGolden / name);
    const Tokens tokens = model.tokenize(some_texts());
    const auto texts = spans(tokens);
    EncoderPass pass;
    const Matrix slope = slopes(model.forward(texts, {}, pass).rows(), model.dims());
    const auto loss = [&] {
      EncoderPass own;
      model.prepare();
      const Matrix found = model.forward(texts, {}, own);
      double sum = 0;
      for (Index i = 0; i < found.rows() * found.cols(); ++i)
        sum += static_cast<double>(found.data()[i]) * static_cast<double>(slope.data()[i]);
      return sum;
    };
    model.backward(pass, slope);
    for (Index p = 0; p < model.parameters.size(); ++p) {
      Matrix& value = model.parameters[p].value;
      const Matrix kept = value;
      const Random random(Seed{7}.child(p));
      std::vector<float> direction(value.rows() * value.cols());
      double expected = 0;
      for (Index i = 0; i < direction.size(); ++i) {
        direction[i] = static_cast<float>(random.normal(i));
        expected +=
            static_cast<double>(model.parameters[p].gradient.data()[i]) * static_cast<double>(direction[i]);
      }
      const float step = 2e-4f;
      double losses[2];
      for (const int side : {0, 1}) {
        for (Index i = 0; i < direction.size(); ++i)
          value.data()[i] = kept.data()[i] + (side == 0 ? -step : step) * direction[i];
        losses[side] = loss();
      }
      value = kept;
      const double found = (losses[1] - losses[0]) / (2 * static_cast<double>(step));
      EXPECT_NEAR(found, expected, 0.02 * std::abs(expected) + 0.03) << model.parameters[p].name;
    }
  }
}

TEST(TrainableEncoder, WhatIsFrozenCostsNothingAndChangesNoOther) {
  auto whole = TrainableEncoder::load(kGolden / "mpnet"), part = TrainableEncoder::load(kGolden / "mpnet");
  part.parameters.freeze([](const std::string& name) {
    return name.starts_with("embeddings.") || name.find("relative") != std::string::npos ||
           name.find("layer.0.") != std::string::npos;
  });
  const Tokens tokens = whole.tokenize(some_texts());
  for (TrainableEncoder* model : {&whole, &part}) {
    EncoderPass pass;
    const Matrix vectors = model->forward(spans(tokens), {}, pass);
    model->backward(pass, slopes(vectors.rows(), vectors.cols()));
  }
  Index learns = 0;
  for (Index p = 0; p < whole.parameters.size(); ++p) {
    if (!part.parameters[p].learns) continue;
    ++learns;
    EXPECT_EQ(whole.parameters[p].gradient, part.parameters[p].gradient) << whole.parameters[p].name;
  }
  EXPECT_GT(learns, Index{15});
  EXPECT_LT(learns, whole.parameters.size() - 15);
}

TEST(TrainableEncoder, WhatItSavesIsTheSameModel) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const auto folder =
        std::filesystem::path(testing::TempDir()) / ("trained." + std::to_string(::getpid()) + "." + name);
    std::filesystem::create_directory(folder);
    auto model = TrainableEncoder::load(kGolden / name);
    const Random random({3});
    for (Index p = 0; p < model.parameters.size(); ++p) {
      Matrix& value = model.parameters[p].value;
      for (Index i = 0; i < value.rows() * value.cols(); ++i)
        value.data()[i] += 0.01f * static_cast<float>(random.normal(i));
    }
    model.prepare();
    model.save(folder);
    const Texts texts = some_texts();
    EXPECT_EQ(Encoder::load(folder).encode(texts).to_matrix(), model.encode(texts));
    std::filesystem::remove_all(folder);
  }
}

}  // namespace
}  // namespace shoal
