#include "shoal/flow/negatives/mine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/measure/similarity.h"
#include "tests/error_of.h"
#include "tests/matrices.h"

namespace shoal {
namespace {

using Json = nlohmann::json;
using Positives = std::vector<std::vector<Index>>;

std::vector<std::optional<Index>> nobody(Index n) { return std::vector<std::optional<Index>>(n); }

MineOptions options_of(const Json& said) {
  MineOptions o;
  const auto number = [&](const char* name, std::optional<double>& to) {
    if (said.contains(name)) to = said[name].get<double>();
  };
  number("max_score", o.max_score), number("min_score", o.min_score);
  number("absolute_margin", o.absolute_margin), number("relative_margin", o.relative_margin);
  o.num_negatives = said.value("num_negatives", o.num_negatives);
  o.range_min = said.value("range_min", o.range_min);
  if (said.contains("range_max")) o.range_max = said["range_max"].get<Index>();
  return o;
}

TEST(MineNegatives, EqualSentenceTransformers) {
  const Json all = Json::parse(std::ifstream(SHOAL_SOURCE "/tests/golden/evaluators.json"));
  const Json& g = all["mined"];
  const auto rows_of = [&](const std::vector<Index>& texts) {
    Matrix out(texts.size(), all["vectors"][0].size());
    for (Index i = 0; i < texts.size(); ++i)
      for (Index j = 0; j < out.cols(); ++j) out[i][j] = all["vectors"][texts[i]][j].get<float>();
    return out;
  };
  Index compared = 0;
  for (const Json& one : g["cases"]) {
    std::vector<Index> anchors, passages;
    Positives positives;
    std::map<Index, Index> place;
    const auto passage = [&](Index text) {
      if (place.try_emplace(text, passages.size()).second) passages.push_back(text);
      return place[text];
    };
    if (one["corpus"].get<bool>())
      for (const Json& text : g["corpus"]) passage(text.get<Index>());
    Index most = 0;
    for (const Json& pair : g["pairs"]) {
      const Index anchor = pair[0].get<Index>();
      if (anchors.empty() || anchors.back() != anchor) anchors.push_back(anchor), positives.emplace_back();
      positives.back().push_back(passage(pair[1].get<Index>()));
      most = std::max<Index>(most, positives.back().size());
    }
    const Matrix x = rows_of(anchors), y = rows_of(passages);
    const MineOptions o = options_of(one["options"]);
    const Mined found = mine_negatives(Rows(x), Rows(y), positives, nobody(anchors.size()), most, o, {}, {});
    Json rows = Json::array();
    for (Index a = 0; a < anchors.size(); ++a) {
      const MinedAnchor& mined = found.anchors[a];
      if (one["format"] == "labeled-pair") {
        for (const auto& p : mined.positives) rows.push_back({anchors[a], passages[p.passage], 1});
        for (const auto& n : mined.negatives) rows.push_back({anchors[a], passages[n.passage], 0});
        continue;
      }
      for (const auto& p : mined.positives) {
        if (one["format"] == "triplet") {
          for (const auto& n : mined.negatives)
            rows.push_back({anchors[a], passages[p.passage], passages[n.passage]});
        } else if (mined.negatives.size() == o.num_negatives) {
          Json row{anchors[a], passages[p.passage]};
          for (const auto& n : mined.negatives) row.push_back(passages[n.passage]);
          rows.push_back(row);
        }
      }
    }
    EXPECT_EQ(rows, one["rows"]) << one["options"] << one["format"] << one["corpus"];
    compared += rows.size();
  }
  EXPECT_GT(compared, 2000u);
}

TEST(MineNegatives, EqualPlainLoops) {
  const Matrix a = scattered(60, 10, 6, 1, 1.5f), p = scattered(150, 10, 6, 2, 1.5f);
  Positives positives;
  auto never = nobody(a.rows());
  const Random random({5});
  for (Index i = 0; i < a.rows(); ++i) {
    positives.push_back({random.below(2 * i, 150)});
    if (const Index more = random.below(2 * i + 1, 150); i % 3 == 0 && more != positives[i][0])
      positives[i].push_back(more);
    if (i % 4 == 0) never[i] = (positives[i][0] + 7) % 150;
  }
  MineOptions o;
  o.relative_margin = 0.1, o.min_score = -0.2, o.range_min = 2, o.num_negatives = 5;
  o.range_max = 150;  // looks at all
  shoal::Run one, three;
  one.threads = 1, three.threads = 3;
  const Mined found = mine_negatives(Rows(a), Rows(p), positives, never, 2, o, {}, one);
  for (Index i = 0; i < a.rows(); ++i) {
    std::vector<std::pair<double, Index>> all;
    double least = 2;
    for (Index j = 0; j < 150; ++j) {
      const double s = pair_similarities(a.view().slice(i, 1), p.view().slice(j, 1), Similarity::cosine)[0];
      if (std::ranges::find(positives[i], j) != positives[i].end())
        least = std::min(least, s);
      else if (never[i] != j)
        all.emplace_back(-s, j);
    }
    std::ranges::sort(all);
    std::vector<Index> expected;
    for (const auto& [s, j] : all)
      if (-s <= least - std::abs(least) * 0.1 && -s >= -0.2) expected.push_back(j);
    expected.erase(expected.begin(), expected.begin() + std::min<std::ptrdiff_t>(2, std::ssize(expected)));
    if (expected.size() > 5) expected.resize(5);
    std::vector<Index> mine;
    for (const auto& n : found.anchors[i].negatives) mine.push_back(n.passage);
    EXPECT_EQ(mine, expected) << i;
  }
  o.sampling_strategy = NegativeSampling::random;
  const Mined drawn = mine_negatives(Rows(a), Rows(p), positives, never, 2, o, {}, one),
              again = mine_negatives(Rows(a), Rows(p), positives, never, 2, o, {}, three);
  Index other = 0;
  for (Index i = 0; i < a.rows(); ++i) {
    ASSERT_EQ(drawn.anchors[i].negatives.size(), found.anchors[i].negatives.size());
    std::set<Index> different;
    for (Index j = 0; j < drawn.anchors[i].negatives.size(); ++j) {
      different.insert(drawn.anchors[i].negatives[j].passage);
      EXPECT_EQ(drawn.anchors[i].negatives[j].passage, again.anchors[i].negatives[j].passage);
      other += drawn.anchors[i].negatives[j].passage != found.anchors[i].negatives[j].passage;
    }
    EXPECT_EQ(different.size(), drawn.anchors[i].negatives.size());
  }
  EXPECT_GT(other, 50u);
}

TEST(MineNegatives, CountsWhatIsAboveThePositive) {
  const Matrix a = from({{1, 0}}), p = from({{0.8f, 0.6f}, {1, 0}, {0.9f, 0.1f}, {0, 1}});
  MineOptions o;
  o.num_negatives = 2;
  const Mined found = mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, {}, {});
  EXPECT_EQ(found.nearer, 2u);
  EXPECT_EQ(found.nearer_taken, 2u);
  EXPECT_EQ(found.anchors[0].nearer->passage, 1u);
  o.absolute_margin = 0;
  const Mined kept = mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, {}, {});
  EXPECT_EQ(kept.by_absolute_margin, 2u);
  EXPECT_EQ(kept.nearer_taken, 0u);
  ASSERT_EQ(kept.anchors[0].negatives.size(), 1u);
  EXPECT_EQ(kept.anchors[0].negatives[0].passage, 3u);
}

TEST(MineNegatives, AJudgeDecides) {
  const Matrix a = from({{1, 0}}), p = from({{0.8f, 0.6f}, {1, 0}, {0.9f, 0.1f}, {0, 1}});
  MineOptions o;
  o.num_negatives = 2, o.absolute_margin = 0.1;
  // To the judge, passage 1 is right and the last one nearly so.
  const JudgeAnchors judge = [](const std::vector<Index>&, const std::vector<Index>& passages) {
    std::vector<float> out;
    for (const Index passage : passages) out.push_back(std::array{0.9f, 0.95f, 0.1f, 0.5f}[passage]);
    return out;
  };
  const Mined found = mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, judge, {});
  ASSERT_EQ(found.anchors[0].negatives.size(), 2u);
  EXPECT_EQ(found.anchors[0].negatives[0].passage, 3u);
  EXPECT_EQ(found.anchors[0].negatives[1].passage, 2u);
  EXPECT_EQ(found.by_absolute_margin, 1u);
  const JudgeAnchors broken = [](const auto&, const auto&) { return std::vector<float>{1}; };
  EXPECT_EQ(error_of([&] { mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, broken, {}); }).fault,
            Fault::argument);
}

TEST(MineNegatives, RefusesRanksWithoutRoom) {
  const Matrix a = from({{1, 0}}), p = from({{1, 0}, {0, 1}});
  MineOptions o;
  o.range_min = 5, o.range_max = 5;
  EXPECT_NE(
      std::string(error_of([&] { mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, {}, {}); }).what())
          .find("range_min is 5"),
      std::string::npos);
  o.range_min = 3;
  EXPECT_NE(
      std::string(error_of([&] { mine_negatives(Rows(a), Rows(p), {{0}}, nobody(1), 1, o, {}, {}); }).what())
          .find("there are 2 ranks"),
      std::string::npos);
}

}  // namespace
}  // namespace shoal
