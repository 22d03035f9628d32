#include "shoal/explain/over_time.h"

#include <gtest/gtest.h>

#include <cmath>

#include "shoal/core/error.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

Texts texts(const std::vector<std::string>& cells) {
  Texts out;
  for (const auto& cell : cells) out.add(cell);
  return out;
}

TEST(OverTime, CountsByPeriodWithoutGaps) {
  const Labels labels{.of = {0, 0, 1, 1, kNoise, 1}, .count = 2};
  const auto times = texts({"2024-01-31", "2024-02-01", "2024-02-29", "2024-05-02", "2024-03-01", ""});
  const OverTime found = over_time(labels, times, {.every = Period::month});
  EXPECT_EQ(found.periods, (std::vector<std::string>{"2024-01", "2024-02", "2024-03", "2024-04", "2024-05"}));
  EXPECT_EQ(found.counts[0], (std::vector<Index>{1, 1, 0, 0, 0}));
  EXPECT_EQ(found.counts[1], (std::vector<Index>{0, 1, 0, 0, 1}));
  EXPECT_EQ(found.totals, (std::vector<Index>{1, 2, 0, 0, 1}));
  EXPECT_EQ(found.missing, 1U);
  EXPECT_EQ(found.unclustered, 1U);
  EXPECT_EQ(found.share(0, 1), 0.5);
  EXPECT_TRUE(std::isnan(found.share(0, 2)));
}

TEST(OverTime, PeriodsBeginWhereTheCalendarSays) {
  const Labels labels{.of = {0, 1, 0}, .count = 2};
  // A Sunday, the Monday after it, and a day before 1970.
  const auto times = texts({"2024-09-01", "2024-09-02", "1969-12-31"});
  const auto last = [&](Period every) { return over_time(labels, times, {.every = every}).periods.back(); };
  EXPECT_EQ(
      over_time({.of = {0, 1}, .count = 2}, texts({"2024-09-01", "2024-09-02"}), {.every = Period::week})
          .periods,
      (std::vector<std::string>{"2024-08-26", "2024-09-02"}));
  EXPECT_EQ(last(Period::quarter), "2024-Q3");
  EXPECT_EQ(over_time(labels, times, {.every = Period::year}).periods.front(), "1969");
  EXPECT_EQ(over_time(labels, times, {.every = Period::quarter}).periods.front(), "1969-Q4");
  EXPECT_EQ(over_time(labels, times, {.every = Period::month}).starts.front(), -31);
}

TEST(OverTime, ChoosesThePeriodByTheSpan) {
  const Labels labels{.of = {0, 1}, .count = 2};
  const auto every = [&](const char* first, const char* last) {
    return over_time(labels, texts({first, last})).every;
  };
  EXPECT_EQ(every("2024-05-06T10:00:00Z", "2024-05-07T10:00:00Z"), Period::hour);
  EXPECT_EQ(every("2024-05-06", "2024-05-07"), Period::day);  // no hours are known
  EXPECT_EQ(every("2024-01-01", "2024-12-31"), Period::week);
  EXPECT_EQ(every("2021-01-01", "2024-12-31"), Period::month);
  EXPECT_EQ(every("2014-01-01", "2024-12-31"), Period::quarter);
  EXPECT_EQ(every("1950-01-01", "2024-12-31"), Period::year);
  EXPECT_EQ(every("1999", "2024"), Period::year);
  EXPECT_EQ(every("9:05", "17:30"), Period::hour);
  EXPECT_EQ(over_time(labels, texts({"9:05", "11:30"})).periods,
            (std::vector<std::string>{"09:00", "10:00", "11:00"}));
  // Unix times: 2024-05-06 00:00:00 and a day later, in seconds and in milliseconds.
  EXPECT_EQ(over_time(labels, texts({"1714953600", "1715040000"}), {.every = Period::day}).periods,
            (std::vector<std::string>{"2024-05-06", "2024-05-07"}));
  EXPECT_EQ(over_time(labels, texts({"1714953600000", "1715040000000"}), {.every = Period::day}).periods,
            (std::vector<std::string>{"2024-05-06", "2024-05-07"}));
}

TEST(OverTime, LaterClustersAreSaidToGrow) {
  Labels labels{.of = {}, .count = 2};
  std::vector<std::string> days;
  for (int day = 1; day <= 28; ++day)
    for (int i = 0; i < 28; ++i) {
      labels.of.push_back(i < day ? 1 : 0);
      days.push_back("2024-02-" + std::string(day < 10 ? "0" : "") + std::to_string(day));
    }
  const OverTime found = over_time(labels, texts(days));
  ASSERT_EQ(found.trend.tests.size(), 2U);
  for (const ClusterTest& test : found.trend.tests) {
    EXPECT_LT(test.corrected_p, 1e-6);
    EXPECT_EQ(test.effect > 0, test.cluster == 1);
  }
  // By hand: cluster 1 has day d times on day d of 28: its mean day is (2 * 28 + 1) / 3 = 19.
  const double mean =
      found.trend.tests[0].cluster == 1 ? found.trend.tests[0].here : found.trend.tests[1].here;
  EXPECT_NEAR(mean - found.starts[0] + 1, 19, 1e-9);
}

TEST(OverTime, RefusesWhatIsNoTime) {
  const Labels labels{.of = {0, 1}, .count = 2};
  EXPECT_EQ(error_of([&] { over_time(labels, texts({"red", "blue"})); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { over_time(labels, texts({"", ""})); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { over_time(labels, texts({"1.5", "3"})); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { over_time(labels, texts({"2024-01-01"})); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] {
              over_time(labels, texts({"1024-01-01", "2024-01-01"}), {.every = Period::day});
            }).fault,
            Fault::argument);
  EXPECT_EQ(error_of([&] {
              over_time(labels, texts({"2024-01-01", "2024-01-02"}), {.every = Period::hour});
            }).fault,
            Fault::argument);
  EXPECT_EQ(error_of([&] {
              over_time(labels, texts({"9:05", "17:30"}), {.every = Period::day});
            }).fault,
            Fault::argument);
  // One time alone has no trend.
  EXPECT_TRUE(over_time(labels, texts({"2024-01-01", "2024-01-01"})).trend.tests.empty());
}

}  // namespace
}  // namespace shoal
