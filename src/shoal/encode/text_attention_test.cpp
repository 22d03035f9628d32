#include "shoal/encode/text_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/tokenize/tokenizer.h"
#include "tests/minilm.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden";

Texts read_texts(const fs::path& path) {
  std::ifstream in(path);
  Texts texts;
  for (std::string line; std::getline(in, line);) texts.add(nlohmann::json::parse(line).get<std::string>());
  EXPECT_GT(texts.size(), 0u) << path;
  return texts;
}

/// What `attention` gave of one text.
struct Kept {
  std::vector<std::uint32_t> ids, begins, ends;
  std::vector<float> weights;
  bool cut = false;
};

std::vector<Kept> attention_of(const Encoder& encoder, const Texts& texts, std::span<const LayerHead> heads,
                               const EncodeOptions& options = {}, const Run& run = {}) {
  std::vector<Kept> out(texts.size());
  std::mutex mutex;
  std::vector<int> times(texts.size());
  encoder.attention(texts, 0, texts.size(), heads, options, run, [&](const TextAttention& text) {
    const std::scoped_lock lock(mutex);
    ++times[text.text];
    out[text.text] = {{text.ids.begin(), text.ids.end()},
                      {text.begins.begin(), text.begins.end()},
                      {text.ends.begin(), text.ends.end()},
                      {text.weights.begin(), text.weights.end()},
                      text.cut};
  });
  for (const int n : times) EXPECT_EQ(n, 1);
  return out;
}

std::vector<LayerHead> heads_of(const Encoder& encoder, const char* text) {
  return read_heads(text, *encoder.head_counts(), "heads");
}

/// Characters before byte `at`.
std::int64_t characters(std::string_view text, std::uint32_t at) {
  return std::count_if(text.begin(), text.begin() + at, [](char c) { return (c & 0xC0) != 0x80; });
}

void expect_golden(const Encoder& encoder, const Texts& all, const ArchiveReader& expected) {
  Index compared = 0;
  for (Index i = 0; i < all.size(); ++i) {
    const std::string name = std::to_string(i);
    if (!expected.has(name)) continue;
    SCOPED_TRACE("text " + name + ": " + std::string(all[i].substr(0, 40)));
    Texts one;
    one.add(all[i]);
    const Kept ours = attention_of(encoder, one, heads_of(encoder, "all")).front();
    const auto ids = expected.integers(name + ".ids");
    ASSERT_TRUE(std::ranges::equal(ours.ids, ids, [](auto a, auto b) { return std::int64_t{a} == b; }));
    const std::vector<float> theirs = expected.floats(name, ours.weights.size());
    double worst = 0;
    for (Index k = 0; k < theirs.size(); ++k)
      worst = std::max(worst, std::abs(double{ours.weights[k]} - double{theirs[k]}));
    EXPECT_LE(worst, 1e-5);
    const auto places = expected.integers(name + ".offsets");
    for (Index t = 0; t < ids.size(); ++t) {
      EXPECT_EQ(characters(one[0], ours.begins[t]), places[2 * t]) << "token " << t;
      EXPECT_EQ(characters(one[0], ours.ends[t]), places[2 * t + 1]) << "token " << t;
    }
    ++compared;
  }
  EXPECT_GE(compared, 3u);
}

class GoldenAttention : public testing::TestWithParam<const char*> {};

TEST_P(GoldenAttention, EqualsTransformers) {
  const Encoder encoder = Encoder::load(kGolden / "encoder" / GetParam());
  expect_golden(encoder, read_texts(kGolden / "encoder/texts.jsonl"),
                ArchiveReader(kGolden / "attention" / (std::string(GetParam()) + ".safetensors")));
}

TEST_P(GoldenAttention, SameBitsAloneAndForAnyThreads) {
  const Encoder encoder = Encoder::load(kGolden / "encoder" / GetParam());
  const Texts texts = read_texts(kGolden / "encoder/texts.jsonl");
  const auto heads = heads_of(encoder, "1.0,0.mean");
  const auto together = attention_of(encoder, texts, heads, {}, {.threads = 3});
  for (Index i = 0; i < texts.size(); ++i) {
    Texts one;
    one.add(texts[i]);
    const Kept alone = attention_of(encoder, one, heads, {}, {.threads = 1}).front();
    ASSERT_EQ(alone.ids, together[i].ids);
    ASSERT_EQ(std::memcmp(alone.weights.data(), together[i].weights.data(), alone.weights.size() * 4), 0);
    EXPECT_EQ(alone.begins, together[i].begins);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenAttention,
                         testing::Values("bert_old", "bert_new", "bert_bare", "bert_poolings", "roberta",
                                         "xlm_roberta", "distilbert", "mpnet"),
                         [](const auto& model) { return std::string(model.param); });

TEST(TextAttention, OfMiniLmEqualsTransformers) {
  const fs::path folder = minilm_folder();
  ASSERT_TRUE(fs::exists(folder / "model.safetensors"))
      << folder << " is needed; `make test` installs it, SHOAL_MODEL names another place";
  const Encoder encoder = Encoder::load(folder);
  EXPECT_EQ(encoder.head_counts()->layers, 6u);
  EXPECT_EQ(encoder.head_counts()->heads, 12u);
  expect_golden(encoder, read_texts(kGolden / "encoder/debian.jsonl"),
                ArchiveReader(kGolden / "attention/all-MiniLM-L6-v2.safetensors"));
}

TEST(TextAttention, ChannelsAreThoseAskedForInTheirOrder) {
  const Encoder encoder = Encoder::load(kGolden / "encoder/bert_new");  // 3 layers of 4 heads
  Texts texts;
  texts.add("The Quick Brown Fox");
  const Kept all = attention_of(encoder, texts, heads_of(encoder, "all")).front();
  const std::vector<LayerHead> some = {{2, 1}, {0, -1}, {0, 3}};
  const Kept ours = attention_of(encoder, texts, some).front();
  const Index n = all.ids.size(), block = n * n;
  ASSERT_EQ(ours.weights.size(), 3 * block);
  for (Index k = 0; k < block; ++k) {
    EXPECT_EQ(ours.weights[k], all.weights[9 * block + k]);
    EXPECT_EQ(ours.weights[2 * block + k], all.weights[3 * block + k]);
    float mean = 0;
    for (Index h = 0; h < 4; ++h) mean += all.weights[h * block + k] / 4;
    EXPECT_NEAR(ours.weights[block + k], mean, 1e-6);
  }
  for (Index row = 0; row < 3 * n; ++row) {
    double sum = 0;
    for (Index k = 0; k < n; ++k) sum += ours.weights[row * n + k];
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(TextAttention, CutTextsSaySo) {
  const Encoder encoder = Encoder::load(kGolden / "encoder/bert_old");
  Texts texts;
  texts.add("no");
  std::string words;
  for (int i = 0; i < 99; ++i) words += "word ";
  texts.add(words);
  const auto kept = attention_of(encoder, texts, heads_of(encoder, "0.0"), {.max_tokens = 20});
  EXPECT_FALSE(kept[0].cut);
  EXPECT_TRUE(kept[1].cut);
  EXPECT_EQ(kept[1].ids.size(), 20u);
  EXPECT_EQ(kept[1].begins.front(), 0u);
  EXPECT_EQ(kept[1].ends.front(), 0u);
}

TEST(TextAttention, RefusesWhatItCannotDo) {
  const Encoder encoder = Encoder::load(kGolden / "encoder/bert_old");
  const auto fault = [](const auto& work) {
    try {
      work();
    } catch (const Error& e) {
      return e.fault;
    }
    return Fault::cancelled;
  };
  const auto nothing = [](const TextAttention&) {};
  const std::vector<LayerHead> far = {{2, 0}};
  Texts texts;
  texts.add("a");
  EXPECT_EQ(fault([&] { encoder.attention(texts, 0, 1, far, {}, {}, nothing); }), Fault::argument);
  EXPECT_EQ(fault([&] { encoder.attention(texts, 0, 2, {}, {}, {}, nothing); }), Fault::argument);
  EXPECT_EQ(fault([&] { encoder.attention(texts, 0, 1, {}, {.long_texts = LongTexts::chunk}, {}, nothing); }),
            Fault::argument);
  const Encoder words = Encoder::load(kGolden / "static/plain");
  EXPECT_FALSE(words.head_counts());
  EXPECT_EQ(fault([&] { words.attention(texts, 0, 1, {}, {}, {}, nothing); }), Fault::unsupported);
}

TEST(ReadHeads, NamesHeads) {
  const HeadCounts counts{3, 2};
  const auto text = [&](std::string_view given) { return heads_text(read_heads(given, counts, "heads")); };
  EXPECT_EQ(text("all"), "0.0,0.1,1.0,1.1,2.0,2.1");
  EXPECT_EQ(text("mean"), "0.mean,1.mean,2.mean");
  EXPECT_EQ(text("2,0.1,1.mean"), "2.0,2.1,0.1,1.mean");
  for (const char* wrong :
       {"", "3", "0.2", "0.", ".1", "0.x", "0,0.1", "1.0,,1.1", "-1", "0.-1", "99999999999999999999", "0.0,"})
    EXPECT_THROW(read_heads(wrong, counts, "heads"), Error) << wrong;
  try {
    read_heads("0.0,7.1", counts, "heads");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "heads is 0.0,7.1, with 7.1; allowed are all, mean, or a list of LAYER.HEAD, LAYER.mean and LAYER; "
        "layers of this model are 0 to 2, heads 0 to 1");
  }
}

}  // namespace
}  // namespace shoal
