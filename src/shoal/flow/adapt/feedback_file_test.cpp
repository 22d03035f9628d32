#include "shoal/flow/adapt/feedback_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/error_of.h"
#include "tests/matrices.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

/// Reads a table about eight rows; texts are "embedded" as (their length, 1, 0, ...).
struct Reading {
  ScratchFolder folder;
  Matrix corpus = scattered(8, 4, 2, 1);
  FeedbackTable of(const std::string& table, const char* name = "feedback.csv") {
    const auto file = folder.path() / name;
    std::ofstream(file) << table;
    const auto embed = [](const Texts& texts) {
      Matrix out(texts.size(), 4);
      for (Index i = 0; i < texts.size(); ++i) out[i][0] = static_cast<float>(texts[i].size()), out[i][1] = 1;
      return Rows(std::move(out));
    };
    return read_feedback(file, Rows(corpus), {1}, embed, {});
  }
  std::string refused(const std::string& table) {
    return error_of([&] { of(table); }).what();
  }
};

TEST(FeedbackFile, PairsOfRowsInAnyOrderOfColumns) {
  Reading r;
  const auto out = r.of("note,accepted,row_b,row_a\nx,yes,3,5\ny,0,5,2\n");
  EXPECT_EQ(out.shape, "row_a,row_b,accepted");
  ASSERT_EQ(out.texts.rows(), 3U);  // 2, 3, 5
  EXPECT_EQ(out.pairs, (std::vector<JudgedPair>{{2, 1, true}, {0, 2, false}}));
  const Matrix texts = out.texts.to_matrix();
  EXPECT_TRUE(std::ranges::equal(texts[0], r.corpus[2]));
  EXPECT_NE(r.refused("row_a,row_b,accepted\n1,8,1\n").find("row 1 has '8' as row_b; there are rows 0..7"),
            std::string::npos);
  EXPECT_NE(r.refused("row_a,row_b,accepted\n1,2,1\n1,2,perhaps\n").find("row 2 has 'perhaps' as accepted"),
            std::string::npos);
}

TEST(FeedbackFile, TextsAreEmbeddedOnce) {
  Reading r;
  const auto out = r.of("text_a,text_b,label\nab,abc,1\nabc,abcd,0\n");
  ASSERT_EQ(out.texts.rows(), 3U);
  EXPECT_EQ(out.pairs, (std::vector<JudgedPair>{{0, 1, true}, {1, 2, false}}));
  const Matrix vectors = out.texts.to_matrix();
  EXPECT_EQ(vectors[2][0], 4);
}

TEST(FeedbackFile, ClicksAreRowsOnlyIfAllAreNumbers) {
  Reading r;
  const auto rows = r.of("query,clicked\nwhat,3\nwhy,7\n");
  const Matrix chosen = rows.texts.to_matrix();
  EXPECT_TRUE(std::ranges::equal(chosen[rows.pairs[0].b], r.corpus[3]));
  EXPECT_TRUE(rows.pairs[0].accepted);
  EXPECT_EQ(rows.drawn, rows.pairs.size() - 2);
  // An error code is a text where its neighbours are texts.
  const auto texts = r.of("query,clicked\nwhat,3\nwhy,no answer\n");
  const Matrix vectors = texts.texts.to_matrix();
  EXPECT_EQ(vectors[texts.pairs[0].b][0], 1);
  EXPECT_EQ(vectors[texts.pairs[1].b][0], 9);
  EXPECT_NE(r.refused("query,clicked\nwhat,8\n").find("there are rows 0..7"), std::string::npos);
}

TEST(FeedbackFile, FoldersLeaveOutWhatStandsInSeveral) {
  Reading r;
  const auto out = r.of("row,folder\n1,b\n2,a\n3,b\n2,b\n1,b\n");
  EXPECT_EQ(out.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(out.moved, 1U);
  EXPECT_EQ(out.folders.of, (std::vector<Label>{1, kNoise, 1}));
}

TEST(FeedbackFile, SaysWhatIsMissing) {
  Reading r;
  EXPECT_NE(r.refused("a,b\n1,2\n").find("allowed: row_a,row_b,accepted or"), std::string::npos);
  EXPECT_NE(r.refused("row,folder\n").find("a header and no rows"), std::string::npos);
  EXPECT_NE(r.refused("row,folder\n1,\n").find("row 1 names no folder"), std::string::npos);
}

}  // namespace
}  // namespace shoal
