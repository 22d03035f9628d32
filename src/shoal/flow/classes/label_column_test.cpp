#include "shoal/flow/classes/label_column.h"

#include <gtest/gtest.h>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Texts cells(std::initializer_list<const char*> values) {
  Texts out;
  for (const char* v : values) out.add(v);
  return out;
}
using Sets = std::vector<std::vector<Label>>;
using Names = std::vector<std::string>;

TEST(LabelColumn, OneLabelACell) {
  const LabelColumn c = read_labels(cells({"b", " a ", "", "b"}), {});
  EXPECT_EQ(c.task, HeadTask::multiclass);
  EXPECT_EQ(c.names, (Names{"a", "b"}));
  EXPECT_EQ(c.sets.of, (Sets{{1}, {0}, {}, {1}}));
  EXPECT_EQ(c.unlabelled, 1u);
}

TEST(LabelColumn, SeveralLabelsACell) {
  const LabelColumn c = read_labels(cells({"b; a;b", "a", ""}), {});
  EXPECT_EQ(c.task, HeadTask::multilabel);
  EXPECT_EQ(c.sets.of, (Sets{{0, 1}, {0}, {}}));
  const LabelColumn bars = read_labels(cells({"joy|love", "joy"}), {.separator = "|"});
  EXPECT_EQ(bars.names, (Names{"joy", "love"}));
  const LabelColumn one = read_labels(cells({"terms; conditions", "b"}), {.task = HeadTask::multiclass});
  EXPECT_EQ(one.names, (Names{"b", "terms; conditions"}));
}

TEST(LabelColumn, JsonLists) {
  const LabelColumn c = read_labels(cells({R"(["b", "a;c"])", "[]", "[1, \"b\"]"}), {});
  EXPECT_EQ(c.task, HeadTask::multilabel);
  EXPECT_EQ(c.names, (Names{"1", "a;c", "b"}));
  EXPECT_EQ(c.sets.of, (Sets{{1, 2}, {}, {0, 2}}));
  EXPECT_EQ(c.unlabelled, 1u);
  // A class that only looks like one.
  EXPECT_EQ(read_labels(cells({"[NAME]", "x"}), {}).names, (Names{"[NAME]", "x"}));
  EXPECT_EQ(read_labels(cells({"[\"a\"]", "[\"a\""}), {}).names, (Names{"[\"a\"", "a"}));
}

TEST(LabelColumn, KnownLabelsKeepTheirNumbers) {
  const LabelColumn c = read_labels(cells({"z", "a", "m"}), {.known = {"m", "k"}});
  EXPECT_EQ(c.names, (Names{"m", "k", "a", "z"}));
  EXPECT_EQ(c.sets.of, (Sets{{3}, {2}, {0}}));
}

TEST(LabelColumn, WhatHasNoLabelIsRefused) {
  const auto message = [](const Texts& t, HeadTask task) {
    return std::string(error_of([&] { read_labels(t, {.task = task}); }).what());
  };
  EXPECT_NE(message(cells({"", " "}), HeadTask::multiclass).find("no row has a label"), std::string::npos);
  EXPECT_NE(message(cells({"[]", "[]"}), HeadTask::multilabel).find("no row has a label"), std::string::npos);
  EXPECT_NE(message(cells({"[\"a\"]", "[{}]"}), HeadTask::multilabel).find("row 1"), std::string::npos);
}

}  // namespace
}  // namespace shoal
