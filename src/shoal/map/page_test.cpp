#include "shoal/map/page.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "shoal/core/error.h"
#include "shoal/map/page_blocks_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

fs::path scratch(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / "shoal_page_test";
  fs::create_directories(folder);
  return folder / name;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    if ((have += 6) >= 8) out += static_cast<char>(bits >> (have -= 8) & 0xff);
  }
  return out;
}

std::string gunzip(const std::string& bytes) {
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, 31), Z_OK);
  std::string out(1 << 24, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

std::string script(const std::string& html, const std::string& id) {
  const std::size_t start = html.find("id=\"" + id + "\">");
  if (start == html.npos) return "";
  const std::size_t from = start + id.size() + 6;
  return html.substr(from, html.find("</script>", from) - from);
}

std::string block(const std::string& html, const std::string& id) {
  return gunzip(from_base64(script(html, id)));
}

Texts texts_of(const std::vector<std::string>& all, Index first, Index count) {
  Texts out;
  for (Index i = first; i < first + count; ++i) out.add(all.at(i));
  return out;
}

/// Two clusters on a line, as many rows as texts.
PageData small(const std::vector<std::string>& texts) {
  PageData page;
  page.title = "Two";
  page.made_by = "a test";
  page.points = Matrix(texts.size(), 2);
  for (Index i = 0; i < texts.size(); ++i) {
    page.points[i][0] = static_cast<float>(i);
    page.labels.of.push_back(static_cast<Label>(i % 2));
  }
  page.labels.count = 2;
  page.clusters = {{.name = "even", .words = {"zero", "two"}, .size = 2, .medoids = {0, 99}},
                   {.name = "odd"}};
  page.groups = {{.name = "all", .size = 3}};
  page.texts = [&texts](Index first, Index count) { return texts_of(texts, first, count); };
  return page;
}

std::string written(const PageData& page, const std::string& name) {
  write_page(scratch(name), page);
  return read(scratch(name));
}

TEST(WritePage, SplicesMetaPointsLabelsAndTextsIntoTheTemplate) {
  const std::vector<std::string> texts = {"zero", "one", "two"};
  const std::string html = written(small(texts), "small.html");
  EXPECT_EQ(html.find("<!--DATA-->"), html.npos);
  EXPECT_EQ(html.rfind("<!doctype html>", 0), 0u);
  const auto meta = nlohmann::json::parse(script(html, "meta"));
  EXPECT_EQ(meta["title"], "Two");
  EXPECT_EQ(meta["rows"], 3);
  EXPECT_EQ(meta["column"], "");
  EXPECT_EQ(meta["clusters"][0]["words"][1], "two");
  EXPECT_EQ(meta["clusters"][1]["at"], nlohmann::json::array({1, 0})) << "where its only row is";
  EXPECT_EQ(meta["clusters"][0]["medoids"], nlohmann::json::array({0}))
      << "a medoid that is no row is left out";
  EXPECT_EQ(block(html, "b-text0"), std::string("zero\0one\0two\0", 13));
  const std::string x = block(html, "b-x"), label = block(html, "b-label");
  ASSERT_EQ(x.size(), 12u);
  float values[3];
  std::int32_t labels[3];
  std::memcpy(values, x.data(), 12);
  std::memcpy(labels, label.data(), 12);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(values[i], i);
    EXPECT_EQ(labels[i], i % 2);
  }
}

TEST(WritePage, SameDataSameBytes) {
  const std::vector<std::string> texts = {"a", "b", "c", "d"};
  EXPECT_EQ(written(small(texts), "one.html"), written(small(texts), "two.html"));
}

TEST(WritePage, NoTextEndsAScript) {
  const std::vector<std::string> texts = {"</script><script>alert(1)</script>", "<!-- <script>", "x"};
  PageData page = small(texts);
  page.title = texts[0];
  page.clusters[0].name = texts[1] + "\xe2\x80\xa8";
  page.column_name = "</script>";
  page.column = page.texts;
  const std::string html = written(page, "hostile.html");
  EXPECT_EQ(html.find("alert(1)</script>"), html.npos);
  const std::string meta = script(html, "meta");
  EXPECT_EQ(meta.find('<'), meta.npos);
  EXPECT_EQ(meta.find("\xe2\x80\xa8"), meta.npos);
  EXPECT_EQ(nlohmann::json::parse(meta)["title"], texts[0]);
  EXPECT_EQ(block(html, "b-text0"), texts[0] + '\0' + texts[1] + '\0' + "x" + '\0');
  EXPECT_EQ(block(html, "b-column0"), block(html, "b-text0"));
}

TEST(WritePage, LayersBesideTheColumn) {
  const std::vector<std::string> texts = {"a", "b", "c"};
  PageData page = small(texts);
  page.layers.push_back({"how strange", {"low", "high"}, [](Index first, Index count) {
                           Texts out;
                           for (Index i = first; i < first + count; ++i) out.add(i == 1 ? "high" : "low");
                           return out;
                         }});
  const std::string html = written(page, "layers.html");
  const auto meta = nlohmann::json::parse(script(html, "meta"));
  EXPECT_EQ(meta["layers"], nlohmann::json::parse(R"([{"name": "how strange", "order": ["low", "high"]}])"));
  EXPECT_EQ(block(html, "b-layer0-0"), std::string("low\0high\0low\0", 13));
}

TEST(WritePage, ManyTextsStandInSeveralBlocks) {
  std::vector<std::string> texts(70000, "t");
  texts.back() = "last";
  const std::string html = written(small(texts), "many.html");
  EXPECT_EQ(block(html, "b-text0").size(), 2u * 65536);
  const std::string rest = block(html, "b-text1");
  EXPECT_EQ(rest.substr(rest.size() - 5), std::string("last\0", 5));
}

TEST(WritePage, LongTextsAreWholeWithinTheBudget) {
  const std::vector<std::string> texts = {std::string(100000, 'a'), "b"};
  const std::string html = written(small(texts), "long.html");
  EXPECT_EQ(block(html, "b-text0"), texts[0] + '\0' + "b" + '\0');
  EXPECT_EQ(nlohmann::json::parse(script(html, "meta"))["text_limit"], 0);
  EXPECT_EQ(script(html, "b-cut"), "") << "nothing is cut";
}

TEST(WritePage, BeyondTheBudgetTheLongestTextsAreCutAndNamed) {
  const std::vector<std::string> texts = {std::string(3000, 'a'), "short", std::string(1000, 'c')};
  PageData page = small(texts);
  page.text_budget = 1505;  // 5 for the short one, 750 for each of the others
  page.column_name = "same";
  page.column = page.texts;
  const std::string html = written(page, "cut.html"), end = std::string("\xe2\x80\xa6") + '\0';
  EXPECT_EQ(block(html, "b-text0"),
            std::string(750, 'a') + end + "short" + '\0' + std::string(750, 'c') + end);
  EXPECT_EQ(block(html, "b-column0"), block(html, "b-text0"));
  EXPECT_EQ(nlohmann::json::parse(script(html, "meta"))["text_limit"], 750);
  EXPECT_EQ(block(html, "b-cut"), std::string("\1\0\1", 3));
  page.text_budget = 0;
  EXPECT_EQ(nlohmann::json::parse(script(written(page, "least.html"), "meta"))["text_limit"], 400);
}

TEST(WritePage, TextsThatFitAreReadOnce) {
  const std::vector<std::string> texts(9000, "a text");  // more than one batch
  PageData page = small(texts);
  Index read = 0;
  page.texts = [&](Index first, Index count) {
    read += count;
    return texts_of(texts, first, count);
  };
  const std::string once = written(page, "once.html");
  EXPECT_EQ(read, 9000u);
  page.text_budget = 6 * 9000 - 1;  // all are shorter than the least cut, and none is cut
  EXPECT_EQ(written(page, "twice.html"), once);
  EXPECT_EQ(read, 3 * 9000u);
}

TEST(WritePage, EmptyAndUnplacedMaps) {
  const std::vector<std::string> none;
  EXPECT_EQ(nlohmann::json::parse(script(written(small(none), "empty.html"), "meta"))["rows"], 0);
  const std::vector<std::string> texts = {"a", "b"};
  PageData page = small(texts);
  page.points = Matrix();
  const std::string x = block(written(page, "unplaced.html"), "b-x");
  float value;
  std::memcpy(&value, x.data(), 4);
  EXPECT_TRUE(std::isnan(value));
}

TEST(WritePage, RowsOfNoiseAreInNoCluster) {
  const std::vector<std::string> texts = {"a", "b", "c"};
  PageData page = small(texts);
  page.labels.of[1] = kNoise;
  const auto labels_in = [](const std::string& html) {
    const std::string bytes = block(html, "b-label");
    std::vector<std::int32_t> out(bytes.size() / 4);
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  };
  EXPECT_EQ(labels_in(written(page, "noise.html")), (std::vector<std::int32_t>{0, -1, 0}));
  page.labels = {{kNoise, kNoise, kNoise}, 0};
  page.clusters.clear();
  page.groups.clear();
  const std::string html = written(page, "all_noise.html");
  EXPECT_EQ(labels_in(html), (std::vector<std::int32_t>{-1, -1, -1}));
  EXPECT_EQ(nlohmann::json::parse(script(html, "meta"))["clusters"], nlohmann::json::array());
}

TEST(WritePage, TheReportComesAsItIs) {
  const std::vector<std::string> texts = {"a", "b"};
  PageData page = small(texts);
  EXPECT_EQ(script(written(page, "no_report.html"), "b-report"), "");
  page.report = R"({"method": "</script>", "n_clusters": 2})";
  EXPECT_EQ(block(written(page, "report.html"), "b-report"), page.report);
}

TEST(WritePage, RefusesWhatDoesNotFitTogetherAndWritesNothing) {
  const std::vector<std::string> texts = {"a", "b", "c"};
  PageData page = small(texts);
  page.points = Matrix(2, 2);
  const fs::path path = scratch("refused.html");
  fs::remove(path);
  EXPECT_THROW(write_page(path, page), Error);
  page = small(texts);
  page.labels.of[1] = 2;
  EXPECT_THROW(write_page(path, page), Error);
  page = small(texts);
  page.texts = [](Index, Index) { return Texts(); };
  EXPECT_THROW(write_page(path, page), Error);
  page = small(texts);
  page.labels.of[1] = -2;
  EXPECT_THROW(write_page(path, page), Error) << "only kNoise is no cluster";
  page = small(texts);
  page.report = "{\"method\": ";
  EXPECT_THROW(write_page(path, page), Error);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_THROW(write_page(scratch("no/such/folder/x.html"), small(texts)), Error);
}

TEST(Shown, CutsBetweenCharactersAndRepairs) {
  EXPECT_EQ(page::shown("short", 5), "short");
  EXPECT_EQ(page::shown("abcdef", 5), "abcde\xe2\x80\xa6");
  EXPECT_EQ(page::shown("abc def", 4), "abc\xe2\x80\xa6") << "no space before the ellipsis";
  EXPECT_EQ(page::shown("a\xe2\x82\xac!", 3), "a\xe2\x80\xa6") << "half a euro sign is none";
  EXPECT_EQ(page::shown("a\xff", 9), "a\xef\xbf\xbd");
  EXPECT_EQ(page::shown(std::string_view("a\0b", 3), 9), "a\xef\xbf\xbd\x62");
  EXPECT_EQ(page::shown("\x80\x80\x80\x80", 2), "\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\xa6")
      << "each bad byte is a letter";
}

TEST(Block, EveryLengthComesBack) {
  for (const std::size_t length : {0u, 1u, 2u, 3u, 4u, 1000u, 65536u, 300001u}) {
    std::string bytes(length, '\0'), out;
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
    page::Block block(out);
    block.add(std::string_view(bytes).substr(0, length / 3));
    block.add(std::string_view(bytes).substr(length / 3));
    block.finish();
    EXPECT_EQ(out.size() % 4, 0u);
    EXPECT_EQ(gunzip(from_base64(out)), bytes) << length;
  }
}

TEST(ScriptSafe, EscapesWhatAParserOfHtmlWouldSee) {
  EXPECT_EQ(page::script_safe("\"<a\xe2\x80\xa9>\""), "\"\\u003ca\\u2029>\"");
}

}  // namespace
}  // namespace shoal
