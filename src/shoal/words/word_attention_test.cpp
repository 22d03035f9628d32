#include "shoal/words/word_attention.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/words/attention_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

using Ids = std::vector<std::uint32_t>;

/// "cat: a catfish, a cat" as [CLS] ca ##t : a cat ##fish , a cat [SEP]; catfish is word 1, cat 0, a stop
/// word.
struct Example {
  Ids begins = {0, 0, 2, 3, 5, 7, 10, 14, 16, 18, 0}, ends = {0, 2, 3, 4, 6, 10, 14, 15, 17, 21, 0};
  std::vector<WordStretch> stretches = {
      {0, 0, 3}, {WordStretch::kStop, 5, 6}, {1, 7, 14}, {WordStretch::kStop, 16, 17}, {0, 18, 21}};
  std::vector<float> weights;
  TextAttention attention;

  Example() {
    const Index n = begins.size();
    for (Index c = 0; c < 2; ++c)
      for (Index i = 0; i < n * n; ++i) weights.push_back(static_cast<float>((i * 7 + c * 3) % 11) / 55.0f);
    attention = {.text = 0, .ids = begins, .begins = begins, .ends = ends, .cut = false, .weights = weights};
  }
  double at(Index c, Index i, Index j) const { return attention.channel(c)[i][j]; }
};

TEST(FindTokens, MembersPlacesAndReceivers) {
  const Example e;
  const DescriptionTokens t = find_tokens(e.stretches, 0, e.begins, e.ends, 1, 1);
  EXPECT_EQ(t.members, (Ids{0, 1}));
  ASSERT_EQ(t.places.size(), 3u);
  EXPECT_EQ(t.places[1].first, 5u);
  EXPECT_EQ(t.places[1].last, 7u);
  EXPECT_EQ(t.head_tokens, 3u);
  using enum Receiver;
  EXPECT_EQ(t.receivers, (std::vector<Receiver>{first, itself, itself, punctuation, stop_words, words, words,
                                                punctuation, stop_words, itself, last}));
}

TEST(FindTokens, WordsThatWereCutOffAreNoMembers) {
  const Example e;
  const Ids begins = {0, 0, 2, 0}, ends = {0, 2, 3, 0};
  const DescriptionTokens t = find_tokens(e.stretches, 0, begins, ends, 1, 1);
  EXPECT_EQ(t.members, Ids{0});
  EXPECT_EQ(t.head_tokens, 2u);
  const Ids none = {0, 0};
  EXPECT_EQ(find_tokens(e.stretches, 0, none, none, 1, 1).head_tokens, 0u);
}

TEST(FindTokens, ATokenOfTwoWordsIsTheFirstOnes) {
  const std::vector<WordStretch> stretches = {{5, 0, 2}, {6, 2, 4}, {7, 4, 6}};
  const Ids begins = {0, 4}, ends = {4, 6};
  const DescriptionTokens t = find_tokens(stretches, 5, begins, ends, 0, 0);
  EXPECT_EQ(t.members, (Ids{5, 7}));
}

TEST(MergeTokens, MeanOverSourcesSumOverTargets) {
  const Example e;
  const DescriptionTokens t = find_tokens(e.stretches, 0, e.begins, e.ends, 1, 1);
  const ChannelPlaces channels{.head = {1, 0}, .pairs = {0}};
  std::vector<float> from(4, 9), to(4, 9), pairs(4, 9);
  std::vector<double> shares(2 * kReceivers, 9);
  merge_tokens(e.attention, t, channels, from, to, pairs, shares);
  // cat has the places {1, 2} and {9}, catfish {5, 6}.
  const auto given = [&](Index c) {
    double sum = 0;
    for (const Index target : {5, 6})
      sum += ((e.at(c, 1, target) + e.at(c, 2, target)) / 2 + e.at(c, 9, target)) / 2;
    return sum;
  };
  const auto got = [&](Index c) {
    double sum = 0;
    for (const Index source : {5, 6})
      for (const Index target : {1, 2, 9}) sum += e.at(c, source, target) / 2;
    return sum;
  };
  EXPECT_EQ(from[0], 0);
  EXPECT_EQ(to[1], 0);
  EXPECT_NEAR(from[2], given(1), 1e-6);
  EXPECT_NEAR(from[3], given(0), 1e-6);
  EXPECT_NEAR(to[2], got(1), 1e-6);
  EXPECT_NEAR(to[3], got(0), 1e-6);
  EXPECT_EQ(pairs[0], 0);
  EXPECT_NEAR(pairs[1], given(0), 1e-6);
  EXPECT_NEAR(pairs[2], got(0), 1e-6);
  EXPECT_EQ(pairs[3], 0);
  double all = 0, row = 0;
  for (Index r = 0; r < kReceivers; ++r) all += shares[r];
  for (Index u = 0; u < 11; ++u) row += ((e.at(1, 1, u) + e.at(1, 2, u)) / 2 + e.at(1, 9, u)) / 2;
  EXPECT_NEAR(all, row, 1e-6);
  EXPECT_NEAR(shares[static_cast<Index>(Receiver::words)], given(1), 1e-6);
}

/// A file of two words and two descriptions of two members, with one head channel and one pair channel.
void write_file(const std::filesystem::path& path, const std::vector<std::uint32_t>& members = {0, 1, 1, 0},
                const std::vector<std::uint64_t>& offsets = {0, 2, 4}, std::uint32_t form_word = 0,
                bool old = false) {
  ArchiveWriter meta(kWordAttention);
  meta.meta("heads", "1.9");
  meta.meta("pairs", "2.mean");
  meta.space({.id = "m@1", .dims = 3, .unit = false});
  auto plan = attention_plan(2, 9, 1, 4, 2, 4, members.size(), 8, 1, 1, 1);
  if (old) std::erase_if(plan, [](const TensorPlan& one) { return one.name.starts_with("form"); });
  ArchiveFile file(path.string() + ".part", meta, plan);
  if (!old) {
    file.write("forms", 0, std::span<const char>("cats", 4));
    file.write("form_ends", 0, std::span<const std::uint64_t>(std::vector<std::uint64_t>{4}));
    file.write("form_words", 0, std::span<const std::uint32_t>(std::vector<std::uint32_t>{form_word}));
  }
  file.write("words", 0, std::span<const char>("cathot dog", 9));
  file.write("word_ends", 0, std::span<const std::uint64_t>(std::vector<std::uint64_t>{3, 9}));
  file.write("frequency", 0, std::span<const std::uint64_t>(std::vector<std::uint64_t>{2, 2}));
  file.write("offsets", 0, std::span<const std::uint64_t>(offsets));
  file.write("members", 0, std::span<const std::uint32_t>(members));
  file.write("texts", 0, std::span<const char>("abcd", 4));
  file.write("text_ends", 0, std::span<const std::uint64_t>(std::vector<std::uint64_t>{1, 4}));
  file.write("pairs", 2, std::span<const std::uint16_t>(std::vector<std::uint16_t>{0x3C00}));
  file.keep_as(path);
}

TEST(AttentionFile, ComesBack) {
  const ScratchFolder folder;
  const auto path = folder / "a.safetensors";
  write_file(path);
  const AttentionRows rows = open_attention_rows(path);
  EXPECT_EQ(rows.descriptions(), 2u);
  EXPECT_EQ(std::string(rows.words[1]), "hot do");
  EXPECT_EQ(rows.space, "m@1");
  EXPECT_EQ(rows.head_channels, (std::vector<LayerHead>{{1, 9}}));
  EXPECT_EQ(rows.pair_channels, (std::vector<LayerHead>{{2, -1}}));
  EXPECT_EQ(rows.pair_offsets, (std::vector<std::uint64_t>{0, 4, 8}));
  EXPECT_EQ(rows.pairs[2], 0x3C00);
  EXPECT_EQ(rows.pairs[3], 0);
  EXPECT_EQ(rows.description(1)[0], 1u);
  const Texts texts = description_texts(path);
  EXPECT_EQ(std::string(texts[1]), "bcd");
  ASSERT_EQ(rows.forms.size(), 1u);
  EXPECT_EQ(std::string(rows.forms[0]), "cats");
  EXPECT_EQ(rows.form_words, std::vector<std::uint32_t>{0});
  EXPECT_FALSE(rows.old_version);
  write_file(path, {0, 1, 1, 0}, {0, 2, 4}, 0, true);
  const AttentionRows old = open_attention_rows(path);
  EXPECT_TRUE(old.old_version);
  EXPECT_EQ(old.forms.size(), 0u);
  EXPECT_EQ(old.descriptions(), 2u);
}

TEST(AttentionFile, RefusesWhatDoesNotFit) {
  const ScratchFolder folder;
  const auto path = folder / "a.safetensors";
  write_file(path, {0, 1, 2, 0});
  EXPECT_THROW(open_attention_rows(path), Error);
  write_file(path, {0, 1, 1, 0}, {0, 3, 4});
  EXPECT_THROW(open_attention_rows(path), Error);
  write_file(path, {0, 1, 1, 0}, {0, 5, 4});
  EXPECT_THROW(open_attention_rows(path), Error);
  write_file(path, {0, 1, 1, 0}, {0, 2, 4}, 2);  // a form of a word beyond the last
  EXPECT_THROW(open_attention_rows(path), Error);
  ArchiveWriter("vectors").write(path);
  EXPECT_THROW(open_attention_rows(path), Error);
}

TEST(ArchiveFile, GoesOnOnlyWithTheSame) {
  const ScratchFolder folder;
  const auto path = folder / "part";
  const std::vector<TensorPlan> plan = {{"x", TensorType::u16, {4}}, {"y", TensorType::f64, {1}}};
  const std::vector<std::uint16_t> numbers = {1, 2};
  {
    ArchiveFile file(path, ArchiveWriter("k"), plan);
    EXPECT_FALSE(file.kept());
    file.write("x", 2, std::span<const std::uint16_t>(numbers));
    file.commit();
    EXPECT_THROW(file.write("x", 3, std::span<const std::uint16_t>(numbers)), Error);
    EXPECT_THROW(file.write("z", 0, std::span<const std::uint16_t>(numbers)), Error);
  }
  EXPECT_EQ(ArchiveReader(path).integers("x").at(3), 2) << "it is whole at any time";
  {
    ArchiveFile file(path, ArchiveWriter("k"), plan, true);
    EXPECT_TRUE(file.kept());
  }
  EXPECT_EQ(error_of([&] { ArchiveFile(path, ArchiveWriter("other"), plan, true); }).fault, Fault::argument);
  EXPECT_EQ(ArchiveReader(path).integers("x").at(3), 2) << "what another command has made stays";
  ArchiveWriter changed("k");
  changed.meta("heads", "0.1");
  ArchiveFile file(path, changed, plan, true);
  EXPECT_FALSE(file.kept());
  file.keep_as(folder / "whole");
  EXPECT_EQ(ArchiveReader(folder / "whole").integers("x").at(3), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace shoal
