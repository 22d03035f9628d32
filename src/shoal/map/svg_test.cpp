#include "shoal/map/svg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Index count(const std::string& text, const std::string& part) {
  Index n = 0;
  for (auto place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) ++n;
  return n;
}

/// Every tag closed in order, every & an entity: enough to see that a browser takes it as XML.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (Index i = 0; i < svg.size(); ++i) {
    if (svg[i] == '&') {
      const std::string rest = svg.substr(i, 6);
      EXPECT_TRUE(rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;") ||
                  rest.starts_with("&quot;"))
          << rest;
    }
    if (svg[i] != '<') continue;
    const Index end = svg.find('>', i);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = svg.substr(i + 1, end - i - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (name[0] == '/') {
      ASSERT_FALSE(open.empty()) << tag;
      EXPECT_EQ(open.back(), name.substr(1));
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    i = end;
  }
  EXPECT_TRUE(open.empty());
}

TEST(Svg, CurvesMarkTheChosen) {
  const std::string svg =
      curves_svg({"How many?", "clusters", ""}, {{"silhouette", {2, 3, 4, 5}, {0.1, 0.35, kNone, 0.2}, 1},
                                                 {"inertia", {2, 3, 4, 5}, {9, 7, 6, 5}, {}}});
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "class=\"c\""), 2u);
  EXPECT_EQ(count(svg, "<circle"), 1u);
  EXPECT_NE(svg.find("3: 0.35"), std::string::npos);
  const auto path = svg.find("class=\"c\" d=\"");
  EXPECT_EQ(count(svg.substr(path, svg.find('/', path) - path), "M"), 2u) << "a NaN breaks the line";
}

TEST(Svg, CurvesOfNothingAndOfWrongLengths) {
  expect_well_formed(curves_svg({"t", "x", "y"}, {}));
  expect_well_formed(curves_svg({"t", "x", "y"}, {{"none", {1}, {kNone}, {}}, {"flat", {1}, {3}, 0}}));
  EXPECT_THROW(curves_svg({"t", "x", "y"}, {{"c", {1, 2}, {1}, {}}}), Error);
  EXPECT_THROW(curves_svg({"t", "x", "y"}, {{"c", {1}, {1}, 1}}), Error);
}

TEST(Svg, PlacesOnTheAxisHaveNamesAndCurvesALevel) {
  PlotText text{"Over time", "", ""};
  PlotCurve curve{"p", {}, {}, 2, 0.05};
  for (Index i = 0; i < 60; ++i) {
    curve.x.push_back(static_cast<double>(30 * i));
    curve.y.push_back(i == 2 ? 0.01 : 1.0);
    text.x_names.emplace_back(curve.x.back(), "2024-" + std::to_string(10 + i));
  }
  const std::string svg = curves_svg(text, {curve});
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "class=\"l\""), 1u);
  EXPECT_NE(svg.find(">2024-12: 0.01</text>"), std::string::npos) << "the marked place by its name";
  EXPECT_EQ(count(svg, ">2024-10</text>"), 1u);
  EXPECT_EQ(count(svg, ">2024-11</text>"), 0u) << "no name runs into the one before";
  EXPECT_GE(count(svg, ">2024-"), 8u);
}

TEST(Svg, NamesAreEscaped) {
  const std::string svg = bars_svg({"a < b & \"c\"", "", ""}, {{"<script>", 3}, {std::string("x\1y"), 0}});
  expect_well_formed(svg);
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;: 3"), std::string::npos);
  EXPECT_EQ(svg.find('\1'), std::string::npos);
}

TEST(Svg, ConfusionsAreSaidInWords) {
  for (const Index n : {3u, 60u}) {
    std::vector<std::string> names;
    for (Index i = 0; i < n; ++i) names.push_back("<" + std::to_string(i) + ">");
    std::vector<std::vector<Index>> counts(n, std::vector<Index>(n));
    for (Index i = 0; i < n; ++i) counts[i][i] = 5;
    counts[2][0] = 4, counts[1][2] = 2;
    const std::string svg = confusion_svg({"t", "said", "label"}, counts, names);
    expect_well_formed(svg);
    const auto first = svg.find("&lt;2&gt; taken for &lt;0&gt;: 4 of 9"),
               second = svg.find("&lt;1&gt; taken for &lt;2&gt;: 2 of 7");
    EXPECT_LT(first, second);
    EXPECT_NE(second, std::string::npos);
    EXPECT_EQ(count(svg, "</title>"), n + 2);
  }
  EXPECT_THROW(confusion_svg({"t", "", ""}, {{1}}, {"a", "b"}), Error);
}

TEST(Svg, ReliabilityHasAnIntervalForEachDot) {
  const std::string svg =
      reliability_svg({"t", "x", "y"}, {{0.5, 0.4, 0.3, 0.55, 10}, {0.9, 0.95, 0.9, 0.97, 90}, {}});
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "<circle"), 2u);
  EXPECT_NE(svg.find("says 0.5, right 0.4 (0.3 to 0.55) of 10"), std::string::npos);
}

TEST(Svg, AHistogramCountsEveryFiniteValueOnce) {
  std::vector<double> values = {kNone, std::numeric_limits<double>::infinity()};
  for (int i = 0; i < 100; ++i) values.push_back(i % 10);
  const std::string svg = histogram_svg({"t", "x", "rows"}, values, 10);
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, ": 10</title>"), 10u);
  expect_well_formed(histogram_svg({"t", "x", "rows"}, {}));
  EXPECT_EQ(count(histogram_svg({"t", "x", "y"}, {5, 5, 5}, 3), ": 3</title>"), 1u);
  EXPECT_THROW(histogram_svg({"t", "x", "y"}, {1}, 0), Error);
}

TEST(Svg, AScatterDrawsEachPointUnderItsLabel) {
  Matrix points(6, 2);
  for (Index i = 0; i < 6; ++i) points[i][0] = points[i][1] = static_cast<float>(i);
  points[5][0] = std::numeric_limits<float>::quiet_NaN();
  const std::string svg =
      scatter_svg({"map", "", ""}, points.view(), {{0, 0, 1, kNoise, 1, 0}, 2}, {"left & low", "right"});
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "h0"), 5u) << "a point without a place is not drawn";
  EXPECT_EQ(count(svg, "<title>noise</title>"), 1u);
  EXPECT_EQ(count(svg, ">left &amp; low</text>"), 1u);
  EXPECT_GE(count(svg, "<title>left &amp; low</title>"), 1u);
  EXPECT_THROW(scatter_svg({}, points.view(), {{0, 0}, 1}, {}), Error);
  expect_well_formed(scatter_svg({"map", "", ""}, MatrixView{nullptr, 0, 2, 2}, {}, {}));
}

TEST(Svg, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escaped("a < b & \"c\">\n\x01"
                    "d"),
            "a &lt; b &amp; &quot;c&quot;&gt;  d");
}

}  // namespace
}  // namespace shoal
