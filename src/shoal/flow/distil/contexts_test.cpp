#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/flow/distil/contexts_impl.h"
#include "shoal/flow/distil/kept_impl.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

TEST(Align, WordsOfTheCorpusCoverTheirParts) {
  for (const char* model : {"bert_bare", "roberta", "xlm_roberta"}) {
    SCOPED_TRACE(model);
    StaticTokenizer tokens(read_model_folder(kGolden / model));
    const Tokenizer before = Tokenizer::from_json(tokens.to_json(), "before");
    Texts text;
    text.add(" zebra");
    const Texts pieces = before.split(text, 0, 1);
    ASSERT_EQ(pieces.size(), 1u);
    const Tokens parts = before.encode_plain(text, 0, 1);
    ASSERT_GT(parts.ids.size(), 1u);
    tokens.add(std::string(pieces[0]), parts.ids);
    EXPECT_EQ(tokens.originals(tokens.size() - 1).size(), parts.ids.size());
    const Tokenizer now = Tokenizer::from_json(tokens.to_json(), "now");
    Texts long_text;
    long_text.add("the zebra and zebras, a zebra");
    const auto first = before.encode_plain(long_text, 0, 1), second = now.encode_plain(long_text, 0, 1);
    Index words = 0, covered = 0;
    for (const Place& place : align(tokens, first[0], second[0])) {
      EXPECT_EQ(place.first, covered);
      covered = place.last;
      if (place.token != tokens.size() - 1) {
        EXPECT_EQ(first.ids[place.first], place.token);
        continue;
      }
      ++words;
      EXPECT_TRUE(
          std::equal(parts.ids.begin(), parts.ids.end(), first.ids.begin() + static_cast<long>(place.first)));
      EXPECT_EQ(place.last - place.first, parts.ids.size());
    }
    EXPECT_GE(words, 2u);
    EXPECT_EQ(covered, first.ids.size());
    // A text that was cut: what is left of it.
    const auto cut = align(tokens, first[0].first(2), second[0]);
    for (const Place& place : cut) EXPECT_LE(place.last, 2u);
  }
}

Texts debian_texts(Index count) {
  Texts out;
  std::ifstream in(kGolden / "debian.jsonl");
  for (std::string line; out.size() < count && std::getline(in, line);)
    out.add(nlohmann::json::parse(line).get<std::string>().substr(0, 40));
  return out;
}

/// Times and sums as they are kept.
std::string bytes_of(const Contexts& contexts) {
  const ScratchFolder scratch;
  ArchiveWriter out("contexts");
  contexts.save(out);
  out.write(scratch / "contexts");
  return read_file(scratch / "contexts", 1 << 26);
}

TEST(Contexts, AStopLeavesAllOrNoneOfTheTexts) {
  const TokenStates model = TokenStates::load(kGolden / "bert_old", {});  // 36 numbers: two parts of the sums
  const StaticTokenizer tokens(model.model());
  const Tokenizer before = Tokenizer::from_json(tokens.to_json(), "before");
  const Texts texts = debian_texts(300);
  ASSERT_EQ(texts.size(), 300u);
  Contexts whole(tokens.size(), model.dims());
  const std::string none = bytes_of(whole);
  whole.add(texts, 0, texts.size(), model, tokens, before, before, {.threads = 3});
  const std::string all = bytes_of(whole);
  ASSERT_NE(all, none);
  int stopped = 0, steps = 0;
  for (int at = 1; at <= 3; ++at) {  // tokens, states, sums
    std::stop_source source;
    Contexts found(tokens.size(), model.dims());
    shoal::Run run{.threads = 3, .stop = source.get_token()};
    steps = 0;
    run.pool = [&](unsigned, const std::function<void()>& work) {
      if (++steps == at) source.request_stop();
      work();
    };
    try {
      found.add(texts, 0, texts.size(), model, tokens, before, before, run);
      EXPECT_EQ(bytes_of(found), all);
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::cancelled);
      EXPECT_EQ(bytes_of(found), none) << "stopped in step " << at;
      found.add(texts, 0, texts.size(), model, tokens, before, before, {.threads = 3});
      EXPECT_EQ(bytes_of(found), all);
      ++stopped;
    }
  }
  EXPECT_EQ(steps, 3) << "the last stop was to fall into the sums";
  EXPECT_EQ(stopped, 2);
}

TEST(Contexts, WhatIsReadFits) {
  using Integers = std::vector<std::int64_t>;
  const ScratchFolder scratch;
  int written = 0;
  const auto load = [&](const Integers& slots, const Integers& times, Index sums) {
    const auto path = scratch / ("contexts" + std::to_string(++written));
    ArchiveWriter out("contexts");
    const std::vector<double> of_sums(sums, 6);
    out.add("slots", std::span<const std::int64_t>(slots));
    out.add("times", std::span<const std::int64_t>(times));
    out.add("sums", std::span<const double>(of_sums));
    out.write(path);
    Contexts found(3, 2);
    found.load(ArchiveReader(path));
    return found;
  };
  const Contexts good = load({1, -1, 0}, {2, 0, 3}, 4);
  EXPECT_EQ(good.times(), (Integers{2, 0, 3}));
  std::vector<float> row(2);
  good.mean(2, row);
  EXPECT_EQ(row, (std::vector<float>{2, 2}));
  const auto refused = [&](const Integers& slots, const Integers& times, Index sums) {
    expect_error(Fault::format, "does not fit the model", [&] { load(slots, times, sums); });
  };
  refused({1, -1, 0}, {2, 1, 3}, 4);   // seen, and no sum
  refused({1, -1, 0}, {2, 0, 0}, 4);   // a sum of nothing
  refused({1, -1, 0}, {2, 0, -3}, 4);  // less than nothing
  refused({1, -1, 0}, {2, -1, 3}, 4);
  refused({0, -1, 0}, {2, 0, 3}, 2);  // one sum of two tokens
  refused({2, -1, 0}, {2, 0, 3}, 4);  // beyond the end
  refused({-2, -1, 0}, {2, 0, 3}, 4);
  refused({1, -1, 0}, {2, 0, 3}, 6);  // a sum of no token
  refused({1, -1, 0}, {2, 0, 3}, 5);
  refused({1, 0}, {2, 3}, 4);
}

TEST(Kept, OnlyItsOwnFileIsReadReplacedAndRemoved) {
  const ScratchFolder scratch;
  const fs::path out = scratch / "static", part = scratch / "static.part.safetensors";
  Kept kept(out / "", "key");
  EXPECT_EQ(kept.path(), part);
  Contexts contexts(2, 1);
  Matrix vectors(3, 1);
  Index texts = 0, alone = 0;
  EXPECT_NO_THROW(kept.check_place());
  EXPECT_TRUE(kept.read(texts, alone, contexts, vectors, 9)) << "nothing is there";
  vectors[1][0] = 7;
  kept.write(5, 2, contexts, vectors);
  EXPECT_NO_THROW(kept.check_place());
  Matrix found(3, 1);
  EXPECT_FALSE(kept.read(texts, alone, contexts, found, 4)) << "more texts than there are";
  EXPECT_FALSE(Kept(out, "other").read(texts, alone, contexts, found, 9));
  EXPECT_EQ(texts + alone, 0u);
  EXPECT_TRUE(kept.read(texts, alone, contexts, found, 5));
  EXPECT_EQ(texts, 5u);
  EXPECT_EQ(alone, 2u);
  EXPECT_EQ(found, vectors);
  kept.write(5, 4, contexts, vectors);  // more than there are rows
  EXPECT_FALSE(kept.read(texts, alone, contexts, found, 5));
  EXPECT_EQ(alone, 2u);
  kept.remove();
  EXPECT_FALSE(fs::exists(part));

  ArchiveWriter other("adapter");
  other.add("x", vectors);
  other.write(part);
  const auto refused = [&] {
    const std::string before = read_file(part, 1 << 20);
    expect_error(Fault::argument, "was not made by this command", [&] { kept.check_place(); });
    kept.remove();
    EXPECT_EQ(read_file(part, 1 << 20), before);
  };
  refused();
  std::ofstream(part) << "mine";
  refused();
  std::ofstream(part).flush();
  refused();
  fs::remove(part);
  fs::create_directory(part);
  EXPECT_EQ(fault_of([&] { kept.check_place(); }), Fault::file);
  EXPECT_EQ(fault_of([&] { kept.read(texts, alone, contexts, found, 5); }), Fault::file);
  kept.remove();
  EXPECT_TRUE(fs::exists(part));
}

}  // namespace
}  // namespace shoal
