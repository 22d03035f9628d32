#include "shoal/encode/token_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/static";

Texts golden_texts() {
  Texts out;
  std::ifstream in(kGolden / "texts.jsonl");
  for (std::string line; std::getline(in, line);) out.add(json::parse(line).get<std::string>());
  return out;
}

/// A copy of a golden model that a test changes.
class Changed {
 public:
  explicit Changed(const char* model) { fs::copy(kGolden / model, folder(), fs::copy_options::recursive); }
  fs::path folder() const { return scratch_ / "model"; }
  void set(const char* field, const json& value) const {
    json config = json::parse(read_file(folder() / "config.json", 1 << 20));
    config[field] = value;
    std::ofstream(folder() / "config.json") << config.dump();
  }
  /// Writes the weights anew, but for what `change` does to them.
  template <class Change>
  void rewrite(const Change& change) const {
    const fs::path path = folder() / "model.safetensors";
    ArchiveWriter out("static");
    {
      const ArchiveReader old(path);
      for (const auto& [name, tensor] : old.tensors())
        if (!change(name, out)) {
          if (name == "mapping")
            out.add(name, std::span<const std::int64_t>(old.integers(name)));
          else if (name == "weights")
            out.add(name, std::span<const float>(old.floats(name, tensor.count())));
          else
            out.add(name, old.matrix(name));
        }
    }
    fs::remove(path);
    out.write(path);
  }

 private:
  const ScratchFolder scratch_;
};

TEST(StaticModels, VectorsAreThoseOfTheirLibraries) {
  const Texts texts = golden_texts();
  for (const char* name :
       {"plain", "short", "mapped", "half", "bytes", "bytes_mapped", "double", "sentence", "folded"}) {
    SCOPED_TRACE(name);
    const Matrix want = ArchiveReader(kGolden / (std::string(name) + ".safetensors")).matrix("vectors");
    const Encoder encoder = Encoder::load(kGolden / name);
    EXPECT_EQ(encoder.kind(), ModelKind::tokens);
    const Matrix found = encoder.encode(texts, {}, {.threads = 1}).to_matrix();
    ASSERT_EQ(found.rows(), want.rows());
    ASSERT_EQ(found.cols(), want.cols());
    double largest = 0;
    for (Index i = 0; i < want.rows() * want.cols(); ++i)
      largest = std::max(largest, std::abs(static_cast<double>(want.data()[i])));
    for (Index i = 0; i < want.rows(); ++i)
      for (Index j = 0; j < want.cols(); ++j)
        EXPECT_NEAR(found[i][j], want[i][j], 2e-6 * std::max(1.0, largest)) << "text " << i;
    EXPECT_EQ(encoder.encode(texts, {}, {.threads = 3}).to_matrix(), found);
  }
}

TEST(StaticModels, ConfigSaysHowManyTokensAndWhetherScaled) {
  EXPECT_EQ(Encoder::load(kGolden / "plain").max_tokens(), 512u);
  EXPECT_EQ(Encoder::load(kGolden / "short").max_tokens(), 7u);
  EXPECT_EQ(Encoder::load(kGolden / "mapped").max_tokens(), 0u);
  EXPECT_EQ(Encoder::load(kGolden / "sentence").max_tokens(), 9u);
  EXPECT_TRUE(Encoder::load(kGolden / "plain").space().unit);
  EXPECT_FALSE(Encoder::load(kGolden / "short").space().unit);
  EXPECT_FALSE(Encoder::load(kGolden / "half").space().unit);  // float16 is not exactly 1

  const Changed plain("plain");
  plain.set("normalize", false);
  plain.set("max_length", 3);
  const Encoder changed = Encoder::load(plain.folder());
  EXPECT_FALSE(changed.space().unit);
  EXPECT_EQ(changed.max_tokens(), 3u);
  EXPECT_NE(changed.space().id, Encoder::load(kGolden / "plain").space().id);
  fs::remove(plain.folder() / "modules.json");
  EXPECT_FALSE(Encoder::load(plain.folder()).space().unit);
}

TEST(StaticModels, LongTextsAreToldOfAndChunksAreAllOfThem) {
  const Texts texts = golden_texts();
  const Encoder encoder = Encoder::load(kGolden / "short");
  EncodeCounts counts;
  encoder.encode(texts, {}, {}, &counts);
  EXPECT_GT(counts.cut, 5u);
  const Matrix whole = encoder.encode(texts, {.long_texts = LongTexts::chunk}, {}, &counts).to_matrix();
  EXPECT_EQ(counts.cut, 0u);
  const Changed changed("short");
  changed.set("max_length", nullptr);
  EXPECT_EQ(Encoder::load(changed.folder()).encode(texts).to_matrix(), whole);
  EXPECT_EQ(encoder.encode(texts, {.max_tokens = 7}).to_matrix(), encoder.encode(texts).to_matrix());
}

TEST(StaticModels, ATextThatIsCutByLettersAndByTokensCountsOnce) {
  const Encoder encoder = Encoder::load(kGolden / "short");
  const auto cut = [&](const std::vector<std::string>& of) {
    Texts texts;
    for (const std::string& text : of) texts.add(text);
    EncodeCounts counts;
    encoder.encode(texts, {}, {}, &counts);
    return counts.cut;
  };
  std::string marks, word(500, 'a');
  for (int i = 0; i < 500; ++i) marks += "! ";
  EXPECT_EQ(cut({marks}), 1u) << "over the letters, and over the tokens in what is left";
  EXPECT_EQ(cut({word}), 1u);
  EXPECT_EQ(cut({"a", marks, "b", word}), 2u);
  EXPECT_EQ(cut({"a", "! ! ! ! ! ! !"}), 0u) << "seven tokens are not cut";
  EXPECT_EQ(cut({"! ! ! ! ! ! ! !"}), 1u);
}

TEST(StaticModels, DamageIsNamed) {
  const auto fault_of = [](const Changed& changed, const char* says) {
    const auto error = error_of([&] { Encoder::load(changed.folder()); });
    EXPECT_EQ(error.fault, Fault::format);
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  };
  const Index tokens = ArchiveReader(kGolden / "mapped/model.safetensors").tensor("mapping").count();
  for (const std::int64_t row : {-1, 40}) {
    const Changed changed("mapped");
    changed.rewrite([&](const std::string& name, ArchiveWriter& out) {
      if (name != "mapping") return false;
      std::vector<std::int64_t> mapping(tokens, 0);
      mapping[3] = row;
      out.add(name, std::span<const std::int64_t>(mapping));
      return true;
    });
    fault_of(changed, "for token 3");
  }
  for (const char* gone : {"mapping", "weights"}) {
    const Changed changed("mapped");
    changed.rewrite([&](const std::string& name, ArchiveWriter& out) {
      if (name == gone && name == "weights")
        out.add(name, std::span<const float>(std::vector<float>(3, 1.0f)));
      return name == gone;
    });
    fault_of(changed, "weights must be");
  }
  {
    const Changed changed("mapped");
    const std::vector<std::int64_t> nine(9, 0);
    const std::vector<float> ones(9, 1.0f);
    changed.rewrite([&](const std::string& name, ArchiveWriter& out) {
      if (name == "mapping") out.add(name, std::span<const std::int64_t>(nine));
      if (name == "weights") out.add(name, std::span<const float>(ones));
      return name != "embeddings";
    });
    fault_of(changed, "there are vectors of 9");
  }
  const Changed changed("plain");
  changed.set("max_length", "long");
  fault_of(changed, "max_length");
  fs::remove(changed.folder() / "tokenizer.json");
  EXPECT_EQ(error_of([&] { Encoder::load(changed.folder()); }).fault, Fault::file);
}

}  // namespace
}  // namespace shoal
