#include "shoal/encode/sequence_head.h"

#include <gtest/gtest.h>

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

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden";
const char* const kModels[] = {"roberta_several", "bert_one", "distilbert_plain"};

Texts golden_texts() {
  Texts out;
  std::ifstream in(kGolden / "encoder/texts.jsonl");
  for (std::string line; std::getline(in, line);) out.add(json::parse(line).get<std::string>());
  return out;
}

/// A copy of a golden model whose config.json a test changes.
class Changed {
 public:
  explicit Changed(const char* model) {
    fs::copy(kGolden / "sequence_heads" / model, folder(), fs::copy_options::recursive);
  }
  fs::path folder() const { return scratch_ / "model"; }
  void set(const char* field, const json& value) const {
    json config = json::parse(read_file(folder() / "config.json", 1 << 20));
    config[field] = value;
    std::ofstream(folder() / "config.json") << config.dump();
  }

 private:
  const ScratchFolder scratch_;
};

/// What the last layer of transformers reads, and what it gives.
TEST(SequenceHead, FeaturesAndLogitsAreThoseOfTransformers) {
  const Texts texts = golden_texts();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const fs::path folder = kGolden / "sequence_heads" / name;
    ASSERT_TRUE(is_classifier_folder(folder));
    const ArchiveReader golden(folder.string() + ".safetensors");
    const Matrix features = golden.matrix("features"), logits = golden.matrix("logits");
    const Encoder encoder = Encoder::load(folder, {}, {}, EncoderUse::features);
    const Matrix found = encoder.encode(texts).to_matrix();
    ASSERT_EQ(found.rows(), features.rows());
    ASSERT_EQ(found.cols(), features.cols());
    const SequenceHead head = read_sequence_head(folder);
    ASSERT_EQ(head.labels.size(), logits.cols());
    for (Index i = 0; i < found.rows(); ++i) {
      for (Index j = 0; j < found.cols(); ++j) EXPECT_NEAR(found[i][j], features[i][j], 1e-5);
      for (Index c = 0; c < logits.cols(); ++c) {
        double z = static_cast<double>(head.bias[c]);
        for (Index j = 0; j < found.cols(); ++j)
          z += static_cast<double>(head.weight[c][j]) * static_cast<double>(found[i][j]);
        EXPECT_NEAR(z, static_cast<double>(logits[i][c]), 1e-5);
      }
    }
    EXPECT_TRUE(encoder.space().id.starts_with(std::string(name) + ".features@"));
    // The mean of tokens is another space, and not only by its name.
    EXPECT_NE(model_of(encoder.space().id), model_of(Encoder::load(folder).space().id));
  }
}

TEST(SequenceHead, SaysWhatItsLabelsAreAndHowManyARowHas) {
  const SequenceHead several = read_sequence_head(kGolden / "sequence_heads/roberta_several");
  EXPECT_EQ(several.labels, (std::vector<std::string>{"joy", "anger", "fear; or awe", "neutral"}));
  EXPECT_TRUE(several.several);
  EXPECT_FALSE(read_sequence_head(kGolden / "sequence_heads/bert_one").several);
  EXPECT_FALSE(read_sequence_head(kGolden / "sequence_heads/distilbert_plain").several);
  EXPECT_FALSE(is_classifier_folder(kGolden / "encoder/bert_bare"));
  EXPECT_FALSE(is_classifier_folder(kGolden / "nothing"));
}

TEST(SequenceHead, RefusesWhatItCannotDo) {
  const Changed model("bert_one");
  const auto refused = [&] { return error_of([&] { read_sequence_head(model.folder()); }); };
  const auto says = [&](const char* words) {
    return std::string(refused().what()).find(words) != std::string::npos;
  };
  model.set("problem_type", "regression");
  EXPECT_EQ(refused().fault, Fault::unsupported);
  EXPECT_TRUE(says("problem_type"));
  model.set("problem_type", "ranking");
  EXPECT_EQ(refused().fault, Fault::format);
  model.set("problem_type", nullptr);
  model.set("id2label", {{"0", "a"}, {"1", "b"}});
  EXPECT_TRUE(says("classifier.weight has the shape [3, 16]"));
  model.set("id2label", {{"0", "a"}, {"1", "b"}, {"3", "c"}});
  EXPECT_TRUE(says("it must name the labels 0 to 2"));
  model.set("id2label", {{"0", "a"}, {"1", "b"}, {"2", "a"}});
  EXPECT_TRUE(says("one name, a"));
  model.set("id2label", nullptr);
  model.set("num_labels", 3);
  EXPECT_EQ(read_sequence_head(model.folder()).labels[2], "LABEL_2");
  model.set("architectures", {"BertForTokenClassification"});
  EXPECT_FALSE(is_classifier_folder(model.folder()));
  EXPECT_TRUE(says("ForSequenceClassification"));
}

}  // namespace
}  // namespace shoal
