#include "shoal/encode/cross_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/cross";
const char* const kModels[] = {"bert_1",        "bert_3",        "roberta_1",   "roberta_3",
                               "xlm_roberta_1", "xlm_roberta_3", "camembert_1", "camembert_3",
                               "distilbert_1",  "distilbert_3",  "mpnet_1",     "mpnet_3"};

struct Pairs {
  Texts firsts, seconds;
  Index size() const { return firsts.size(); }
};

Pairs golden_pairs() {
  Pairs out;
  std::ifstream in(kGolden / "pairs.jsonl");
  for (std::string line; std::getline(in, line);) {
    const json pair = json::parse(line);
    out.firsts.add(pair[0].get<std::string>());
    out.seconds.add(pair[1].get<std::string>());
  }
  return out;
}

/// A copy of a golden model whose JSON files a test changes.
class Changed {
 public:
  explicit Changed(const char* model) { fs::copy(kGolden / model, folder(), fs::copy_options::recursive); }
  fs::path folder() const { return scratch_ / "model"; }
  void set(const char* file, const char* field, const json& value) const {
    json config =
        fs::exists(folder() / file) ? json::parse(read_file(folder() / file, 1 << 20)) : json::object();
    config[field] = value;
    std::ofstream(folder() / file) << config.dump();
  }
  Error refused() const {
    return error_of([&] { CrossEncoder::load(folder()); });
  }

 private:
  const ScratchFolder scratch_;
};

bool says(const Error& error, const char* words) {
  return std::string(error.what()).find(words) != std::string::npos;
}

void expect_near(const Matrix& found, const Matrix& expected, float by) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.cols(), expected.cols());
  for (Index i = 0; i < found.rows(); ++i)
    for (Index j = 0; j < found.cols(); ++j) EXPECT_NEAR(found[i][j], expected[i][j], by) << i << ", " << j;
}

TEST(CrossEncoder, PairsAreTokenizedAsTransformersDoes) {
  const Pairs pairs = golden_pairs();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const CrossFolder folder = read_cross_folder(kGolden / name);
    const PairTokens found = PairTokenizer::load(folder.model)
                                 .encode(pairs.firsts, pairs.seconds, 0, pairs.size(), folder.model.limit);
    const ArchiveReader golden(kGolden / (name + std::string(".safetensors")));
    const auto same = [&](const char* what, const auto& own) {
      const auto expected = golden.integers(what);
      ASSERT_EQ(own.size(), expected.size()) << what;
      for (Index i = 0; i < own.size(); ++i)
        ASSERT_EQ(static_cast<std::int64_t>(own[i]), expected[i]) << what << " " << i;
    };
    same("starts", found.starts);
    same("ids", found.ids);
    ASSERT_EQ(!found.types.empty(), golden.has("types"));
    if (golden.has("types")) same("types", found.types);
    EXPECT_GE(found.cut, 5u);
  }
}

TEST(CrossEncoder, ScoresAreThoseOfSentenceTransformers) {
  const Pairs pairs = golden_pairs();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const CrossEncoder model = CrossEncoder::load(kGolden / name);
    const ArchiveReader golden(kGolden / (name + std::string(".safetensors")));
    Index cut = 0;
    expect_near(model.scores(pairs.firsts, pairs.seconds, {}, {}, &cut), golden.matrix("scores"), 1e-5f);
    EXPECT_GE(cut, 5u);
    expect_near(model.scores(pairs.firsts, pairs.seconds, {.scale = ScoreScale::logits}),
                golden.matrix("logits"), 1e-5f);
    EXPECT_TRUE(model.id().starts_with(std::string(name) + "@"));
    EXPECT_EQ(model.name(), name);
  }
}

TEST(CrossEncoder, SameBitsAloneInAnyBatchAndForAnyThreads) {
  const Pairs pairs = golden_pairs();
  for (const char* name : {"bert_3", "mpnet_1"}) {
    SCOPED_TRACE(name);
    const CrossEncoder model = CrossEncoder::load(kGolden / name);
    const Matrix all = model.scores(pairs.firsts, pairs.seconds);
    shoal::Run run;
    run.threads = 3;
    Pairs turned;
    for (Index i = pairs.size(); i-- > 0;) {
      turned.firsts.add(pairs.firsts[i]);
      turned.seconds.add(pairs.seconds[i]);
    }
    const Matrix other_way = model.scores(turned.firsts, turned.seconds, {}, run);
    for (Index i = 0; i < pairs.size(); ++i) {
      Pairs one;
      one.firsts.add(pairs.firsts[i]);
      one.seconds.add(pairs.seconds[i]);
      const Matrix alone = model.scores(one.firsts, one.seconds);
      for (Index c = 0; c < all.cols(); ++c) {
        EXPECT_EQ(alone[0][c], all[i][c]);
        EXPECT_EQ(other_way[pairs.size() - 1 - i][c], all[i][c]);
      }
    }
  }
}

TEST(CrossEncoder, ScalesOfScores) {
  const Pairs pairs = golden_pairs();
  const CrossEncoder three = CrossEncoder::load(kGolden / "bert_3");
  const auto scores = [&](ScoreScale scale) {
    return three.scores(pairs.firsts, pairs.seconds, {.scale = scale});
  };
  const Matrix logits = scores(ScoreScale::logits), each = scores(ScoreScale::sigmoid),
               together = scores(ScoreScale::softmax);
  for (Index i = 0; i < logits.rows(); ++i) {
    double sum = 0;
    for (Index c = 0; c < logits.cols(); ++c) sum += std::exp(static_cast<double>(logits[i][c]));
    for (Index c = 0; c < logits.cols(); ++c) {
      const auto z = static_cast<double>(logits[i][c]);
      EXPECT_NEAR(each[i][c], 1 / (1 + std::exp(-z)), 1e-6);
      EXPECT_NEAR(together[i][c], std::exp(z) / sum, 1e-6);
    }
  }
  EXPECT_EQ(three.labels().size(), 3u);
  const Error error = error_of([&] {
    CrossEncoder::load(kGolden / "bert_1")
        .scores(pairs.firsts, pairs.seconds, {.scale = ScoreScale::softmax});
  });
  EXPECT_EQ(error.fault, Fault::argument);
}

TEST(CrossEncoder, TakesAFewTokensAndSaysSo) {
  const Pairs pairs = golden_pairs();
  const CrossEncoder model = CrossEncoder::load(kGolden / "bert_1");
  EXPECT_EQ(model.max_tokens(), 32u);
  Index cut = 0, all = 0;
  model.scores(pairs.firsts, pairs.seconds, {}, {}, &all);
  model.scores(pairs.firsts, pairs.seconds, {.max_tokens = 8}, {}, &cut);
  EXPECT_GT(cut, all);
  const auto refused = [&](Index most) {
    return error_of([&] { model.scores(pairs.firsts, pairs.seconds, {.max_tokens = most}); });
  };
  EXPECT_TRUE(says(refused(33), "allowed for this model: 1..32"));
  EXPECT_TRUE(says(refused(3), "special tokens take 3 of 3"));
  Texts one;
  one.add("a");
  EXPECT_TRUE(says(error_of([&] { model.scores(pairs.firsts, one); }), "16 first texts and 1 second"));
}

TEST(CrossEncoder, PromptsStandBeforeTheFirstText) {
  const Changed changed("bert_3");
  changed.set("config_sentence_transformers.json", "prompts", {{"query", "the licence "}});
  const CrossEncoder model = CrossEncoder::load(changed.folder());
  EXPECT_EQ(model.prompts(), std::vector<std::string>{"query"});
  Texts plain, prompted, seconds;
  plain.add("of text");
  prompted.add("the licence of text");
  seconds.add("in any form");
  const ScoreOptions by_name{.prompt = "query"};
  EXPECT_EQ(model.scores(plain, seconds, by_name), model.scores(prompted, seconds));
  EXPECT_NE(model.scores(plain, seconds), model.scores(prompted, seconds));
  changed.set("config_sentence_transformers.json", "default_prompt_name", "query");
  EXPECT_EQ(CrossEncoder::load(changed.folder()).scores(plain, seconds), model.scores(prompted, seconds));
}

TEST(CrossEncoder, TheNetworkIsToldTypesOnlyIfTheTokenizerNamesThem) {
  const Pairs pairs = golden_pairs();
  const Changed changed("bert_1");
  const Matrix with = CrossEncoder::load(changed.folder()).scores(pairs.firsts, pairs.seconds);
  changed.set("tokenizer_config.json", "model_input_names", {"input_ids", "attention_mask"});
  const Matrix without = CrossEncoder::load(changed.folder()).scores(pairs.firsts, pairs.seconds);
  EXPECT_NE(with, without);
  changed.set("tokenizer_config.json", "model_input_names", {"input_ids", "token_type_ids"});
  changed.set("tokenizer_config.json", "tokenizer_class", "PreTrainedTokenizerFast");
  EXPECT_EQ(CrossEncoder::load(changed.folder()).scores(pairs.firsts, pairs.seconds), with);
  changed.set("config.json", "type_vocab_size", 1);
  EXPECT_TRUE(says(changed.refused(), "gives the type 1, but config.json's type_vocab_size is 1"));
}

TEST(CrossEncoder, ActivationsOfOldAndNewFolders) {
  const auto of = [](const Changed& changed) { return read_cross_folder(changed.folder()).activation; };
  const Changed plain("bert_1"), ours("roberta_1");
  EXPECT_EQ(of(plain), ScoreActivation::sigmoid);
  EXPECT_EQ(of(ours), ScoreActivation::tanh);
  EXPECT_EQ(read_cross_folder(kGolden / "bert_3").activation, ScoreActivation::identity);
  plain.set("config.json", "sbert_ce_default_activation_function", "torch.nn.modules.linear.Identity");
  EXPECT_EQ(of(plain), ScoreActivation::identity);
  plain.set("config.json", "sentence_transformers",
            {{"activation_fn", "torch.nn.modules.activation.Tanh"}, {"version", "5.1.0"}});
  EXPECT_EQ(of(plain), ScoreActivation::tanh);
  plain.set("config.json", "sentence_transformers", {{"activation_fn", "someones.own.Function"}});
  EXPECT_EQ(of(plain), ScoreActivation::sigmoid);  // as sentence-transformers without trust_remote_code
  plain.set("config.json", "sentence_transformers", {{"activation_fn", "torch.nn.modules.activation.GELU"}});
  EXPECT_EQ(plain.refused().fault, Fault::unsupported);
  EXPECT_TRUE(says(plain.refused(), "shoal computes torch.nn's Identity, Sigmoid and Tanh"));
}

TEST(CrossEncoder, RegressionIsAKindOfScore) {
  const Pairs pairs = golden_pairs();
  const Changed changed("distilbert_1");
  const Matrix before = CrossEncoder::load(changed.folder()).scores(pairs.firsts, pairs.seconds);
  changed.set("config.json", "problem_type", "regression");
  EXPECT_EQ(CrossEncoder::load(changed.folder()).scores(pairs.firsts, pairs.seconds), before);
}

TEST(CrossEncoder, KnowsItsFolders) {
  EXPECT_TRUE(is_cross_folder(kGolden / "bert_1"));
  EXPECT_TRUE(is_cross_folder(kGolden / "bert_3"));
  EXPECT_FALSE(is_cross_folder(kGolden / "../encoder/bert_old"));
  EXPECT_FALSE(is_cross_folder(kGolden / "nothing"));
}

TEST(CrossEncoder, RefusesWhatItCannotDo) {
  EXPECT_EQ(error_of([] { CrossEncoder::load(kGolden / "nothing"); }).fault, Fault::file);
  EXPECT_TRUE(says(error_of([] { CrossEncoder::load(kGolden / "../encoder/bert_bare"); }),
                   "ForSequenceClassification"));
  EXPECT_TRUE(says(error_of([] { CrossEncoder::load(kGolden / "../encoder/bert_old"); }),
                   "whose only module is a Transformer"));
  const Changed task("bert_3"), pair("bert_1"), lost("bert_1");
  task.set("sentence_bert_config.json", "transformer_task", "text-generation");
  EXPECT_TRUE(says(task.refused(), "shoal runs sequence-classification here"));
  json file = json::parse(read_file(pair.folder() / "tokenizer.json", 1 << 20));
  file["post_processor"]["pair"][2]["SpecialToken"]["id"] = "[CLS]";
  std::ofstream(pair.folder() / "tokenizer.json") << file.dump();
  EXPECT_EQ(pair.refused().fault, Fault::unsupported);
  EXPECT_TRUE(says(pair.refused(), "joins two texts in another way than tokenizer_class BertTokenizer"));
  lost.set("config.json", "id2label", {{"0", "a"}, {"1", "b"}});
  EXPECT_TRUE(says(lost.refused(), "classifier.weight has the shape [1, 8]"));
}

}  // namespace
}  // namespace shoal
