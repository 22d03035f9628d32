#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "../../../tests/minilm.h"
#include "shoal/store/archive/archive.h"
#include "shoal/train/encoder.h"
#include "shoal/train/loss.h"

// Gradients of every parameter against sentence-transformers and torch: tests/golden/make_losses.py.
namespace shoal {
namespace {

constexpr Index kDirections = 8;

// As in make_losses.py.
constexpr const char* kTexts[3][6] = {
    {"the licence of the work", "naïve café, Ærøskøbing", "A map.", "word word word", "漢字かな交じり文",
     "patent claims"},
    {"a licence of a work, under the terms", "a café in Copenhagen?", "the map of the work",
     "mixed CASE Words", "Ελληνικά и кириллица", "claims licensable by such contributor"},
    {"No!", "in any form, under the terms and conditions of this License",
     "emoji 😀👩‍👩‍👧 done", "1234567890 3.14159", "The Quick Brown Fox",
     "tabs\tand\nlines and   spaces"}};
constexpr float kScores[] = {0.9f, 0.4f, 0.7f, 0.0f, 0.2f, 0.7f};
constexpr Index kRows = 6;

double direction(std::uint64_t i, std::uint64_t r) {
  std::uint64_t h = (kDirections * i + r + 1) * 0x9E3779B97F4A7C15u;
  h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93u;
  return static_cast<double>(h >> 40) / 0x1p24 - 0.5;
}

/// "2.linear.weight" and "2_Dense/linear.weight" -> "2.linear.weight"
std::string plain_name(const std::string& name) {
  const auto folder = name.find('/');
  if (folder == std::string::npos) return name;
  return name.substr(0, name.find_first_not_of("0123456789")) + "." + name.substr(folder + 1);
}

/// Length of the gradient, and its products with the directions.
std::vector<double> numbers_of(const Matrix& gradient) {
  std::vector<double> out(1 + kDirections);
  for (Index i = 0; i < gradient.rows() * gradient.cols(); ++i) {
    const auto g = static_cast<double>(gradient.data()[i]);
    if (g == 0) continue;  // most of a table of words
    out[0] += g * g;
    for (Index r = 0; r < kDirections; ++r) out[1 + r] += g * direction(i, r);
  }
  out[0] = std::sqrt(out[0]);
  return out;
}

double backward(TrainableEncoder& model, const LossOptions& options, const Run& run = {}) {
  const Index columns = needs_of(options.kind).most_columns == 2 ? 2 : 3;
  Texts texts;
  for (Index c = 0; c < columns; ++c)
    for (const char* text : kTexts[c]) texts.add(text);
  const Tokens tokens = model.tokenize(texts);
  std::vector<std::span<const std::uint32_t>> spans;
  for (Index i = 0; i < tokens.size(); ++i) spans.push_back(tokens[i]);
  EncoderPass pass;
  const Matrix vectors = model.forward(spans, {}, pass, run);
  LossBatch batch;
  for (Index c = 0; c < columns; ++c) batch.columns.push_back(vectors.view().slice(c * kRows, kRows));
  if (columns == 2) batch.targets = {kScores, kRows, 1, 1};
  std::vector<Matrix> slopes;
  const double value = loss(options, batch, slopes, run);
  Matrix slope(vectors.rows(), vectors.cols());
  for (Index c = 0; c < columns; ++c)
    std::copy_n(slopes[c].data(), kRows * vectors.cols(), slope[c * kRows].data());
  model.parameters.clear_gradients();
  model.backward(pass, std::move(slope), run);
  return value;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text)
    if (c == '\n')
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

void compare(const ArchiveReader& golden, const std::string& model_name,
             const std::filesystem::path& folder) {
  auto model = TrainableEncoder::load(folder);
  const std::vector<std::string> names = lines(golden.meta(model_name + " parameters"));
  const LossOptions all[] = {{.kind = LossKind::cosine},
                             {.kind = LossKind::triplet, .distance = LossDistance::euclidean, .margin = 0.5},
                             {.kind = LossKind::mnrl},
                             {.kind = LossKind::cosent}};
  for (const LossOptions& options : all) {
    const std::string of = model_name + " " + name_of(options.kind);
    SCOPED_TRACE(of);
    const double expected = golden.doubles(of + " loss", 1)[0], value = backward(model, options);
    EXPECT_NEAR(value, expected, 1e-5 * expected);
    const std::vector<double> table = golden.doubles(of, names.size() * (1 + kDirections));
    double whole = 0;
    for (Index p = 0; p < names.size(); ++p) whole = std::hypot(whole, table[p * (1 + kDirections)]);
    std::map<std::string, const Matrix*> gradients;
    for (Index p = 0; p < model.parameters.size(); ++p)
      gradients[plain_name(model.parameters[p].name)] = &model.parameters[p].gradient;
    for (Index p = 0; p < names.size(); ++p) {
      ASSERT_TRUE(gradients.contains(names[p])) << names[p];
      const std::vector<double> found = numbers_of(*gradients[names[p]]);
      const double* truth = table.data() + p * (1 + kDirections);
      // A direction's numbers have variance 1/12: so the products give the length of what differs.
      double gap = 0;
      for (Index r = 1; r <= kDirections; ++r) gap += (found[r] - truth[r]) * (found[r] - truth[r]);
      gap = std::sqrt(12 * gap / kDirections);
      // Some gradients are 0 but for rounding, as those of the keys' bias.
      const double tolerance = 1e-5 * truth[0] + 5e-8 * whole;
      EXPECT_LE(gap, tolerance) << names[p];
      EXPECT_NEAR(found[0], truth[0], tolerance) << names[p];
      gradients.erase(names[p]);
    }
    for (const auto& [name, gradient] : gradients)  // what torch has no gradient of, nothing depends on
      EXPECT_EQ(*gradient, Matrix(gradient->rows(), gradient->cols())) << name;
  }
}

TEST(GradientGolden, TinyModels) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/gradients.safetensors");
  for (const char* name : {"bert_new", "bert_poolings", "roberta", "distilbert", "mpnet", "xlm_roberta"})
    compare(golden, name, std::filesystem::path(SHOAL_SOURCE "/tests/golden/encoder") / name);
}

TEST(GradientGolden, MiniLM) {
  const auto folder = minilm_folder();
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "all-MiniLM-L6-v2 is not installed; shoal model list says where it is looked for";
  compare(ArchiveReader(SHOAL_SOURCE "/tests/golden/gradients_minilm.safetensors"), "minilm", folder);
}

}  // namespace
}  // namespace shoal
