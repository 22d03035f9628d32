#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "shoal/kernels/kernels.h"
#include "shoal/words/choose_heads.h"
#include "shoal/words/closed_form.h"
#include "shoal/words/contexts.h"
#include "shoal/words/move.h"
#include "shoal/words/read_out.h"
#include "shoal/words/start.h"
#include "tests/error_of.h"
#include "tests/matrices.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

std::uint16_t half(float x) {
  std::uint16_t out = 0;
  kernels().f32_to_f16(&x, &out, 1);
  return out;
}

Texts numbered(Index n) {
  Texts out;
  for (Index i = 0; i < n; ++i) out.add("word" + std::to_string(i));
  return out;
}

/// A store in memory: heads 0.0 and 0.1, layers 0 and 1.
struct Store {
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> members;
  std::vector<std::uint16_t> from, to, pairs;
  AttentionRows rows;

  template <class From, class To, class Pair>
  void add(const std::vector<std::uint32_t>& words, const From& head_from, const To& head_to,
           const Pair& pair) {
    if (rows.pair_offsets.empty()) rows.pair_offsets.push_back(0);
    for (Index j = 0; j < words.size(); ++j)
      for (Index c = 0; c < 2; ++c) {
        from.push_back(j == 0 ? 0 : half(head_from(j, c)));
        to.push_back(j == 0 ? 0 : half(head_to(j, c)));
      }
    for (Index i = 0; i < words.size(); ++i)
      for (Index j = 0; j < words.size(); ++j)
        for (Index c = 0; c < 2; ++c) pairs.push_back(i == j ? 0 : half(pair(i, j, c)));
    members.insert(members.end(), words.begin(), words.end());
    offsets.push_back(members.size());
    rows.pair_offsets.push_back(pairs.size());
  }
  const AttentionRows& done(Index vocabulary) {
    rows.words = numbered(vocabulary);
    rows.frequency.assign(vocabulary, 0);
    for (const auto w : members) ++rows.frequency[w];
    rows.offsets = offsets;
    rows.members = members;
    rows.head_from = from;
    rows.head_to = to;
    rows.pairs = pairs;
    rows.head_channels = {{0, 0}, {0, 1}};
    rows.pair_channels = {{0, -1}, {1, -1}};
    return rows;
  }
};

/// Descriptions of 2 to 7 words out of 60, with random attention.
Store random_store(Index descriptions, std::uint64_t seed) {
  Store out;
  const Random random({seed});
  std::uint64_t at = 0;
  const auto any = [&](auto...) { return static_cast<float>(random.uniform(at++)); };
  for (Index d = 0; d < descriptions; ++d) {
    std::vector<std::uint32_t> words;
    const Index n = 2 + random.below(at++, 6);
    while (words.size() < n) {
      const auto w = static_cast<std::uint32_t>(random.below(at++, 60));
      if (std::ranges::find(words, w) == words.end()) words.push_back(w);
    }
    out.add(words, any, any, any);
  }
  out.done(60);
  return out;
}

ContextOptions small(ContextOptions o = {}) {
  o.heads = "0.1";
  o.layers = "1.mean";
  return o;
}

TEST(WordContexts, AreTheAttentionOfTheHeadsDividedByItsMean) {
  Store store;
  // Head 0.1: from the described word .1 and .3, to it .2 and .4; the means are .2 and .3.
  store.add(
      {0, 1, 2}, [](Index j, Index c) { return c == 0   ? 9.0f
                                               : j == 1 ? 0.125f
                                                        : 0.375f; },
      [](Index j, Index c) { return c == 0   ? 9.0f
                                    : j == 1 ? 0.25f
                                             : 0.5f; },
      [](Index i, Index j, Index c) { return c == 0 ? 9.0f : static_cast<float>(i + 2 * j) / 8; });
  const WordContexts found = contexts_of(store.done(3), small({.floor = 0, .others = 0.5}), {});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found.target, (std::vector<std::uint32_t>{0, 1, 2}));
  // Described: .125/.25 + .25/.375 against .375/.25 + .5/.375.
  const double weak = 0.5 + 0.25 / 0.375, strong = 1.5 + 0.5 / 0.375;
  EXPECT_EQ(found.words_of(0)[0], 2u);
  EXPECT_NEAR(static_cast<double>(found.weights_of(0)[0]), strong / (strong + weak), 1e-6);
  EXPECT_NEAR(static_cast<double>(found.weights_of(0)[1]), weak / (strong + weak), 1e-6);
  // Word 1 gives 1/8 to word 0 and 5/8 to word 2.
  EXPECT_EQ(found.words_of(1)[0], 2u);
  EXPECT_NEAR(static_cast<double>(found.weights_of(1)[0]), 0.5 * 5 / 6, 1e-6);
  EXPECT_NEAR(static_cast<double>(found.weights_of(1)[1]), 0.5 * 1 / 6, 1e-6);
}

TEST(WordContexts, OnlyTheStrongestAreKeptAndSumsAreOfAll) {
  Store store;
  store.add(
      {0, 1, 2, 3}, [](Index j, Index) { return static_cast<float>(j); },
      [](Index j, Index) { return static_cast<float>(j); }, [](auto...) { return 1.0f; });
  const auto& rows = store.done(4);
  const WordContexts found =
      contexts_of(rows, small({.targets = TargetWords::head, .floor = 0, .most = 2}), {});
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found.words_of(0).size(), 2u);
  EXPECT_EQ(found.words_of(0)[0], 3u);
  EXPECT_NEAR(static_cast<double>(found.weights_of(0)[0]), 0.5, 1e-6);
  const WordContexts counts =
      contexts_of(rows, {.weights = ContextWeights::counts, .targets = TargetWords::all, .most = 2}, {});
  EXPECT_EQ(counts.words_of(0).size(), 3u);
  EXPECT_EQ(counts.weights_of(0)[0], 1.0f);
  EXPECT_EQ(counts.weights_of(1)[0], 0.3f);
  const WordContexts uniform = contexts_of(rows, {.weights = ContextWeights::uniform}, {});
  EXPECT_EQ(uniform.weights_of(0)[0], 1.0f / 3);
}

TEST(WordContexts, KeepOfAnotherVocabularyWhatIsInItWithItsWeights) {
  WordContexts contexts;
  contexts.words = 4;
  contexts.target = {0, 1, 2, 3};
  contexts.described = {0, 0, 1, 1};
  contexts.starts = {0, 2, 3, 5, 6};
  contexts.context = {1, 2, 0, 0, 3, 1};
  contexts.weight = {0.75f, 0.25f, 1.0f, 0.5f, 0.25f, 1.0f};
  Texts from, to;
  for (const char* word : {"cat", "dog", "hunt", "wolf"}) from.add(word);
  for (const char* word : {"other", "wolf", "dog", "cat"}) to.add(word);
  const WordContexts found = in_vocabulary(contexts, from, to);
  // "hunt" is gone: as a target with all it had, as a context of "cat".
  EXPECT_EQ(found.words, 4u);
  EXPECT_EQ(found.target, (std::vector<std::uint32_t>{3, 2, 1}));
  EXPECT_EQ(found.described, (std::vector<std::uint32_t>{0, 0, 1}));
  EXPECT_EQ(found.starts, (std::vector<std::uint64_t>{0, 1, 2, 3}));
  EXPECT_EQ(found.context, (std::vector<std::uint32_t>{2, 3, 2}));
  EXPECT_EQ(found.weight, (std::vector<float>{0.75f, 1.0f, 1.0f}));
  Texts none;
  none.add("unicorn");
  EXPECT_EQ(in_vocabulary(contexts, from, none).size(), 0u);
  EXPECT_EQ(error_of([&] { in_vocabulary(contexts, none, to); }).fault, Fault::argument);
}

TEST(WordContexts, AHeadThatTheStoreDoesNotHaveIsRefusedWithThoseThatItHas) {
  const Store store = random_store(5, 1);
  expect_error(Fault::argument, "heads is 1.9; allowed are",
               [&] { contexts_of(store.rows, {.heads = "1.9", .layers = "1.mean"}, {}); });
  expect_error(Fault::argument, "layers is 7.mean; allowed are",
               [&] { contexts_of(store.rows, {.heads = "0.1", .layers = "7.mean"}, {}); });
  expect_error(Fault::argument, "heads is best; allowed are",
               [&] { contexts_of(store.rows, {.heads = "best"}, {}); });
}

TEST(WordContexts, AreTheSameForAnyNumberOfThreads) {
  const Store store = random_store(3000, 2);
  const WordContexts a = contexts_of(store.rows, small(), {.threads = 1}),
                     b = contexts_of(store.rows, small(), {.threads = 3});
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.starts, b.starts);
}

double cosine(const Matrix& m, Index a, Index b) {
  return static_cast<double>(kernels().dot(m[a].data(), m[b].data(), m.cols()));
}

TEST(WordStarts, ASimplexHasAllWordsAtTheSameDistance) {
  for (const Index n : {Index{1}, Index{2}, Index{7}, Index{40}}) {
    const Matrix found = start_words(numbered(n), 48, WordStart::spread, {1}, {});
    for (Index a = 0; a < n; ++a)
      for (Index b = 0; b < n; ++b)
        EXPECT_NEAR(cosine(found, a, b), a == b ? 1 : -1 / static_cast<double>(n - 1), 1e-5);
  }
  expect_error(Fault::argument, "needs 49 dimensions for 50 words; dims is 48",
               [] { start_words(numbered(50), 48, WordStart::simplex, {1}, {}); });
}

TEST(WordStarts, AFrameReachesTheLeastMeanSquaredCosine) {
  constexpr Index kWords = 400, kDims = 20;
  const auto squares = [](const Matrix& m) {
    double sum = 0;
    for (Index a = 0; a < m.rows(); ++a)
      for (Index b = 0; b < a; ++b) sum += cosine(m, a, b) * cosine(m, a, b);
    return 2 * sum / static_cast<double>(m.rows() * (m.rows() - 1));
  };
  constexpr double kWelch = static_cast<double>(kWords - kDims) / (kDims * (kWords - 1));
  const Matrix any = start_words(numbered(kWords), kDims, WordStart::random, {1}, {});
  const Matrix frame = start_words(numbered(kWords), kDims, WordStart::spread, {1}, {});
  EXPECT_GT(squares(any), 1.02 * kWelch);
  EXPECT_NEAR(squares(frame), kWelch, 1e-3 * kWelch);
  EXPECT_TRUE(frame == start_words(numbered(kWords), kDims, WordStart::frame, {1}, {.threads = 3}));
}

TEST(WordStarts, ARandomStartIsAFunctionOfSeedAndWord) {
  Texts two, one;
  two.add("apple");
  two.add("pear");
  one.add("pear");
  const Matrix a = start_words(two, 8, WordStart::random, {1}, {}),
               b = start_words(one, 8, WordStart::random, {1}, {}),
               c = start_words(one, 8, WordStart::random, {2}, {});
  EXPECT_TRUE(std::ranges::equal(a[1], b[0]));
  EXPECT_FALSE(std::ranges::equal(b[0], c[0]));
}

TEST(WordClosedForm, IsThePositiveMutualInformationOfSymmetricSums) {
  WordContexts contexts;
  contexts.words = 4;
  contexts.target = {0, 1, 0};
  contexts.described = {0, 0, 1};
  contexts.context = {1, 2, 2, 0, 3};
  contexts.weight = {0.75f, 0.25f, 0.5f, 0.5f, 1};
  contexts.starts = {0, 2, 4, 5};
  // Sums: 01: .75 + .5, 02: .25, 12: .5, 03: 1.
  const SparseRows found = positive_information(contexts, 0);
  const double total[] = {2.5, 1.75, 0.75, 1}, all = 6;
  std::map<std::pair<Index, Index>, double> sums{{{0, 1}, 1.25}, {{0, 2}, 0.25}, {{1, 2}, 0.5}, {{0, 3}, 1}};
  Index entries = 0;
  for (Index i = 0; i < 4; ++i)
    for (Index e = found.starts[i]; e < found.starts[i + 1]; ++e, ++entries) {
      const Index j = found.columns[e];
      const double sum = sums.at({std::min<Index>(i, j), std::max<Index>(i, j)});
      EXPECT_NEAR(static_cast<double>(found.values[e]), std::log(sum * all / (total[i] * total[j])), 1e-6);
    }
  EXPECT_EQ(entries, 6u);  // 02 is below 0
  EXPECT_EQ(positive_information(contexts, 10).values.size(), 0u);
}

TEST(WordClosedForm, WordsOfOneTopicLieTogetherAndAWordWithoutContextsIsZero) {
  Store store;
  const Random random({3});
  std::uint64_t at = 0;
  for (Index d = 0; d < 400; ++d) {  // words below 30 with each other, others with each other
    std::vector<std::uint32_t> words;
    while (words.size() < 4) {
      const auto w = static_cast<std::uint32_t>(d % 2 * 30 + random.below(at++, 30));
      if (std::ranges::find(words, w) == words.end()) words.push_back(w);
    }
    store.add(
        words, [](auto...) { return 1.0f; }, [](auto...) { return 1.0f; }, [](auto...) { return 1.0f; });
  }
  const WordContexts contexts = contexts_of(store.done(61), small(), {});
  const Matrix found = closed_form(contexts, {.svd_dims = 8}, {1}, {});
  EXPECT_EQ(found.rows(), 61u);
  double within = 0, across = 0;
  for (Index a = 0; a < 30; ++a)
    for (Index b = 0; b < a; ++b) within += cosine(found, a, b), across += cosine(found, a, b + 30);
  EXPECT_GT(within, across + 100);
  EXPECT_EQ(cosine(found, 60, 60), 0);
  EXPECT_TRUE(found == closed_form(contexts, {.svd_dims = 8}, {1}, {.threads = 3}));
  expect_error(Fault::data, "no word has a context",
               [] { closed_form(WordContexts{.words = 3}, {.svd_dims = 8}, {1}, {}); });
}

// ---- moving words

/// One target, word 0, with contexts 1 and 2; only word 3 can be drawn against it.
struct OneTarget {
  WordContexts contexts;
  Texts words = numbered(4);
  std::vector<std::uint64_t> frequency{0, 0, 0, 1};

  OneTarget() {
    contexts.words = 4;
    contexts.target = {0};
    contexts.described = {0};
    contexts.context = {1, 2};
    contexts.weight = {0.7f, 0.3f};
    contexts.starts = {0, 2};
  }
};

using Vectors = std::vector<std::vector<double>>;

std::vector<double> unit(std::vector<double> x) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  for (double& v : x) v /= std::sqrt(squares);
  return x;
}
double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The loss as move.h says it, in double.
double loss_of(const Vectors& v, const MoveOptions& o, double gate) {
  std::vector<double> sum(v[0].size());
  for (Index i = 0; i < sum.size(); ++i)
    sum[i] = static_cast<double>(0.7f) * v[1][i] + static_cast<double>(0.3f) * v[2][i];
  const auto c = unit(sum);
  std::vector<double> u = v[0];
  if (o.gate != WordGate::none)
    for (Index i = 0; i < u.size(); ++i) u[i] = (1 - gate) * u[i] + gate * c[i];
  u = unit(u);
  const auto n = static_cast<double>(o.negatives);
  if (o.loss == WordLoss::hinge) return -dot(u, c) + n * std::max(0.0, dot(u, v[3]) - o.margin);
  const double t = o.temperature, near = std::exp(dot(u, c) / t), far = std::exp(dot(u, v[3]) / t);
  return -t * std::log(near / (near + n * far));
}

Vectors doubles(const Matrix& m) {
  Vectors out;
  for (Index i = 0; i < m.rows(); ++i) out.emplace_back(m[i].begin(), m[i].end());
  return out;
}

double slope_of(Vectors v, Index row, Index i, const MoveOptions& o, double gate) {
  constexpr double kStep = 1e-5;
  v[row][i] += kStep;
  const double more = loss_of(v, o, gate);
  v[row][i] -= 2 * kStep;
  return (more - loss_of(v, o, gate)) / (2 * kStep);
}

TEST(MovingWords, AStepGoesAlongTheGradientOfEveryRow) {
  constexpr double kRate = 0.01;
  for (const WordLoss loss : {WordLoss::hinge, WordLoss::infonce})
    for (const WordGate gate : {WordGate::none, WordGate::fixed})
      for (const std::uint64_t seed : {1, 2, 3, 4}) {
        const OneTarget one;
        const MoveOptions o{.dims = 6,
                            .start = WordStart::random,
                            .epochs = 1,
                            .learning_rate = kRate,
                            .last_rate = kRate,
                            .loss = loss,
                            .negatives = 2,
                            .margin = -1,
                            .gate = gate,
                            .gate_share = 0.4,
                            .gate_contexts = GateContexts::same,
                            .block = 1,
                            .seed = {seed}};
        WordMover mover(one.contexts, one.words, one.frequency, o, {});
        const Vectors before = doubles(mover.vectors());
        const MovedEpoch epoch = mover.step({});
        const Vectors after = doubles(mover.vectors());
        EXPECT_NEAR(epoch.loss, loss_of(before, o, 0.4), 1e-5);
        const Vectors* of = &before;
        for (Index row = 0; row < 4; ++row) {
          std::vector<double> h;
          for (Index i = 0; i < o.dims; ++i) h.push_back(slope_of(*of, row, i, o, 0.4));
          const double along = dot(h, before[row]);
          for (Index i = 0; i < o.dims; ++i) h[i] -= along * before[row][i];
          // Word 3 is drawn twice: two steps of half the gradient. Contexts too where the gate sees them.
          const bool twice = row == 3 || (gate != WordGate::none && (row == 1 || row == 2));
          if (twice) {
            // Only the direction: how the parts share G is told by the step of the others.
            std::vector<double> moved;
            for (Index i = 0; i < o.dims; ++i) moved.push_back(after[row][i] - before[row][i]);
            if (dot(h, h) > 1e-6) {
              EXPECT_LT(dot(unit(moved), unit(h)), -0.97) << row;
            }
            continue;
          }
          std::vector<double> wanted = before[row];
          for (Index i = 0; i < o.dims; ++i) wanted[i] -= kRate * h[i] / std::sqrt(1 + dot(h, h));
          wanted = unit(wanted);
          for (Index i = 0; i < o.dims; ++i) EXPECT_NEAR(after[row][i], wanted[i], 2e-6) << row << " " << i;
        }
      }
}

TEST(MovingWords, TheGateLearnsAgainstTheSlopeOfTheLoss) {
  for (const WordLoss loss : {WordLoss::hinge, WordLoss::infonce})
    for (std::uint64_t seed = 1; seed < 9; ++seed) {
      const OneTarget one;
      const MoveOptions o{.dims = 6,
                          .start = WordStart::random,
                          .epochs = 1,
                          .loss = loss,
                          .negatives = 2,
                          .margin = -1,
                          .gate = WordGate::mlp,
                          .gate_width = 4,
                          .gate_contexts = GateContexts::same,
                          .block = 1,
                          .seed = {seed}};
      WordMover mover(one.contexts, one.words, one.frequency, o, {});
      const Vectors before = doubles(mover.vectors());
      const ScratchFolder folder;
      const auto bias = [&](const char* name) {
        ArchiveWriter out("test");
        mover.save(out);
        out.write(folder / name);
        return static_cast<double>(ArchiveReader(folder / name).floats("gate layer1.bias", 1)[0]);
      };
      const double was = bias("before");
      const double gate = mover.step({}).gate;
      EXPECT_GT(gate, 0);
      EXPECT_LT(gate, 1);
      const double slope = loss_of(before, o, gate + 1e-4) - loss_of(before, o, gate - 1e-4);
      // The first step of Adam is as long as its rate.
      EXPECT_NEAR(bias("after") - was, slope > 0 ? -1e-3 : 1e-3, 2e-4) << seed;
    }
}

// tests/golden/make_words.py
TEST(MovingWords, AStepOfEachLossAndGateIsPyTorchs) {
  const ArchiveReader golden(SHOAL_SOURCE "/tests/golden/words.safetensors");
  constexpr const char* kParameters[] = {"layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"};
  const auto near = [](const Matrix& a, const Matrix& b, float within) {
    ASSERT_EQ(a.cols(), b.cols());
    for (Index i = 0; i < a.rows() * a.cols(); ++i) ASSERT_NEAR(a.data()[i], b.data()[i], within) << i;
  };
  for (const WordLoss loss : {WordLoss::hinge, WordLoss::infonce})
    for (const WordGate gate : {WordGate::none, WordGate::fixed, WordGate::mlp}) {
      std::string seen_halves;
      for (std::uint64_t seed = 1; seed < 9; ++seed) {
        const OneTarget one;
        WordMover mover(one.contexts, one.words, one.frequency,
                        {.dims = 6,
                         .epochs = 1,
                         .learning_rate = 1,
                         .last_rate = 1,
                         .loss = loss,
                         .negatives = 1,
                         .margin = -1,
                         .gate = gate,
                         .gate_share = 0.4,
                         .gate_width = 4,
                         .block = 1,
                         .seed = {seed}},
                        {});
        const ScratchFolder folder;
        ArchiveWriter start("test");
        start.add("vectors", golden.matrix("start"));
        start.add("gathered", std::vector<double>(4, 1));
        start.add("history", std::span<const double>());
        if (gate == WordGate::mlp) {
          for (const std::string name : kParameters) {
            const Matrix value = golden.matrix("mlp." + name);
            start.add("gate " + name, value);
            start.add("gate steps mean " + name, Matrix(value.rows(), value.cols()));
            start.add("gate steps square " + name, Matrix(value.rows(), value.cols()));
          }
          const std::int64_t none = 0;
          start.add("gate steps steps", std::span<const std::int64_t>(&none, 1));
        }
        start.write(folder / "start");
        mover.load(ArchiveReader(folder / "start"));
        const MovedEpoch epoch = mover.step({});
        // Which context the gate sees is drawn: the loss tells.
        const std::string of = std::string(name_of(loss)) + "." + name_of(gate) + ".";
        const bool second =
            gate != WordGate::none && std::abs(epoch.loss - golden.doubles(of + "1.loss", 1)[0]) < 1e-5;
        const std::string name = of + (second ? "1" : "0");
        EXPECT_NEAR(epoch.loss, golden.doubles(name + ".loss", 1)[0], 1e-5);
        near(mover.vectors(), golden.matrix(name + ".after"), 2e-6f);
        seen_halves += second ? '1' : '0';
        if (gate != WordGate::mlp) continue;
        ArchiveWriter out("test");
        mover.save(out);
        out.write(folder / "end");
        const ArchiveReader end(folder / "end");
        for (const std::string parameter : kParameters)
          near(end.matrix("gate " + parameter), golden.matrix(name + "." + parameter), 2e-6f);
      }
      if (gate != WordGate::none) {
        EXPECT_NE(seen_halves.find('0'), std::string::npos);
        EXPECT_NE(seen_halves.find('1'), std::string::npos);
      }
    }
}

TEST(MovingWords, TheSameBitsForAnyNumberOfThreadsAndWhenTakenUpAgain) {
  const Store store = random_store(500, 4);
  const WordContexts contexts = contexts_of(store.rows, small(), {});
  for (const WordGate gate : {WordGate::none, WordGate::mlp})
    for (const Index block : {Index{1}, Index{100}}) {
      const MoveOptions o{.dims = 16, .epochs = 3, .loss = WordLoss::infonce, .gate = gate, .block = block};
      const auto whole = [&](unsigned threads) {
        WordMover mover(contexts, store.rows.words, store.rows.frequency, o, {.threads = threads});
        while (!mover.done()) mover.step({.threads = threads});
        return std::move(mover).vectors();
      };
      const Matrix once = whole(1);
      EXPECT_TRUE(once == whole(3));
      const ScratchFolder folder;
      {
        WordMover mover(contexts, store.rows.words, store.rows.frequency, o, {});
        mover.step({});
        ArchiveWriter out("test");
        mover.save(out);
        out.write(folder / "kept");
      }
      WordMover again(contexts, store.rows.words, store.rows.frequency, o, {});
      again.load(ArchiveReader(folder / "kept"));
      EXPECT_EQ(again.epoch(), 1u);
      while (!again.done()) again.step({});
      EXPECT_TRUE(once == again.vectors());
      EXPECT_EQ(again.history().size(), 3u);
    }
}

TEST(MovingWords, WithoutOtherWordsTheSpaceCollapsesAndWithThemItDoesNot) {
  const Store store = random_store(2000, 5);
  const WordContexts contexts = contexts_of(store.rows, small(), {});
  const auto mean_cosine = [&](Index negatives) {
    const MoveOptions o{.dims = 16, .epochs = 5, .negatives = negatives};
    WordMover mover(contexts, store.rows.words, store.rows.frequency, o, {});
    while (!mover.done()) mover.step({});
    double sum = 0;
    for (Index a = 0; a < 60; ++a)
      for (Index b = 0; b < a; ++b) sum += cosine(mover.vectors(), a, b);
    return sum / (60 * 59 / 2);
  };
  EXPECT_GT(mean_cosine(0), 0.9);
  EXPECT_LT(mean_cosine(3), 0.3);
}

TEST(MovingWords, OnlyTheTargetMovesWhereThatIsAsked) {
  const OneTarget one;
  const MoveOptions o{.dims = 6, .start = WordStart::random, .epochs = 1, .moves = WordMoves::target};
  WordMover mover(one.contexts, one.words, one.frequency, o, {});
  const Vectors before = doubles(mover.vectors());
  mover.step({});
  const Vectors after = doubles(mover.vectors());
  EXPECT_GT(std::abs(after[0][0] - before[0][0]), 1e-3);
  for (Index row = 1; row < 4; ++row)
    for (Index i = 0; i < 6; ++i) EXPECT_NEAR(after[row][i], before[row][i], 1e-6);
}

TEST(MovingWords, ACheckpointOfOtherWordsIsRefused) {
  const OneTarget one;
  const ScratchFolder folder;
  WordMover mover(one.contexts, one.words, one.frequency, {.dims = 6}, {});
  ArchiveWriter out("test");
  mover.save(out);
  out.write(folder / "kept");
  WordMover other(one.contexts, one.words, one.frequency, {.dims = 7}, {});
  EXPECT_EQ(fault_of([&] { other.load(ArchiveReader(folder / "kept")); }), Fault::format);
}

// ---- read out, choice of heads

TEST(WordReadOuts, AddWhatTheyName) {
  WordContexts contexts;
  contexts.words = 3;
  contexts.target = {0, 1};
  contexts.described = {0, 1};
  contexts.context = {1, 2};
  contexts.weight = {0.5f, 1};
  contexts.starts = {0, 1, 2};
  const Matrix v = from({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  EXPECT_TRUE(read_out(v, contexts, WordReadOut::own, {}) == v);
  EXPECT_TRUE(read_out(v, contexts, WordReadOut::contexts, {}) == from({{0, 1, 0}, {0, 0, 1}, {0, 0, 0}}));
  const float r = 1 / std::sqrt(2.0f), s = 1 / std::sqrt(3.0f);
  const Matrix both = read_out(v, contexts, WordReadOut::both, {}),
               second = read_out(v, contexts, WordReadOut::second_order, {});
  EXPECT_NEAR(both[0][0], r, 1e-6f);
  EXPECT_NEAR(both[0][1], r, 1e-6f);
  EXPECT_EQ(both[2][2], 1.0f);
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(second[0][i], s, 1e-6f);
  const Matrix wide = beside(v, from({{2}, {0}, {-1}}));
  EXPECT_NEAR(wide[0][0], std::sqrt(1 / 5.0f), 1e-6f);
  EXPECT_NEAR(wide[1][1], 1, 1e-6f);
  EXPECT_NEAR(wide[2][3], -r, 1e-6f);
}

TEST(HeadChoices, AHeadThatAttendsToWhatTellsTheWordIsChosen) {
  // A word stands with the two after it, and with any of the words from 40 on, which tell nothing. Head 0.1
  // and layer 1 attend to the two.
  Store store;
  const Random random({7});
  std::uint64_t at = 0;
  for (std::uint32_t d = 0; d < 3000; ++d) {
    std::vector<std::uint32_t> words{d % 40, (d + 1) % 40, (d + 2) % 40};
    while (words.size() < 6) {
      const auto w = static_cast<std::uint32_t>(40 + random.below(at++, 20));
      if (std::ranges::find(words, w) == words.end()) words.push_back(w);
    }
    const auto good = [&](Index j, Index c) {
      return c == 1 && words[j] < 40 ? 0.5f : c == 0 ? 0.2f : 0.01f;
    };
    store.add(words, good, good,
              [&](Index i, Index j, Index c) { return words[i] < 40 ? good(j, c) : 0.2f; });
  }
  const auto& rows = store.done(60);
  const HeadChoice found = choose_heads(rows, {}, {});
  ASSERT_FALSE(found.heads.chosen.empty());
  EXPECT_EQ(found.heads.chosen[0].channel, (LayerHead{0, 1}));
  EXPECT_GT(found.heads.chosen[0].score, found.heads.uniform + 0.05);
  ASSERT_FALSE(found.layers.chosen.empty());
  EXPECT_EQ(found.layers.chosen[0].channel, (LayerHead{1, -1}));
  EXPECT_EQ(found.heads.alone.size(), 2u);
  const HeadChoice again = choose_heads(rows, {}, {.threads = 3});
  EXPECT_EQ(again.heads.chosen[0].score, found.heads.chosen[0].score);
  Store few;
  few.add(
      {0, 1}, [](auto...) { return 1.0f; }, [](auto...) { return 1.0f; }, [](auto...) { return 1.0f; });
  EXPECT_EQ(fault_of([&] { choose_heads(few.done(2), {}, {}); }), Fault::data);
}

}  // namespace
}  // namespace shoal
