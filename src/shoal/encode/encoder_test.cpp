#include "shoal/encode/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "tests/minilm.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

Texts read_texts(const fs::path& path, Index most = ~Index{0}) {
  std::ifstream in(path);
  Texts texts;
  for (std::string line; texts.size() < most && std::getline(in, line);)
    texts.add(nlohmann::json::parse(line).get<std::string>());
  EXPECT_GT(texts.size(), 0u) << path;
  return texts;
}

/// Every component within `bound` of the reference vector's length, and the directions equal.
void expect_close(const Matrix& ours, const Matrix& theirs, double bound) {
  ASSERT_EQ(ours.rows(), theirs.rows());
  ASSERT_EQ(ours.cols(), theirs.cols());
  double worst = 0, least_cosine = 1;
  for (Index i = 0; i < ours.rows(); ++i) {
    double aa = 0, bb = 0, ab = 0, difference = 0;
    for (Index j = 0; j < ours.cols(); ++j) {
      const double a = ours[i][j], b = theirs[i][j];
      aa += a * a, bb += b * b, ab += a * b;
      difference = std::max(difference, std::abs(a - b));
    }
    ASSERT_GT(bb, 0) << "row " << i;
    worst = std::max(worst, difference / std::sqrt(bb));
    least_cosine = std::min(least_cosine, ab / std::sqrt(aa * bb));
  }
  EXPECT_LE(worst, bound);
  EXPECT_GT(least_cosine, 0.999999);
}

std::vector<float> row_of(const Rows& one) {
  const Matrix numbers = one.to_matrix();
  return {numbers[0].begin(), numbers[0].end()};
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, EqualsSentenceTransformers) {
  const Encoder encoder = Encoder::load(kGolden / GetParam());
  const Texts texts = read_texts(kGolden / "texts.jsonl");
  const ArchiveReader expected(kGolden / (std::string(GetParam()) + ".safetensors"));
  for (const auto& [name, tensor] : expected.tensors()) {
    EncodeOptions options;
    if (name.starts_with("prompt:")) options.prompt = name.substr(7);
    SCOPED_TRACE(name);
    expect_close(encoder.encode(texts, options).to_matrix(), expected.matrix(name), 2e-6);
  }
}

TEST_P(Golden, TextAloneHasTheSameBits) {
  const Encoder encoder = Encoder::load(kGolden / GetParam());
  const Texts texts = read_texts(kGolden / "texts.jsonl");
  const Matrix together = encoder.encode(texts).to_matrix();
  for (Index i = 0; i < texts.size(); ++i)
    EXPECT_TRUE(same_bits(row_of(encoder.encode(texts, i, 1, {}, {})), together[i])) << "text " << i;
}

TEST_P(Golden, ChunkIsTruncateForTextsThatFit) {
  const Encoder encoder = Encoder::load(kGolden / GetParam());
  const Texts texts = read_texts(kGolden / "texts.jsonl");
  const Matrix cut = encoder.encode(texts).to_matrix();
  const Matrix chunked = encoder.encode(texts, {.long_texts = LongTexts::chunk, .overlap = 5}).to_matrix();
  Index same = 0, other = 0;
  for (Index i = 0; i < texts.size(); ++i) {
    const bool fits = texts[i].size() + 20 < encoder.max_tokens();  // a token is at least a byte
    const bool equal = same_bits(cut[i], chunked[i]);
    EXPECT_TRUE(equal || !fits) << "text " << i;
    same += fits;
    other += !equal;
  }
  EXPECT_GT(same, 0u);
  EXPECT_GT(other, 0u);  // some texts are long
}

INSTANTIATE_TEST_SUITE_P(Models, Golden,
                         testing::Values("bert_old", "bert_new", "bert_bare", "bert_poolings", "roberta",
                                         "xlm_roberta", "distilbert", "mpnet"),
                         [](const auto& model) { return std::string(model.param); });

TEST(Encoder, ExampleOfTheHeader) {
  const Encoder encoder = Encoder::load(kGolden / "bert_old");
  Texts texts;
  texts.add("a map");
  texts.add("no");
  const Matrix vectors = encoder.encode(texts).to_matrix();
  EXPECT_EQ(vectors.rows(), 2u);
  EXPECT_EQ(vectors.cols(), encoder.space().dims);
  EXPECT_TRUE(encoder.space().unit);
  EXPECT_EQ(encoder.name(), "bert_old");
  EXPECT_EQ(encoder.max_tokens(), 64u);
  EXPECT_EQ(encoder.flops(10), 2.0 * 10 * 2 * (4 * 36 * 36 + 2 * 36 * 70));
  EXPECT_EQ(encoder.encode(Texts{}).rows(), 0u);
}

TEST(Encoder, SpaceNamesFolderAndContent) {
  const std::string id = Encoder::load(kGolden / "bert_old").space().id;
  EXPECT_EQ(id.size(), std::string("bert_old@").size() + 16);
  EXPECT_EQ(Encoder::load(kGolden / "bert_old" / "").space().id, id);
  EXPECT_NE(model_of(Encoder::load(kGolden / "bert_bare").space().id), model_of(id));
  const ScratchFolder scratch;
  const fs::path renamed = scratch / "shoal@renamed";
  fs::copy(kGolden / "bert_old", renamed, fs::copy_options::recursive);
  const std::string other = Encoder::load(renamed).space().id;
  EXPECT_NE(other, id);
  EXPECT_EQ(model_of(other), model_of(id));
}

TEST(Encoder, ThousandTextsEqualSentenceTransformers) {
  const fs::path folder = minilm_folder();
  ASSERT_TRUE(fs::exists(folder / "model.safetensors"))
      << folder << " is needed; `make test` installs it, SHOAL_MODEL names another place";
  const Encoder encoder = Encoder::load(folder);
  const Texts texts = read_texts(kGolden / "debian.jsonl");
  ASSERT_EQ(texts.size(), 1000u);
#ifdef __SANITIZE_THREAD__  // many times slower
  constexpr Index kOfEachHalf = 20;
#else
  constexpr Index kOfEachHalf = 500;
#endif
  for (Index half = 0; half < 2; ++half) {
    const ArchiveReader file(kGolden / ("minilm_" + std::to_string(half) + ".safetensors"));
    const Matrix all = file.matrix("vectors");
    Matrix expected(kOfEachHalf, all.cols());
    std::copy_n(all.data(), kOfEachHalf * all.cols(), expected.data());
    expect_close(encoder.encode(texts, half * 500, kOfEachHalf, {}, {}).to_matrix(), expected, 2e-6);
  }
}

TEST(Encoder, SameBitsForAnyThreadsBatchAndOrder) {
  const Encoder encoder = Encoder::load(kGolden / "mpnet");
  const Texts texts = read_texts(kGolden / "debian.jsonl", 250);  // about 25 pieces
  const Matrix once = encoder.encode(texts, {}, {.threads = 1}).to_matrix();
  for (unsigned threads : {2u, 3u})
    EXPECT_TRUE(once == encoder.encode(texts, {}, {.threads = threads}).to_matrix());
  for (Index batch : {7u, 100u})
    for (Index first = 0; first < texts.size(); first += batch) {
      const Index count = std::min<Index>(batch, texts.size() - first);
      const Matrix part = encoder.encode(texts, first, count, {}, {}).to_matrix();
      ASSERT_TRUE(same_bits({part.data(), count * part.cols()}, {once[first].data(), count * part.cols()}));
    }
  Texts shuffled;
  std::vector<Index> order(texts.size());
  for (Index i = 0; i < order.size(); ++i) order[i] = i;
  const Random random(Seed{3});
  for (Index i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
  for (const Index i : order) shuffled.add(texts[i]);
  const Matrix moved = encoder.encode(shuffled).to_matrix();
  for (Index i = 0; i < order.size(); ++i) ASSERT_TRUE(same_bits(moved[i], once[order[i]])) << i;
}

TEST(Encoder, ChunksHaveTheSameBitsForAnyThreadsAndOrder) {
  const Encoder encoder = Encoder::load(kGolden / "roberta");
  const Texts texts = read_texts(kGolden / "debian.jsonl", 250);
  const EncodeOptions chunk{.long_texts = LongTexts::chunk, .overlap = 11};
  const Matrix once = encoder.encode(texts, chunk, {.threads = 1}).to_matrix();
  EXPECT_TRUE(once == encoder.encode(texts, chunk, {.threads = 3}).to_matrix());
  for (Index i = 0; i < texts.size(); i += 97)
    EXPECT_TRUE(same_bits(row_of(encoder.encode(texts, i, 1, chunk, {})), once[i])) << i;
  for (Index i = 0; i < texts.size(); ++i)
    EXPECT_NEAR(kernels().dot(once[i].data(), once[i].data(), once.cols()), 1, 1e-5);
}

TEST(Encoder, ChunksAreTheWeightedMeanOfWindows) {
  const Encoder encoder = Encoder::load(kGolden / "bert_poolings");  // 40 tokens, two of them special
  // Each word is one token, so that windows can be written as texts: 38, then 30 new ones after 8 shared.
  std::string whole, first, second;
  for (int i = 0; i < 68; ++i) {
    const std::string word = i % 3 == 0 ? "a " : i % 3 == 1 ? "no " : "! ";
    whole += word;
    if (i < 38) first += word;
    if (i >= 30) second += word;
  }
  Texts texts;
  for (const std::string& text : {whole, first, second}) texts.add(text);
  const Matrix x = encoder.encode(texts, {.long_texts = LongTexts::chunk, .overlap = 8}).to_matrix();
  for (Index j = 0; j < x.cols(); ++j) EXPECT_NEAR(x[0][j], (38 * x[1][j] + 30 * x[2][j]) / 68, 1e-5);
}

/// The child of the next test: what it checks by itself is that the vectors are the golden ones.
TEST(Encoder, VectorsAtThisLevel) {
  const Encoder encoder = Encoder::load(kGolden / "mpnet");
  const Texts texts = read_texts(kGolden / "texts.jsonl");
  const Matrix vectors = encoder.encode(texts).to_matrix();
  expect_close(vectors, ArchiveReader(kGolden / "mpnet.safetensors").matrix("vectors"), 2e-6);
  const Matrix chunked =
      encoder.encode(texts, {.long_texts = LongTexts::chunk, .overlap = 11, .max_tokens = 24}).to_matrix();
  EXPECT_FALSE(chunked == vectors) << "no text was long enough to be cut into windows";
  if (const char* out = std::getenv("SHOAL_TEST_OUT")) {
    std::ofstream file(out, std::ios::binary);
    file << kernels().level << '\n';
    for (const Matrix* m : {&vectors, &chunked})
      file.write(reinterpret_cast<const char*>(m->data()),
                 static_cast<std::streamsize>(m->rows() * m->cols() * sizeof(float)));
  }
}

TEST(Encoder, SameBitsAtEveryLevel) {
  const ScratchFolder scratch;
  std::map<std::string, std::string> bits;  // of each level
  for (const Kernels* level : levels()) {
    const fs::path out = scratch / level->level;
    const std::string command = "SHOAL_LEVEL=" + std::string(level->level) + " SHOAL_TEST_OUT='" +
                                out.string() + "' '" + fs::read_symlink("/proc/self/exe").string() +
                                "' --gtest_filter=Encoder.VectorsAtThisLevel > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::ifstream in(out, std::ios::binary);
    std::string name;
    std::getline(in, name);
    EXPECT_EQ(name, level->level);  // the forced level was the one at work
    bits[name] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_EQ(bits.size(), levels().size());
  for (const auto& [name, found] : bits) EXPECT_TRUE(found == bits.begin()->second && !found.empty()) << name;
}

TEST(Encoder, OptionsThatDoNotFitAreExplained) {
  const Encoder encoder = Encoder::load(kGolden / "bert_poolings");
  const auto fault = [&](const EncodeOptions& options) -> std::string {
    try {
      encoder.encode(Texts{}, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.fault, Fault::argument);
      return error.what();
    }
    return {};
  };
  EXPECT_NE(fault({.max_tokens = 41}).find("max_tokens is 41; allowed for this model: 1..40"),
            std::string::npos);
  EXPECT_NE(fault({.max_tokens = 2}).find("none is left for the text"), std::string::npos);
  EXPECT_NE(fault({.prompt = "passage"}).find("has the prompts none, query"), std::string::npos);
  EXPECT_NE(fault({.long_texts = LongTexts::chunk, .overlap = 38}).find("allowed: 0..37"), std::string::npos);
  EXPECT_EQ(fault({.long_texts = LongTexts::chunk, .overlap = 37, .max_tokens = 40, .prompt = "none"}), "");
}

TEST(Encoder, FewerTokensAreTheBeginningOfTheText) {
  const Encoder encoder = Encoder::load(kGolden / "bert_bare");
  Texts texts;
  texts.add("a no a no a no");
  texts.add("a no a");
  EncodeCounts counts{.cut = 9};
  const Matrix x = encoder.encode(texts, {.max_tokens = 5}, {}, &counts).to_matrix();
  EXPECT_TRUE(same_bits(x[0], x[1]));
  EXPECT_EQ(counts.cut, 1u) << "five tokens are all of the second";
  encoder.encode(texts, {.long_texts = LongTexts::chunk, .overlap = 0, .max_tokens = 5}, {}, &counts);
  EXPECT_EQ(counts.cut, 0u) << "windows cut nothing off";
}

TEST(Encoder, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const Encoder encoder = Encoder::load(kGolden / "bert_bare");
  Texts texts;
  texts.add("a");
  EXPECT_THROW(encoder.encode(texts, {}, {.stop = source.get_token()}), Error);
}

}  // namespace
}  // namespace shoal
