#include "shoal/encode/tfidf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

TextPasses passes_of(const Texts& texts, Index batch = 7) {
  return [&texts, batch](const std::function<void(const Texts&)>& take) {
    for (Index at = 0; at < texts.size(); at += batch) {
      Texts some;
      for (Index i = at; i < std::min(at + batch, texts.size()); ++i) some.add(texts[i]);
      take(some);
    }
  };
}

Texts texts_of(const std::vector<std::string>& all) {
  Texts out;
  for (const auto& text : all) out.add(text);
  return out;
}

TEST(Tfidf, EqualsScikitLearn) {
  std::ifstream in(fs::path(SHOAL_SOURCE) / "tests/golden/tfidf.json");
  const auto golden = nlohmann::json::parse(in);
  const Texts texts = texts_of(golden.at("texts"));
  ASSERT_EQ(golden.at("cases").size(), 2u);
  for (const auto& one : golden.at("cases")) {
    TfidfOptions options;
    options.ngrams = one.at("ngrams");
    options.stop_words = false;
    options.tfidf_dims = one.at("singular_values").size();
    const Tfidf tfidf = Tfidf::fit(passes_of(texts), options);
    std::map<std::string, double> idf = one.at("idf");
    ASSERT_EQ(tfidf.terms().size(), idf.size());
    for (Index t = 0; t < tfidf.terms().size(); ++t) {
      ASSERT_TRUE(idf.contains(tfidf.terms()[t])) << tfidf.terms()[t];
      EXPECT_NEAR(tfidf.idf()[t], idf[tfidf.terms()[t]], 1e-6);
    }
    std::vector<std::uint8_t> unknown(texts.size());
    const Matrix vectors = tfidf.encode(texts, 0, texts.size(), {}, &unknown);
    double worst = 0;
    for (Index i = 0; i < texts.size(); ++i) {
      double squares = 0;
      for (Index j = 0; j < vectors.cols(); ++j) {
        const double expected = one.at("vectors")[i][j];
        worst = std::max(worst, std::abs(vectors[i][j] - expected));
        squares += expected * expected;
      }
      EXPECT_EQ(unknown[i], squares == 0) << "text " << i;
    }
    EXPECT_LT(worst, 1e-5) << "ngrams " << options.ngrams;
    EXPECT_EQ(std::ranges::count(unknown, 1), 2) << "a text of other words, and an empty one";
  }
}

const std::vector<std::string> kPets = {
    "the cat sleeps on the sofa", "a cat and a dog", "dogs run in the park", "the stock market fell",
    "stock markets rose",         "the dog sleeps",  "markets and stocks",   "a cat ran in a park"};

TEST(Tfidf, APluralIsItsWordAndFunctionWordsSayNothing) {
  const Texts texts = texts_of(kPets);
  const Tfidf tfidf = Tfidf::fit(passes_of(texts), {});
  EXPECT_EQ(tfidf.texts(), kPets.size());
  EXPECT_EQ(std::ranges::count(tfidf.terms(), "the"), 0);
  const Texts asked = texts_of({"dogs", "dog", "Dog!", "the", "zebra", "", "\xff\xfe"});
  std::vector<std::uint8_t> unknown(asked.size());
  const Matrix x = tfidf.encode(asked, 0, asked.size(), {}, &unknown);
  EXPECT_EQ(unknown, (std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1, 1}));
  for (Index j = 0; j < x.cols(); ++j) {
    EXPECT_EQ(x[0][j], x[1][j]);
    EXPECT_EQ(x[0][j], x[2][j]);
    for (Index i = 3; i < asked.size(); ++i) EXPECT_EQ(x[i][j], 0) << "defined, and no NaN";
  }
}

TEST(Tfidf, SameBitsForAnyThreadsBatchesAndOrder) {
  std::ifstream in(fs::path(SHOAL_SOURCE) / "tests/golden/encoder/debian.jsonl");
  Texts texts;
  for (std::string line; std::getline(in, line);) texts.add(nlohmann::json::parse(line).get<std::string>());
  ASSERT_EQ(texts.size(), 1000u);
  TfidfOptions options;
  options.tfidf_dims = 32;
  const auto bytes_of = [&](unsigned threads, Index batch) {
    const Tfidf tfidf = Tfidf::fit(passes_of(texts, batch), options, {.threads = threads});
    ArchiveWriter out(Tfidf::kind);
    tfidf.save(out);
    const ScratchFolder scratch;
    out.write(scratch / "a.safetensors");
    return std::pair(read_file(scratch / "a.safetensors", 1 << 30), tfidf.encode(texts, 0, 1000, {}));
  };
  const auto once = bytes_of(1, 1000), again = bytes_of(3, 1000);
  EXPECT_EQ(once.first, again.first);
  EXPECT_EQ(once.second, again.second);
  const Tfidf tfidf = Tfidf::fit(passes_of(texts, 1000), options);
  for (const Index i : {0u, 17u, 999u}) {
    const Matrix alone = tfidf.encode(texts, i, 1, {});
    EXPECT_TRUE(std::ranges::equal(alone[0], once.second[i])) << i;
  }
}

TEST(Tfidf, SavedAndLoaded) {
  const Texts texts = texts_of(kPets);
  const Tfidf tfidf = Tfidf::fit(passes_of(texts), {});
  const ScratchFolder scratch;
  const auto save = [&](const Tfidf& one, const char* name) {
    ArchiveWriter out(Tfidf::kind);
    one.save(out);
    out.write(scratch / name);
    return read_file(scratch / name, 1 << 20);
  };
  const std::string bytes = save(tfidf, "a.safetensors");
  const Tfidf loaded = Tfidf::load(ArchiveReader(scratch / "a.safetensors"));
  EXPECT_EQ(save(loaded, "b.safetensors"), bytes);
  EXPECT_EQ(loaded.encode(texts, 0, texts.size(), {}), tfidf.encode(texts, 0, texts.size(), {}));
}

TEST(Tfidf, NothingToLearnFrom) {
  const Texts none, apart = texts_of({"cat", "dog"}), empty = texts_of({"", " "});
  for (const Texts* texts : {&none, &apart, &empty}) {
    const Error e = error_of([&] { Tfidf::fit(passes_of(*texts), {}); });
    EXPECT_EQ(e.fault, Fault::data);
    EXPECT_NE(e.what(), std::string());
  }
  TfidfOptions once;
  once.min_texts = 1;
  EXPECT_EQ(Tfidf::fit(passes_of(apart), once).dims(), 2u);
}

}  // namespace
}  // namespace shoal
