#include "shoal/train/encoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "shoal/encode/encoder.h"

namespace shoal {
namespace {

const std::filesystem::path kGolden = SHOAL_SOURCE "/tests/golden";
constexpr const char* kModels[] = {"encoder/bert_new",   "encoder/bert_old",      "encoder/roberta",
                                   "encoder/distilbert", "encoder/mpnet",         "encoder/xlm_roberta",
                                   "encoder/bert_bare",  "encoder/bert_poolings", "static/plain",
                                   "static/short",       "static/mapped",         "static/sentence",
                                   "static/folded"};
// Static models whose tables are not of float32: they learn in it.
constexpr const char* kOtherTables[] = {"static/half", "static/bytes", "static/double"};

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
  auto whole = TrainableEncoder::load(kGolden / "encoder/mpnet"),
       part = TrainableEncoder::load(kGolden / "encoder/mpnet");
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

/// Rows of tokens that no text has keep no gradient, and each token of a text gets its share.
TEST(TrainableEncoder, OnlyTheRowsOfTheTokensLearnInAStaticModel) {
  auto model = TrainableEncoder::load(kGolden / "static/mapped");
  ASSERT_TRUE(model.is_static());
  ASSERT_EQ(model.parameters.size(), 1u);
  const Parameter& table = model.parameters[0];
  const Tokens tokens = model.tokenize(some_texts());
  std::string id;
  const TokenVectors vectors = TokenVectors::load(kGolden / "static/mapped", {}, id);
  std::vector<double> share(table.value.rows());
  for (Index i = 0; i < tokens.size(); ++i)
    for (const std::uint32_t token : tokens[i])
      share[vectors.row_of(token)] +=
          static_cast<double>(vectors.scale_of(token)) / static_cast<double>(tokens[i].size());
  const TrainableTable alone = [&] {
    Parameters unused;
    return TrainableTable::load(kGolden / "static/mapped", unused, {});
  }();
  Matrix ones(tokens.size(), table.value.cols());
  for (Index i = 0; i < ones.rows() * ones.cols(); ++i) ones.data()[i] = 1;
  const std::vector<Index> starts(tokens.starts.begin(), tokens.starts.end());
  alone.backward(tokens.ids, starts, ones.view(), model.parameters);
  Index used = 0;
  for (Index row = 0; row < share.size(); ++row) {
    EXPECT_EQ(table.table[row] == TableRow::now, share[row] != 0) << row;
    used += share[row] != 0;
    for (const float g : table.gradient[row]) EXPECT_NEAR(g, share[row], 1e-5) << row;
  }
  EXPECT_GT(used, Index{5});
  EXPECT_LT(used, share.size());
}

TEST(TrainableEncoder, WhatItSavesIsTheSameModel) {
  std::vector<std::string> names(std::begin(kModels), std::end(kModels));
  names.insert(names.end(), std::begin(kOtherTables), std::end(kOtherTables));
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const auto folder = std::filesystem::path(testing::TempDir()) / ("trained." + std::to_string(::getpid()));
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
