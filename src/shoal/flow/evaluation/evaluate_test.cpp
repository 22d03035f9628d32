#include "shoal/flow/evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/measure/similarity.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Json& golden() {
  static const Json all = Json::parse(std::ifstream(SHOAL_SOURCE "/tests/golden/evaluators.json"));
  return all;
}

/// Text "t7" has row 7 of the golden vectors.
Matrix by_heart(const Texts& texts) {
  const Json& all = golden()["vectors"];
  Matrix out(texts.size(), all[0].size());
  for (Index i = 0; i < texts.size(); ++i) {
    const auto row = std::stoul(std::string(texts[i].substr(1)));
    for (Index j = 0; j < out.cols(); ++j) out[i][j] = all[row][j].get<float>();
  }
  return out;
}

std::string t(const Json& row) { return "t" + row.dump(); }

class Evaluate : public ::testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  EvaluationTask task(TaskKind kind, const std::string& text, const std::string& name = "t.csv") {
    ReadTaskOptions o;
    o.task = kind, o.file = file(name, text);
    return read_evaluation(o, {});
  }
  static Evaluation of(const EvaluationTask& task, unsigned threads = 2) {
    shoal::Run run;
    run.threads = threads;
    return evaluate(task, by_heart, run);
  }
  /// All that the other program says is said here, and equal.
  static void expect_equal(const Evaluation& found, const Json& metrics) {
    std::map<std::string, double> values;
    for (const NamedMetric& metric : found.metrics) values[metric.name] = metric.value;
    for (const auto& [name, value] : metrics.items()) {
      if (name.starts_with("max_") && name.ends_with("_threshold")) continue;  // of different scales
      ASSERT_TRUE(values.contains(name)) << name;
      const double scale = 1 + std::abs(value.get<double>());
      EXPECT_NEAR(values[name], value.get<double>(), 1e-6 * scale) << name;
    }
    EXPECT_LE(found.value.low, found.value.value);
    EXPECT_LE(found.value.value, found.value.high);
    EXPECT_GT(found.value.high - found.value.low, 0.01);
    EXPECT_EQ(found.value.value, values[found.main]);
  }

  const ScratchFolder folder_;
};

TEST_F(Evaluate, ScoredPairsEqualSentenceTransformers) {
  const Json& g = golden()["sts"];
  std::string text = "sentence1,sentence2,score\n";
  for (Index i = 0; i < g["scores"].size(); ++i)
    text += t(g["first"][i]) + "," + t(g["second"][i]) + "," + g["scores"][i].dump() + "\n";
  const EvaluationTask read = task(TaskKind::sts, text);
  EXPECT_EQ(read.in_words(), "70 scored pairs");
  const Evaluation one = of(read, 1), three = of(read, 3);
  expect_equal(one, g["metrics"]);
  EXPECT_EQ(one.main, "spearman_cosine");
  EXPECT_EQ(one.metrics.front().name, "pearson_cosine");
  EXPECT_EQ(one.resampled.drawn, three.resampled.drawn);
}

TEST_F(Evaluate, PairsEqualSentenceTransformers) {
  const Json& g = golden()["pairs"];
  std::string text = "text_a,text_b,label\n";
  for (Index i = 0; i < g["labels"].size(); ++i)
    text += t(g["first"][i]) + "," + t(g["second"][i]) + "," + g["labels"][i].dump() + "\n";
  const Evaluation found = of(task(TaskKind::pairs, text));
  expect_equal(found, g["metrics"]);
  EXPECT_EQ(found.main, "cosine_ap");
}

TEST_F(Evaluate, TripletsEqualSentenceTransformers) {
  const Json& g = golden()["triplet"];
  std::string text, tuple = "anchor,positive,negative_1,negative_2\n";
  for (Index i = 0; i < g["anchor"].size(); ++i) {
    const std::string row = t(g["anchor"][i]) + "\t" + t(g["positive"][i]) + "\t" + t(g["negative"][i]);
    text += (i == 0 ? "a\tp\tn\n" : "") + row + "\n";  // by order
    std::string cells = row;
    std::ranges::replace(cells, '\t', ',');
    tuple += cells + "," + t(g["negative"][i]) + "\n";
  }
  const EvaluationTask read = task(TaskKind::triplet, text, "t.tsv");
  EXPECT_EQ(read.columns, (std::vector<std::string>{"a", "p", "n"}));
  expect_equal(of(read), g["metrics"]);
  const EvaluationTask twice = task(TaskKind::triplet, tuple, "n.csv");
  EXPECT_EQ(twice.rows.size(), 2 * read.rows.size());
  EXPECT_EQ(of(twice).value.value, of(read).value.value);
}

TEST_F(Evaluate, RetrievalEqualsSentenceTransformers) {
  const Json& g = golden()["retrieval"];
  std::string pairs = "query,passage\n", corpus, ids = "query-id\tcorpus-id\tscore\n", queries, passages;
  for (Index i = 0; i < g["queries"].size(); ++i)
    for (const Json& c : g["relevant"][i]) {
      pairs += t(g["queries"][i]) + "," + t(c) + "\n";
      ids += "q" + g["queries"][i].dump() + "\t" + c.dump() + "\t1\n";
    }
  ids += "q0\t25\t0\n";  // judged, and not relevant
  for (const Json& q : g["queries"]) queries += Json{{"_id", "q" + q.dump()}, {"text", t(q)}}.dump() + "\n";
  for (const Json& c : g["corpus"]) {
    corpus += t(c) + "\n";
    passages += Json{{"_id", c.dump()}, {"title", ""}, {"text", t(c)}}.dump() + "\n";
  }
  ReadTaskOptions o;
  o.task = TaskKind::retrieval;
  o.file = file("pairs.csv", pairs), o.corpus = file("corpus.txt", corpus);
  const EvaluationTask read = read_evaluation(o, {});
  EXPECT_EQ(read.in_words(), "20 queries, 70 passages");
  Evaluation found = of(read);
  expect_equal(found, g["metrics"]);
  EXPECT_EQ(found.main, "cosine_ndcg@10");

  fs::create_directories(folder_ / "beir/qrels");
  file("beir/queries.jsonl", queries), file("beir/corpus.jsonl", passages), file("beir/qrels/test.tsv", ids);
  o.file = folder_ / "beir", o.corpus.clear();
  expect_equal(of(read_evaluation(o, {})), g["metrics"]);
  o.split = "dev";
  EXPECT_NE(std::string(error_of([&] { read_evaluation(o, {}); }).what()).find("test.tsv"),
            std::string::npos);
  o.file = folder_ / "beir/qrels/test.tsv", o.queries = folder_ / "beir/queries.jsonl";
  o.corpus = folder_ / "beir/corpus.jsonl";
  expect_equal(of(read_evaluation(o, {})), g["metrics"]);
}

TEST_F(Evaluate, RerankingEqualsSentenceTransformers) {
  const Json& g = golden()["rerank"];
  std::string lists, rows = "query,passage,label\n";
  for (const Json& sample : g["samples"]) {
    Json line{{"query", t(sample["query"])}, {"positive", Json::array()}, {"negative", Json::array()}};
    for (const char* side : {"positive", "negative"})
      for (const Json& c : sample[side]) {
        line[side].push_back(t(c));
        rows += t(sample["query"]) + "," + t(c) + (side[0] == 'p' ? ",1\n" : ",0\n");
      }
    lists += line.dump() + "\n";
  }
  lists += R"({"query":"t1","positive":["t2"],"negative":[]})"
           "\n";  // nothing to order
  const EvaluationTask read = task(TaskKind::rerank, lists, "r.jsonl");
  EXPECT_EQ(read.lonely, 1u);
  const Evaluation found = of(read);
  expect_equal(found, g["metrics"]);
  EXPECT_EQ(found.main, "ndcg@10");
  expect_equal(of(task(TaskKind::rerank, rows)), g["metrics"]);
  // A judge of pairs that knows the cosines says the same; one that turns them round does not.
  for (const float sign : {1.0f, -1.0f}) {
    const ScorePairs judge = [&](const Texts& first, const Texts& second) {
      const Matrix a = by_heart(first), b = by_heart(second);
      std::vector<float> out;
      for (const double s : pair_similarities(a.view(), b.view(), Similarity::cosine))
        out.push_back(sign * static_cast<float>(s));
      return out;
    };
    const Evaluation judged = evaluate_pairs(read, judge, {});
    EXPECT_EQ(judged.value.value == found.value.value, sign > 0);
    EXPECT_EQ(judged.dims, 0u);
  }
}

TEST_F(Evaluate, LabelsAreFollowedWhereVectorsDo) {
  const auto two_kinds = [](const Texts& texts) {
    Matrix out(texts.size(), 3);
    for (Index i = 0; i < texts.size(); ++i) {
      const bool apple = texts[i].starts_with("apple");
      out[i][0] = apple, out[i][1] = !apple, out[i][2] = 0.01f * static_cast<float>(texts[i].back() - '0');
    }
    return out;
  };
  std::string text = "text,label\n", train = text;
  for (int i = 0; i < 40; ++i) {
    (i < 20 ? text : train) += "apple " + std::to_string(i) + ",a\n";
    (i < 20 ? text : train) += "bear " + std::to_string(i) + ",b\n";
  }
  const auto value = [](const Evaluation& e, const std::string& name) {
    for (const NamedMetric& metric : e.metrics)
      if (metric.name == name) return metric.value;
    ADD_FAILURE() << name;
    return -1.0;
  };
  const Evaluation clusters = evaluate(task(TaskKind::clustering, text), two_kinds, {});
  EXPECT_EQ(clusters.main, "v_measure");
  EXPECT_DOUBLE_EQ(clusters.value.value, 1);
  EXPECT_EQ(value(clusters, "v_measure_std"), 0);
  const Evaluation classes = evaluate(task(TaskKind::classification, text), two_kinds, {});
  EXPECT_EQ(classes.main, "accuracy");
  for (const char* name : {"accuracy", "f1", "ap"}) EXPECT_DOUBLE_EQ(value(classes, name), 1) << name;
  ReadTaskOptions o;
  o.task = TaskKind::classification, o.file = file("x.csv", text), o.train = file("y.csv", train);
  const EvaluationTask apart = read_evaluation(o, {});
  EXPECT_EQ(std::ranges::count(apart.labels.learn, 1), 40);
  EXPECT_DOUBLE_EQ(evaluate(apart, two_kinds, {}).value.value, 1);
  const auto blind = [](const Texts& texts) { return Matrix(texts.size(), 3); };
  EXPECT_EQ(evaluate(task(TaskKind::clustering, text), blind, {}).value.value, 0);
}

TEST_F(Evaluate, EachTextIsEmbeddedOnceForEachRoleThatDiffers) {
  const std::string text = "anchor,positive,negative\nt1,t2,t3\nt2,t1,t3\nt1,t3,t2\n";
  Index plain = 0, queries = 0, documents = 0;
  const auto count = [](Index& n) {
    return [&n](const Texts& texts) { return n += texts.size(), by_heart(texts); };
  };
  const EvaluationTask read = task(TaskKind::triplet, text);
  const Evaluation a = evaluate(read, EmbedTexts(count(plain)), {});
  EXPECT_EQ(plain, 3u);
  const Evaluation b = evaluate(read, Embedders{count(plain), count(queries), count(documents)}, {});
  EXPECT_EQ(plain, 3u);
  EXPECT_EQ(queries, 2u);
  EXPECT_EQ(documents, 3u);
  EXPECT_EQ(a.value.value, b.value.value);
}

TEST_F(Evaluate, MainMetricMayBeChosen) {
  EvaluateOptions o;
  o.metric = "pearson_dot";
  const EvaluationTask read = task(TaskKind::sts, "a,b,c\nt1,t2,1\nt3,t4,2\nt5,t6,\"4\"\n");
  EXPECT_EQ(evaluate(read, EmbedTexts(by_heart), {}, o).main, "pearson_dot");
  o.metric = "accuracy";
  EXPECT_NE(std::string(error_of([&] { evaluate(read, EmbedTexts(by_heart), {}, o); }).what())
                .find("it may be spearman_cosine, spearman_dot"),
            std::string::npos);
  o.metric.clear(), o.resamples = 0;
  const Evaluation none = evaluate(read, EmbedTexts(by_heart), {}, o);
  EXPECT_EQ(none.value.low, none.value.high);
}

TEST_F(Evaluate, SaysWhatIsWrongAndWhere) {
  const auto refused = [&](TaskKind kind, const std::string& text, Fault fault,
                           const std::string& name = "t.csv") {
    const Error e = error_of([&] { task(kind, text, name); });
    EXPECT_EQ(e.fault, fault) << e.what();
    return std::string(e.what());
  };
  const auto expect = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(refused(TaskKind::sts, "id,sentence1,other\n1,a,b\n", Fault::argument),
         "has no column for sentence2, score; the columns are \"id\", \"sentence1\", \"other\"");
  expect(refused(TaskKind::sts, "sentence1,sentence2,score\na,b,1\nc,d,high\n", Fault::data),
         "row 2 has 'high' as score");
  expect(refused(TaskKind::sts, "sentence1,sentence2,score\na,b,1\nc,d,1\n", Fault::data), "the same score");
  expect(refused(TaskKind::sts, "sentence1,sentence2,score\na,,1\n,d,2\n", Fault::data),
         "2 of its rows have an empty cell where one is needed, the first is");
  expect(refused(TaskKind::pairs, "sentence1,sentence2,label\na,b,1\nc,d,1\n", Fault::data),
         "pairs of one class only: all are 1");
  expect(refused(TaskKind::pairs, "sentence1,sentence2,label\na,b,1\nc,d,0.5\n", Fault::data),
         "row 2 has '0.5' as label");
  expect(refused(TaskKind::clustering, "text,label\na,x\nb,x\n", Fault::data), "1 label only");
  expect(refused(TaskKind::classification, "text,label\na,x\nb,x\nc,y\n", Fault::data),
         "1 label that stands in two rows or more");
  expect(refused(TaskKind::retrieval, "query,passage\na,b\n", Fault::data), "one passage only");
  expect(refused(TaskKind::rerank, "query,passage,label\na,b,1\na,c,1\n", Fault::data), "no query with both");
  expect(refused(TaskKind::rerank, "{\"query\":\"a\",\"positive\":[1],\"negative\":[\"b\"]}\n", Fault::data,
                 "t.jsonl"),
         "a text or a list of texts");
  expect(
      refused(TaskKind::sts, "{\"sentence1\":5,\"sentence2\":\"a\",\"score\":1}\n", Fault::data, "t.jsonl"),
      "row 1 has 5 as sentence1; a text is needed");
  refused(TaskKind::sts, "", Fault::data);
  expect(refused(TaskKind::triplet, "text_a,text_b,score\na b,c d,1.5\ne f,g h,2.5\n", Fault::argument),
         "score, which stands there, holds numbers");
  const EvaluationTask some = task(TaskKind::sts, "sentence1,sentence2,score\na,b,1\nc,,2\nd,e,\nf,g,3\n");
  EXPECT_EQ(some.blank, 2u);
  EXPECT_EQ(some.rows.size(), 2u);
  EXPECT_NE(some.first_blank.find("row 2"), std::string::npos);
  EXPECT_EQ(task(TaskKind::sts, "sentence1;sentence2;score\na;b;1,5\nc;d;2,75\n").scores[1], 2.75);
  const auto nan = [](const Texts& texts) {
    Matrix out(texts.size(), 2);
    out[0][0] = NAN;
    return out;
  };
  expect(error_of([&] { evaluate(some, EmbedTexts(nan), {}); }).what(), "not finite");
}

}  // namespace
}  // namespace shoal
