#include <gtest/gtest.h>

#include <cmath>

#include "shoal/store/archive/archive.h"
#include "shoal/train/loss.h"

// Against sentence-transformers and torch: tests/golden/make_losses.py.
namespace shoal {
namespace {

const ArchiveReader& golden() {
  static const ArchiveReader reader(SHOAL_SOURCE "/tests/golden/losses.safetensors");
  return reader;
}

struct Case {
  std::string name;
  LossOptions options;
  std::string columns;
  std::string targets = {};
};

std::vector<Case> cases() {
  using enum LossKind;
  constexpr auto euclidean = LossDistance::euclidean, squared_euclidean = LossDistance::squared_euclidean;
  std::vector<Case> out{
      {"cosine", {.kind = cosine}, "ab", "scores"},
      {"cosine odd", {.kind = cosine}, "pq", "scores"},
      {"triplet euclidean", {.kind = triplet, .distance = euclidean, .margin = 0.5}, "abc"},
      {"triplet euclidean 5", {.kind = triplet, .distance = euclidean, .margin = 5}, "abc"},
      {"triplet cosine", {.kind = triplet, .distance = LossDistance::cosine}, "abc"},
      {"mnrl scale 5", {.kind = mnrl, .scale = 5}, "abc"},
      {"online_contrastive ones", {.kind = online_contrastive}, "ab", "ones"},
      {"online_contrastive zeros", {.kind = online_contrastive, .margin = 1.5}, "ab", "zeros"},
      {"mse one", {.kind = mse}, "a", "teacher"},
      {"mse shared", {.kind = mse}, "ab", "teacher"},
      {"mse each", {.kind = mse}, "ab", "teachers"},
      {"margin_mse scores", {.kind = margin_mse}, "abcd", "teacher_scores"},
      {"margin_mse differences", {.kind = margin_mse}, "abcd", "differences"},
      {"margin_mse one", {.kind = margin_mse}, "abc", "difference"},
      {"distill_kl", {.kind = distill_kl}, "abcd", "teacher_scores"},
      {"distill_kl temperature 2.5", {.kind = distill_kl, .temperature = 2.5}, "abcd", "teacher_scores"},
  };
  for (const LossKind kind : {cosent, angle}) {
    const std::string name = name_of(kind);
    out.push_back({name, {.kind = kind}, "ab", "scores"});
    out.push_back({name + " scale 5", {.kind = kind, .scale = 5}, "ab", "scores"});
    out.push_back({name + " ties", {.kind = kind}, "ab", "binary"});
    out.push_back({name + " odd", {.kind = kind}, "pq", "scores"});
  }
  for (const LossKind kind : {contrastive, online_contrastive}) {
    const std::string name = name_of(kind);
    out.push_back({name, {.kind = kind}, "ab", "binary"});
    out.push_back({name + " margin 1.5", {.kind = kind, .margin = 1.5}, "ab", "binary"});
    out.push_back({name + " euclidean", {.kind = kind, .distance = euclidean, .margin = 4}, "ab", "binary"});
  }
  const std::pair<const char*, LossDirections> ways[] = {{"", LossDirections::one_way},
                                                         {"symmetric ", LossDirections::symmetric},
                                                         {"joint ", LossDirections::joint},
                                                         {"all ", LossDirections::all}};
  for (const char* columns : {"ab", "abc", "abcd"})
    for (const auto& [way, directions] : ways)
      out.push_back(
          {std::string("mnrl ") + way + columns, {.kind = mnrl, .directions = directions}, columns});
  const std::pair<LossDistance, double> margins[] = {
      {euclidean, 1}, {squared_euclidean, 2}, {LossDistance::cosine, 0.25}};
  for (const LossKind kind : {batch_hard, batch_semi_hard, batch_all, batch_hard_soft})
    for (const auto& [distance, margin] : margins)
      out.push_back({std::string(name_of(kind)) + " " + name_of(distance),
                     {.kind = kind, .distance = distance, .margin = margin},
                     "a",
                     "labels"});
  struct Inside {
    const char *name, *dims, *weights;
  };
  constexpr Inside kInside[] = {{"cosine", "10,6,3", ""},
                                {"mnrl abc", "4, 10, 7", "0.5, 1, 2"},
                                {"triplet euclidean", "8,2", "1,0.25"},
                                {"cosent", "5", ""},
                                {"batch_all euclidean", "10,5", ""},
                                {"mse each", "10,4", "1,3"},
                                {"margin_mse scores", "10,4", ""}};
  const std::vector<Case> plain = out;
  for (const Inside& inside : kInside)
    for (Case one : plain) {
      if (one.name != inside.name) continue;
      one.name = "matryoshka " + one.name;
      one.options.matryoshka_dims = inside.dims;
      one.options.matryoshka_weights = inside.weights;
      out.push_back(one);
    }
  return out;
}

double length(const Matrix& x) {
  double sum = 0;
  for (Index i = 0; i < x.rows() * x.cols(); ++i)
    sum += static_cast<double>(x.data()[i]) * static_cast<double>(x.data()[i]);
  return std::sqrt(sum);
}

TEST(LossGolden, ValuesAndSlopesAreThoseOfSentenceTransformers) {
  Index compared = 0;
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    std::vector<Matrix> columns, slopes;
    LossBatch batch;
    for (const char name : one.columns) columns.push_back(golden().matrix(std::string(1, name)));
    for (const Matrix& column : columns) batch.columns.push_back(column.view());
    Matrix targets;
    if (!one.targets.empty()) {
      targets = golden().matrix(one.targets);
      batch.targets = targets.view();
      EXPECT_NO_THROW(check_targets(one.options, targets.view(), columns.size(), columns[0].cols()));
    }
    EXPECT_NO_THROW(check_loss(one.options, columns.size(), columns[0].cols()));
    const double expected = golden().doubles(one.name + " loss", 1)[0];
    EXPECT_NEAR(loss(one.options, batch, slopes), expected, 1e-6 * expected);
    ASSERT_EQ(slopes.size(), columns.size());
    for (Index c = 0; c < slopes.size(); ++c) {
      const Matrix truth =
          golden().matrix(one.name + " slope " + std::to_string(c), columns[c].rows(), columns[c].cols());
      Matrix gap = truth;
      double most = 0;  // each number is held to its own size, but for those that are sums of larger ones
      for (Index i = 0; i < gap.rows() * gap.cols(); ++i) {
        gap.data()[i] -= slopes[c].data()[i];
        most = std::max(most, static_cast<double>(std::abs(truth.data()[i])));
      }
      EXPECT_LE(length(gap), 1e-6 * length(truth)) << "column " << c;
      for (Index i = 0; i < gap.rows() * gap.cols(); ++i)
        EXPECT_LE(std::abs(gap.data()[i]), 1e-5 * std::abs(truth.data()[i]) + 1e-6 * most)
            << "column " << c << " number " << i;
    }
    ++compared;
  }
  Index wanted = 0;
  for (const auto& [name, tensor] : golden().tensors()) wanted += name.ends_with(" loss");
  EXPECT_EQ(compared, wanted);
}

}  // namespace
}  // namespace shoal
