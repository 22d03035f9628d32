#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "shoal/adapt/personalise.h"
#include "shoal/adapt/space_map.h"
#include "shoal/linear/norms.h"
#include "shoal/measure/classification.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/matrices.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

constexpr Index kTopics = 12;

/// Texts around 12 topics, unit rows; text i is of topic i % 12.
Matrix texts_of(Index n, std::uint64_t seed) {
  Matrix x = scattered(n, 32, kTopics, 7, 0);
  const Matrix noise = scattered(n, 32, 1, seed, 1);
  const Matrix center = scattered(1, 32, 1, seed, 0);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < 32; ++j) x[i][j] += 0.6f * (noise[i][j] - center[0][j]);
  unit_rows(x.span());
  return x;
}

/// Topics 0 and 1 belong together, 2 and 3, ...
bool together(Index a, Index b) { return a % kTopics / 2 == b % kTopics / 2; }

/// Half of them accepted; by_chance: answers have nothing to do with the texts.
std::vector<JudgedPair> judge(Index n, Index rows, bool by_chance = false, std::uint64_t seed = 5) {
  const Random random({seed});
  std::vector<JudgedPair> out;
  for (Index i = 0; out.size() < n; ++i) {
    const Index a = random.below(2 * i, rows), b = random.below(2 * i + 1, rows);
    const bool accepted = by_chance ? random.uniform(1000000 + i) < 0.5 : together(a, b);
    if (a != b && accepted == (out.size() % 2 == 0)) out.push_back({a, b, accepted});
  }
  return out;
}

ProfileOptions small() { return {.n_centroids = 24, .rank = 16}; }

TEST(Feedback, ContradictionsAreCountedAndSettled) {
  FeedbackConflicts conflicts;
  const auto out = settle_pairs({{1, 0, true},
                                 {0, 1, true},
                                 {0, 1, false},
                                 {2, 3, true},
                                 {3, 2, false},
                                 {4, 4, true},
                                 {1, 5, true},
                                 {0, 5, false}},
                                6, conflicts);
  EXPECT_EQ(out, (std::vector<JudgedPair>{{0, 1, true}, {0, 5, false}, {1, 5, true}}));
  EXPECT_EQ(conflicts.outvoted, 1U);
  EXPECT_EQ(conflicts.repeated, 1U);
  EXPECT_EQ(conflicts.undecided, 1U);
  EXPECT_EQ(conflicts.with_self, 1U);
  EXPECT_EQ(conflicts.by_chain, 1U);  // 0 - 1 - 5 is accepted, 0 - 5 is not
  ASSERT_TRUE(conflicts.example);
  EXPECT_EQ(conflicts.example->a, 0U);
  EXPECT_EQ(error_of([&] { settle_pairs({{0, 6, true}}, 6, conflicts); }).fault, Fault::data);
}

TEST(Gate, OpensNearTheFeedbackAndNarrowlyLater) {
  const Matrix x = texts_of(240, 1), fresh = texts_of(480, 9);
  Matrix about(120, 32), others(120, 32);  // topics 0..5, 6..11
  for (Index i = 0, a = 0, b = 0; i < 240; ++i)
    std::ranges::copy(x[i], (i % kTopics < 6 ? about[a++] : others[b++]).begin());
  const ClusterPreferences places(texts_of(kTopics, 1));
  const Matrix of_about = places.memberships(about.view()), of_others = places.memberships(others.view()),
               of_fresh = places.memberships(fresh.view());
  const auto gate =
      FeedbackGate::fit({about.view(), of_about.view()}, {others.view(), of_others.view()}, {1}, {});
  double near = 0, far = 0;
  for (Index i = 0; i < 480; ++i) {
    const float nearness = gate.nearness(fresh[i], of_fresh[i]);
    EXPECT_LE(gate.narrow(nearness), gate.wide(nearness));
    (i % kTopics < 6 ? near : far) += gate.wide(nearness) / 240;
  }
  EXPECT_GT(near, 0.75);
  EXPECT_LT(far, 0.02);
}

// The closed form of a text left out against a rule that is learnt without it.
TEST(Gate, ThresholdsAreThoseOfRulesLearntWithout) {
  const Index n = 40;
  const Matrix x = texts_of(120, 3);
  const ClusterPreferences places(texts_of(kTopics, 1));
  const auto part = [&](Index first, Index count) {
    Matrix out(count, 32);
    for (Index i = 0; i < count; ++i) std::ranges::copy(x[first + i], out[i].begin());
    return out;
  };
  const auto fit = [&](const Matrix& about, const Matrix& others) {
    const Matrix of_about = places.memberships(about.view()), of_others = places.memberships(others.view());
    return FeedbackGate::fit({about.view(), of_about.view()}, {others.view(), of_others.view()}, {1}, {});
  };
  const Matrix about = part(0, n), others = part(n, 80);
  const auto whole = fit(about, others);
  std::vector<double> inside;
  for (Index left = 0; left < n; ++left) {
    Matrix rest(n - 1, 32);
    for (Index i = 0, to = 0; i < n; ++i)
      if (i != left) std::ranges::copy(about[i], rest[to++].begin());
    const Matrix one = part(left, 1), of_one = places.memberships(one.view());
    inside.push_back(fit(rest, others).nearness(one[0], of_one[0]));
  }
  std::ranges::sort(inside);
  // The narrow gate is half open at the middle one; penalty and weights of n - 1 texts differ a little.
  EXPECT_NEAR(whole.narrow(static_cast<float>(inside[19])), 0.5, 0.12);
}

TEST(Preferences, FollowAcceptedAndRejectedPairs) {
  const Matrix x = texts_of(240, 1);
  Matrix centers = texts_of(kTopics, 1);
  ClusterPreferences preferences(centers);
  EXPECT_EQ(preferences.table()[0][1], 0);
  preferences.learn(x.view(), judge(2000, 240));
  EXPECT_GT(preferences.table()[0][1], 0.4);
  EXPECT_LT(preferences.table()[1][2], -0.4);
  for (Index c = 0; c < kTopics; ++c)
    for (Index d = 0; d < kTopics; ++d) {
      EXPECT_EQ(preferences.table()[c][d], preferences.table()[d][c]);
      EXPECT_LE(std::abs(preferences.table()[c][d]), 1);
    }
}

TEST(Maps, OfFullRankChangeNothing) {
  const Matrix w = scattered(20, 20, 20, 3);
  const LowRank parts = low_rank(w, 20);
  for (Index i = 0; i < 20; ++i)
    for (Index j = 0; j < 20; ++j) {
      double sum = 0;
      for (Index r = 0; r < 20; ++r) sum += parts.left[i][r] * parts.right[r][j];
      EXPECT_NEAR(sum, w[i][j], 1e-4);
    }
}

TEST(Maps, OfLabelsSolveTheNormalEquations) {
  const Matrix x = texts_of(60, 2);
  Labels labels{std::vector<Label>(60), 3};
  for (Index i = 0; i < 60; ++i) labels.of[i] = static_cast<Label>(i % 3);
  const Matrix b = label_map(x.view(), labels, 1);
  for (Index c = 0; c < 3; ++c)
    for (Index j = 0; j < 32; ++j) {
      double slope = b[c][j];
      for (Index i = 0; i < 60; ++i) {
        double said = 0;
        for (Index t = 0; t < 32; ++t) said += x[i][t] * b[c][t];
        slope += x[i][j] * (said - ((i % 3 == c ? 1.0 : 0.0) - 1.0 / 3));
      }
      EXPECT_NEAR(slope, 0, 1e-4);
    }
}

TEST(Maps, OfPairsDrawAcceptedOnesTogetherTheSameWithAnyThreads) {
  const Matrix x = texts_of(240, 1);
  const auto pairs = judge(600, 240);
  const Matrix w = learn_pair_map(x.view(), pairs, PairLoss::cosine, {3}, {});
  EXPECT_EQ(w, learn_pair_map(x.view(), pairs, PairLoss::cosine, {3},
                              {.threads = 1, .stop = {}, .progress = {}, .pool = {}}));
  std::vector<double> before, after;
  std::vector<bool> accepted;
  Matrix moved(240, 32);
  for (Index i = 0; i < 240; ++i)
    for (Index o = 0; o < 32; ++o) {
      moved[i][o] = x[i][o];
      for (Index j = 0; j < 32; ++j) moved[i][o] += w[o][j] * x[i][j];
    }
  unit_rows(moved.span());
  for (const JudgedPair& p : pairs) {
    double a = 0, b = 0;
    for (Index j = 0; j < 32; ++j) a += x[p.a][j] * x[p.b][j], b += moved[p.a][j] * moved[p.b][j];
    before.push_back(a);
    after.push_back(b);
    accepted.push_back(p.accepted);
  }
  EXPECT_GT(area_under_roc(after, accepted), area_under_roc(before, accepted) + 0.05);
  EXPECT_EQ(error_of([&] {
              learn_pair_map(x.view(), {{0, 1, true}}, PairLoss::cosine, {3}, {});
            }).fault,
            Fault::data);
}

TEST(Profile, PutsTheTopFirstAndThenTheOrder) {
  const std::vector<float> order{5, 4, 3, 2, 1}, top{0, 1, 0, 9, 0};
  EXPECT_EQ(personal_order(order, top, 2, 5), (std::vector<Index>{3, 1, 0, 2, 4}));
  EXPECT_EQ(personal_order(order, top, 2, 1), (std::vector<Index>{3}));
}

struct Fitted {
  Matrix corpus = texts_of(480, 1), texts = texts_of(240, 2);
  CorpusClusters clusters = CorpusClusters::of(Rows(corpus), small());
  PersonaliseReport report;
  Profile by(const std::vector<JudgedPair>& pairs) {
    return personalise(clusters, Rows(corpus), Rows(texts), pairs, small(), report);
  }
};

/// Scores of all rows for a query.
std::vector<float> scores(const Profile& profile, const Matrix& corpus, std::span<const float> q, bool top) {
  std::vector<float> order(corpus.rows()), first(corpus.rows());
  profile.add(profile.ask(q), profile.prepare(corpus.view()), order, first);
  return top ? first : order;
}

TEST(Personalise, TrustsFeedbackThatHoldsAndIsSavedWhole) {
  Fitted f;
  const Profile profile = f.by(judge(800, 240));
  EXPECT_NE(f.report.trust, Trust::none);
  EXPECT_GT(f.report.order.gain, 2 * f.report.order.error);
  EXPECT_EQ(f.report.accepted + f.report.rejected, 800 - f.report.conflicts.repeated);
  EXPECT_FALSE(profile.identity());
  // A text of topic 0 is drawn to topic 1, and not to topic 2.
  const auto added = scores(profile, f.corpus, f.corpus[0], false);
  EXPECT_GT(added[1], added[2] + 0.2f);

  const ScratchFolder folder;
  const auto file = folder.path() / "p.safetensors";
  ArchiveWriter out(Profile::kind);
  profile.save(out);
  out.write(file);
  EXPECT_LT(std::filesystem::file_size(file), 60000U);
  const Profile again = Profile::load(ArchiveReader(file));
  EXPECT_EQ(scores(again, f.corpus, f.corpus[0], false), added);
  EXPECT_EQ(scores(again, f.corpus, f.corpus[0], true), scores(profile, f.corpus, f.corpus[0], true));

  const Rows bent = profile.applied(Rows(f.corpus));
  EXPECT_EQ(bent.cols(), profile.out_dims());
  const Matrix rows = bent.to_matrix();
  double length = 0;
  for (const float v : rows[3]) length += v * v;
  EXPECT_NEAR(length, 1, 1e-5);
  const Matrix other(3, 31);
  EXPECT_EQ(error_of([&] { profile.applied(Rows(other)); }).fault, Fault::data);
}

TEST(Personalise, SameBitsWithAnyThreads) {
  Fitted f;
  const auto pairs = judge(200, 240);
  const Profile one = personalise(f.clusters, Rows(f.corpus), Rows(f.texts), pairs, small(), f.report,
                                  {.threads = 1, .stop = {}, .progress = {}, .pool = {}});
  const double gain = f.report.order.gain;
  const Profile many = personalise(f.clusters, Rows(f.corpus), Rows(f.texts), pairs, small(), f.report,
                                   {.threads = 4, .stop = {}, .progress = {}, .pool = {}});
  EXPECT_EQ(f.report.order.gain, gain);
  EXPECT_EQ(scores(one, f.corpus, f.corpus[5], false), scores(many, f.corpus, f.corpus[5], false));
}

// One bootstrap error is passed by chance in 16 of 100 draws.
TEST(Personalise, SeldomTrustsAnswersByChance) {
  Fitted f;
  int trusted = 0, top = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    f.by(judge(300, 240, true, seed));
    trusted += f.report.trust != Trust::none;
    top += f.report.trust == Trust::top;
  }
  EXPECT_LE(trusted, 10);
  EXPECT_LE(top, 4);
}

TEST(Personalise, OfTooLittleChangesNothing) {
  Fitted f;
  EXPECT_TRUE(f.by(judge(6, 240)).identity());
  EXPECT_FALSE(f.report.reason.empty());
  EXPECT_EQ(error_of([&] { f.by({{0, 1, true}, {2, 3, true}}); }).fault, Fault::data);
}

TEST(Personalise, LearnsFolders) {
  Fitted f;
  Labels folders{std::vector<Label>(240), kTopics / 2};
  for (Index i = 0; i < 240; ++i) folders.of[i] = static_cast<Label>(i % kTopics / 2);
  const Profile profile = personalise(f.clusters, Rows(f.corpus), Rows(f.texts), folders, small(), f.report);
  EXPECT_TRUE(f.report.of_labels);
  EXPECT_NE(f.report.trust, Trust::none);
  EXPECT_GT(f.report.order.gain, 0.05);
  folders.of.assign(240, 0);
  EXPECT_EQ(error_of([&] {
              personalise(f.clusters, Rows(f.corpus), Rows(f.texts), folders, small(), f.report);
            }).fault,
            Fault::data);
}

TEST(LearningCurve, TellsSeenAndUnseenApart) {
  Fitted f;
  const auto curve = learning_curve(f.clusters, Rows(f.texts), judge(800, 240), small());
  ASSERT_EQ(curve.size(), 16U);  // 4 amounts of 4 ways
  EXPECT_LT(curve.front().pairs, curve.back().pairs);
  for (const CurvePoint& point : curve) {
    EXPECT_GE(point.seen, 0.3);
    EXPECT_LE(point.unseen, 1);
  }
  EXPECT_TRUE(learning_curve(f.clusters, Rows(f.texts), judge(20, 240), small()).empty());
}

TEST(SpaceMap, FindsARotation) {
  const Matrix old = texts_of(400, 1);
  Matrix fresh(400, 32);  // coordinates in another order, one turned round
  for (Index i = 0; i < 400; ++i)
    for (Index j = 0; j < 32; ++j) fresh[i][(j + 5) % 32] = (j == 3 ? -1.0f : 1.0f) * old[i][j];
  SpaceMapReport report;
  const SpaceMap map = SpaceMap::fit(Rows(fresh), Rows(old), {.map = SpaceMapKind::procrustes}, report);
  EXPECT_GT(report.stated.recall, 0.99);
  const Matrix back = map.applied(Rows(fresh)).to_matrix();
  for (Index j = 0; j < 32; ++j) EXPECT_NEAR(back[7][j], old[7][j], 2e-3);
}

TEST(SpaceMap, ChoosesByRowsHeldOutAndIsSavedWhole) {
  const Matrix old = texts_of(300, 1);
  Matrix fresh(300, 20);  // bent, and of other dimensions
  for (Index i = 0; i < 300; ++i)
    for (Index j = 0; j < 20; ++j)
      fresh[i][j] = old[i][j] + 0.5f * old[i][j + 12] + 0.3f * old[i][j] * old[i][j];
  SpaceMapReport report;
  const SpaceMap map = SpaceMap::fit(Rows(fresh), Rows(old), {.hidden = 16, .n_epochs = 5}, report);
  ASSERT_EQ(report.choices.size(), 3U);
  double most = 0, chosen = 0;
  for (const MapRecall& choice : report.choices) {
    most = std::max(most, choice.recall);
    if (choice.map == map.map()) chosen = choice.recall;
  }
  EXPECT_EQ(chosen, most);
  EXPECT_EQ(report.learnt_from + report.chosen_on + report.stated_on, 300U);
  SpaceMapReport ignored;
  const SpaceMap residual = SpaceMap::fit(
      Rows(fresh), Rows(old), {.map = SpaceMapKind::residual, .hidden = 16, .n_epochs = 5}, ignored);
  const ScratchFolder folder;
  ArchiveWriter out(SpaceMap::kind);
  residual.save(out);
  out.write(folder.path() / "m.safetensors");
  const SpaceMap again = SpaceMap::load(ArchiveReader(folder.path() / "m.safetensors"));
  EXPECT_EQ(again.applied(Rows(fresh)).to_matrix(), residual.applied(Rows(fresh)).to_matrix());
  EXPECT_EQ(error_of([&] { residual.applied(Rows(old)); }).fault, Fault::data);
  const Matrix few = texts_of(20, 1);
  EXPECT_EQ(error_of([&] { SpaceMap::fit(Rows(few), Rows(few), {}, ignored); }).fault, Fault::data);
}

}  // namespace
}  // namespace shoal
