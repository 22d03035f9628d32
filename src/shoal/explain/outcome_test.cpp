#include "shoal/explain/outcome.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

using Lines = std::vector<std::string>;

Outcome outcome_of(const Lines& lines, const OutcomeOptions& options = {}) {
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  return read_outcome(texts, options);
}

TEST(Outcome, KindIsFound) {
  EXPECT_EQ(outcome_of({"0", "1", "1"}).kind, OutcomeKind::two_values);
  EXPECT_EQ(outcome_of({"1", " 2.5", "-3e2 "}).kind, OutcomeKind::numbers);
  EXPECT_EQ(outcome_of({"1", "2", "three"}).kind, OutcomeKind::categories);
  EXPECT_EQ(outcome_of({"1", "2", "1,5"}).numbers, (std::vector<double>{1, 2, 1.5}));
  EXPECT_EQ(outcome_of({"12%", "7 %", "", "0.5%"}).numbers[3], 0.5);
  EXPECT_EQ(outcome_of({"$1.50", "$1,000", "-$3"}).numbers, (std::vector<double>{1.5, 1000, -3}));
  EXPECT_EQ(outcome_of({"1970-01-03", "1970-01-01", "1970-02-01"}).numbers, (std::vector<double>{2, 0, 31}));
  EXPECT_EQ(outcome_of({"100000000000000000000000000", "2e19", "1"}).numbers,
            (std::vector<double>{1e26, 2e19, 1}));
  EXPECT_EQ(outcome_of({"1e400", "2", "1"}).kind, OutcomeKind::categories);  // never an infinity
  EXPECT_EQ(outcome_of({"1", "2", "inf"}).kind, OutcomeKind::categories);
}

TEST(Outcome, MissingValues) {
  const Outcome found = outcome_of({"3", "", "  ", "NA", "nan", "null", "+4", "5"});
  EXPECT_EQ(found.missing, 5u);
  EXPECT_EQ(found.rows(), 8u);
  EXPECT_EQ(found.numbers[0], 3);
  EXPECT_EQ(found.numbers[6], 4);
  EXPECT_TRUE(std::isnan(found.numbers[1]));
  for (const char* known : {"None", "no", "0", "-", "na"}) EXPECT_FALSE(is_missing(known)) << known;
}

TEST(Outcome, OrderOfValues) {
  EXPECT_EQ(outcome_of({"yes", "no", " yes "}).categories, (Lines{"no", "yes"}));
  EXPECT_EQ(outcome_of({"10", "9"}).categories, (Lines{"9", "10"}));
  EXPECT_EQ(outcome_of({"10", "9", "8"}, {.kind = OutcomeKind::categories}).categories,
            (Lines{"8", "9", "10"}));
  EXPECT_EQ(outcome_of({"10", "9", "", "8"}, {.kind = OutcomeKind::categories}).category.of,
            (std::vector<Label>{2, 1, kNoise, 0}));
}

TEST(Outcome, OneValueAgainstAllOthers) {
  const Outcome found = outcome_of({"red", "green", "", "blue", "red"}, {.value = "red"});
  EXPECT_EQ(found.kind, OutcomeKind::two_values);
  EXPECT_EQ(found.categories, (Lines{"not red", "red"}));
  EXPECT_EQ(found.category.of, (std::vector<Label>{1, 0, kNoise, 0, 1}));
  EXPECT_THROW(outcome_of({"red", "green"}, {.value = "blue"}), Error);
  EXPECT_THROW(outcome_of({"1", "2"}, {.kind = OutcomeKind::numbers, .value = "1"}), Error);
}

TEST(Outcome, Refuses) {
  Lines many;
  for (int i = 0; i <= 200; ++i) many.push_back("v" + std::to_string(i));
  for (const auto& [lines, kind, message] :
       std::vector<std::tuple<Lines, std::optional<OutcomeKind>, std::string>>{
           {{}, {}, "no row has a value"},
           {{"", "NA"}, {}, "no row has a value"},
           {{"a", "a"}, {}, "have 'a'"},
           {many, {}, "more than 200"},
           {{"a", "b", "c"}, OutcomeKind::two_values, "more than two values"},
           {{"1", "b", "2"}, OutcomeKind::numbers, "row 1: 'b' is no number"},
           {{"1", "1e400", "2"}, OutcomeKind::numbers, "row 1: '1e400' is beyond"}}) {
    const auto& texts = lines;  // clang 14 captures no structured binding
    const OutcomeOptions options{.kind = kind};
    expect_error(Fault::data, message, [&] { outcome_of(texts, options); });
  }
  many.pop_back();
  EXPECT_EQ(outcome_of(many).categories.size(), 200u);
}

}  // namespace
}  // namespace shoal
