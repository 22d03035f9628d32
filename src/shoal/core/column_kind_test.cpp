#include "shoal/core/column_kind.h"

#include <gtest/gtest.h>

#include "shoal/core/names.h"

namespace shoal {
namespace {

using Cells = std::vector<std::string>;

ColumnProfile profile_of(const Cells& cells) {
  ColumnSketch sketch;
  for (const std::string& cell : cells) sketch.add(cell);
  return sketch.profile();
}

struct Case {
  Cells cells;
  ColumnKind kind;
  std::vector<double> values;
};

TEST(ColumnKind, ValuesOfEachKind) {
  const Case cases[] = {
      {{"12", "-0.5", "+3e2", ".25"}, ColumnKind::number, {12, -0.5, 300, .25}},
      {{"1,234.5", "12", "1,000,000"}, ColumnKind::number, {1234.5, 12, 1e6}},
      {{"1.005,50", "1.005", "7"}, ColumnKind::number, {1005.5, 1005, 7}},
      {{"3,5", "1 234,25", "2\u00A0000"}, ColumnKind::number, {3.5, 1234.25, 2000}},
      {{"1'234.5", "0.75"}, ColumnKind::number, {1234.5, .75}},
      {{"12,34,567", "1,00,000"}, ColumnKind::number, {1234567, 100000}},
      {{"1.005", "2.010"}, ColumnKind::number, {1.005, 2.01}},
      {{"1,005", "12,010"}, ColumnKind::number, {1005, 12010}},
      {{"0,500", "0,750"}, ColumnKind::number, {.5, .75}},
      {{"\u22125", "4"}, ColumnKind::number, {-5, 4}},
      {{"12%", "12.5 %", "-1%"}, ColumnKind::percent, {12, 12.5, -1}},
      {{"12,5 %", "3%"}, ColumnKind::percent, {12.5, 3}},
      {{"$1.50", "$1,234", "-$2", "($5.00)"}, ColumnKind::money, {1.5, 1234, -2, -5}},
      {{"\u20AC 3", "1.005,50 \u20AC"}, ColumnKind::money, {3, 1005.5}},
      {{"3 EUR", "EUR 4.5"}, ColumnKind::money, {3, 4.5}},
      {{"1970-01-02", "2024-12-31", "1969/12/31"}, ColumnKind::date, {1, 20088, -1}},
      {{"31.12.2024", "1.1.1970"}, ColumnKind::date, {20088, 0}},
      {{"12/31/2024", "01/02/1970"}, ColumnKind::date, {20088, 1}},
      {{"31/12/2024", "01/02/1970"}, ColumnKind::date, {20088, 31}},
      {{"03/04/2024", "05/06/2024"}, ColumnKind::date, {19786, 19849}},
      {{"03-04-1970", "05-06-1970"}, ColumnKind::date, {92, 155}},
      {{"31 Dec 2024", "1 January 1970", "2-Jan-70"}, ColumnKind::date, {20088, 0, 1}},
      {{"Dec 31, 2024", "January 1, 1970"}, ColumnKind::date, {20088, 0}},
      {{"9:05", "23:59:30"}, ColumnKind::time, {32700, 86370}},
      {{"9:05 PM", "12:00 am"}, ColumnKind::time, {75900, 0}},
      {{"1970-01-01T00:00:10Z", "1970-01-02 00:00"}, ColumnKind::timestamp, {10, 86400}},
      {{"1970-01-01T02:00:00.5+02:00", "1970-01-01T00:00:01-0030"}, ColumnKind::timestamp, {.5, 1801}},
      {{"2.1.1970 10:00", "31.1.1970 00:00"}, ColumnKind::timestamp, {122400, 2592000}},
      {{"1/2/1970 1:00 PM", "1/31/1970 0:00"}, ColumnKind::timestamp, {133200, 2592000}},
      {{"true", "False", "TRUE"}, ColumnKind::boolean, {1, 0, 1}},
      {{"yes", "no", "no"}, ColumnKind::boolean, {1, 0, 0}},
  };
  for (const Case& c : cases) {
    const ColumnProfile found = profile_of(c.cells);
    EXPECT_EQ(found.kind, c.kind) << c.cells[0] << ": " << name_of(found.kind);
    EXPECT_EQ(found.fits, c.cells.size()) << c.cells[0];
    for (Index i = 0; i < c.cells.size(); ++i)
      EXPECT_DOUBLE_EQ(found.value(c.cells[i]).value_or(-777), c.values[i]) << c.cells[i];
  }
}

TEST(ColumnKind, OthersHaveNoValues) {
  for (const auto& [cells, kind] : std::vector<std::pair<Cells, ColumnKind>>{
           {{"", "NA", " "}, ColumnKind::empty},
           {{"red", "blue", "red", "blue"}, ColumnKind::category},
           {{"a fine day", "a dull one", "rain again"}, ColumnKind::text},
           {{"t3_a1", "t3_a2", "t3_b9"}, ColumnKind::id},
           {{"[1, 2]", "[]", "[3]"}, ColumnKind::json},
           {{"{\"a\": 1}", "{}"}, ColumnKind::json},
           {{"$1", "\u20AC2", "\u00A33", "$4 off"}, ColumnKind::text},
           {{"32.01.2024", "99.99.2024", "1.13.2024 or so"}, ColumnKind::text}}) {
    const ColumnProfile found = profile_of(cells);
    EXPECT_EQ(found.kind, kind) << cells[0] << ": " << name_of(found.kind);
    EXPECT_EQ(found.filled + found.missing, cells.size()) << cells[0];
    EXPECT_EQ(found.value(cells[0]).has_value(), cells[0] == "$1") << cells[0];
  }
}

TEST(ColumnKind, Ids) {
  EXPECT_EQ(profile_of({"1", "2", "3", "4"}).kind, ColumnKind::id);
  EXPECT_EQ(profile_of({"3791411052119578828", "3791411052119578829"}).kind, ColumnKind::id);
  EXPECT_EQ(profile_of({"4", "2", "9"}).kind, ColumnKind::number);
}

TEST(ColumnKind, TheShareThatFits) {
  Cells cells(19, "5.5");
  cells.push_back("unknown");
  cells.push_back("");
  const ColumnProfile found = profile_of(cells);
  EXPECT_EQ(found.kind, ColumnKind::number);
  EXPECT_EQ(found.fits, 19u);
  EXPECT_EQ(found.filled, 20u);
  EXPECT_EQ(found.missing, 1u);
  EXPECT_EQ(found.value("unknown"), std::nullopt);
  EXPECT_EQ(found.examples, (Cells{"5.5", "unknown"}));
}

TEST(ColumnKind, SaysHowItIsWritten) {
  EXPECT_EQ(profile_of({"1.005,50", "3"}).written, "decimal comma");
  EXPECT_EQ(profile_of({"3,50 \u20AC", "2 \u20AC"}).written, "\u20AC, decimal comma");
  EXPECT_EQ(profile_of({"31/12/2024", "01/02/2024"}).written, "day first");
  EXPECT_EQ(profile_of({"12/31/2024", "01/02/2024"}).written, "month first");
  EXPECT_EQ(profile_of({"03/04/2024", "01/02/2024"}).written, "month first or day first: no day is above 12");
  EXPECT_EQ(profile_of({"2024-03-04"}).written, "");
}

TEST(ColumnKind, NothingIsInfinite) {
  const ColumnProfile found = profile_of({"1e400", "100000000000000000000000000", "1e19", "1e-400"});
  EXPECT_EQ(found.kind, ColumnKind::number);
  EXPECT_EQ(found.value("1e400"), std::nullopt);
  EXPECT_EQ(found.value("100000000000000000000000000"), 1e26);
  EXPECT_EQ(found.value("1e19"), 1e19);
  EXPECT_EQ(found.value("1e-400"), 0);
  EXPECT_EQ(found.value("inf"), std::nullopt);
  EXPECT_EQ(found.value("-Infinity"), std::nullopt);
}

}  // namespace
}  // namespace shoal
