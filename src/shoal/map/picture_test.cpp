#include "shoal/map/picture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/map/colors.h"
#include "shoal/map/fonts.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

Index count(const std::string& text, const std::string& part) {
  Index n = 0;
  for (auto place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) ++n;
  return n;
}

struct Invented {
  Matrix points;
  PictureData data;
};

Invented invented(Index rows) {
  Invented out{Matrix(rows, 2), {}};
  const Random random(Seed{5});
  for (Index i = 0; i < rows; ++i) {
    const Index c = i % 4;
    out.points[i][0] = static_cast<float>(4.0 * static_cast<double>(c % 2) + random.normal(2 * i));
    out.points[i][1] = static_cast<float>(4.0 * static_cast<double>(c / 2) + random.normal(2 * i + 1));
    out.data.labels.of.push_back(i % 50 == 49 ? kNoise : static_cast<Label>(c));
  }
  out.data.labels.count = 4;
  for (Label c = 0; c < 4; ++c)
    out.data.clusters.push_back(
        {.id = c, .name = "cluster <" + std::to_string(c) + ">", .size = rows / 4, .group = c / 2});
  out.data.groups = {{.name = "left & low", .size = rows / 2}, {.name = "cluster <3>", .size = rows / 2}};
  out.data.title = "Four & more";
  out.data.made_by = "Made by a test.";
  return out;
}

std::string picture(Invented& invented) {
  invented.data.points = invented.points.view();
  return map_picture(invented.data);
}

/// How many are said to lie far out.
Index four_hidden(const std::string& svg) {
  const std::string before = " in 4 clusters; ";
  const auto at = svg.find(before);
  return at == std::string::npos ? 0 : std::stoul(svg.substr(at + before.size()));
}

TEST(MapPicture, HasDensityPointsAndNamesOfBothLevels) {
  Invented four = invented(400);
  const std::string svg = picture(four);
  EXPECT_EQ(count(svg, "class=\"k\""), 6u);
  EXPECT_GE(count(svg, "h0"), 384u);
  EXPECT_EQ(count(svg, "h0") + four_hidden(svg), 400u) << "drawn, or said not to be";
  EXPECT_EQ(count(svg, "class=\"g\""), 2u);
  EXPECT_EQ(count(svg, ">cluster &lt;3&gt;</text>"), 1u) << "a cluster named as its group is named once";
  EXPECT_GE(count(svg, "class=\"n\""), 2u);
  EXPECT_NE(svg.find("Four &amp; more"), std::string::npos);
  EXPECT_NE(svg.find("400 texts in 4 clusters"), std::string::npos);
  EXPECT_NE(svg.find(". Made by a test."), std::string::npos);
  EXPECT_EQ(svg, picture(four)) << "the same bytes again";
  four.data.dark = true;
  EXPECT_NE(picture(four).find("#101216"), std::string::npos);
}

TEST(MapPicture, SaysHowManyLieFarOut) {
  Invented four = invented(4000);
  for (Index i = 0; i < 40; ++i) four.points[i][0] = 500;  // far more than the tails that are left out anyway
  four.points[41][1] = NAN;
  const std::string svg = picture(four);
  EXPECT_GE(four_hidden(svg), 40u);
  EXPECT_LE(four_hidden(svg), 160u) << "at least 96 % are shown";
  EXPECT_EQ(count(svg, "h0") + four_hidden(svg), 3999u) << "one has no place";
}

TEST(MapPicture, OfNothing) {
  PictureData none;
  EXPECT_NE(map_picture(none).find("0 texts in 0 clusters"), std::string::npos);
}

/// As in web/src/pure.test.ts: the page and pictures have the same colours.
TEST(Colors, AreThoseOfThePage) {
  EXPECT_EQ(hex(oklch(0.61, 0.16, 20)), "#d2535a");
  const auto colors = cluster_colors({{1, 0}, {0, 1}, {-1, 0}, {0, -1}}, {100, 50, 25, 10}, {0, 0}, false);
  ASSERT_EQ(colors.size(), 4u);
  EXPECT_EQ(hex(colors[0]) + hex(colors[1]) + hex(colors[2]) + hex(colors[3]),
            "#6bb346#2e6fcd#c3559a#cf5b26");
  EXPECT_EQ(hex(ink({200, 100, 0}, false)), "#643200");
}

fs::path scratch(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / "shoal_picture_test" / name;
  fs::create_directories(folder);
  return folder;
}

TEST(Fonts, WithoutAnyFontPointsAreStillDrawn) {
  Fonts none = Fonts::load(scratch("no_fonts"));
  EXPECT_EQ(none.family(), "");
  EXPECT_EQ(none.missing("ab a"), "ab");
  Invented four = invented(400);
  const std::string png = none.png(picture(four), 320);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png, none.png(picture(four), 320));
  EXPECT_NE(
      png.size(),
      none.png("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1600\" height=\"1200\"/>", 320).size());
}

TEST(Fonts, SpacesJoinersAndMarksOfDirectionAreNeverMissing) {
  Fonts none = Fonts::load(scratch("no_fonts"));
  EXPECT_EQ(none.missing(" \t\xe2\x80\x8d\xe2\x80\x8f\xef\xb8\x8f\xc2\xa0"), "");
  EXPECT_EQ(none.missing("\xe0\xa4\x95\xe2\x80\x8d\xe0\xa4\x95"), "\xe0\xa4\x95") << "once";
}

TEST(Fonts, RefusesWhatIsNoDrawing) {
  const Fonts none = Fonts::load(scratch("no_fonts"));
  EXPECT_THROW(none.png("no drawing", 100), Error);
  EXPECT_THROW(none.png("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"1000\"/>", 60000),
               Error);
}

TEST(Fonts, OfTheSystemWriteLatinLetters) {
  Fonts fonts = Fonts::load();
  if (fonts.family().empty()) GTEST_SKIP() << "no font is installed";
  EXPECT_EQ(fonts.missing("Late deliveries"), "");
  EXPECT_EQ(fonts.missing("a\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd") << "U+10FFFD is in no font";
  const auto text = [](const char* what) {
    return std::string(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"40\"><text x=\"10\" "
               "y=\"30\" font-size=\"20\" font-family=\"system-ui,sans-serif\">") +
           what + "</text></svg>";
  };
  const std::string drawn = fonts.png(text("Late"), 400);
  EXPECT_EQ(drawn, Fonts::load().png(text("Late"), 400)) << "the same fonts give the same bytes";
  EXPECT_NE(drawn, fonts.png(text(""), 400));
}

TEST(ScriptName, IsAsUnicodeCallsIt) {
  EXPECT_EQ(script_name(U'\x0915'), "Devanagari");
  EXPECT_EQ(script_name(U'\x4e2d'), "Han");
  EXPECT_EQ(script_name(U'a'), "Latin");
}

}  // namespace
}  // namespace shoal
