#include "shoal/map/words_page.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/map/page_blocks_impl.h"

// The template (cmake/page.cmake).
extern "C" const char shoal_words_html[];
extern "C" const char shoal_words_html_end[];

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;  // web/words.html reads it
constexpr std::string_view kMarker = "<!--DATA-->";

void check(const WordsPageData& data) {
  const Index words = data.words.size(), frames = data.epochs.size();
  require(words <= 65535, Fault::argument,
          "the page shows at most 65535 words, these are " + std::to_string(words));
  require(frames > 0 && data.points.size() == frames && data.near.size() == frames, Fault::argument,
          "the page needs a map and neighbours for each of its " + std::to_string(frames) + " times");
  for (Index f = 0; f < frames; ++f) {
    require(data.points[f].rows() == words && data.points[f].cols() == 2, Fault::argument,
            "map " + std::to_string(f) + " is not of two coordinates a word");
    require(data.near[f].k == data.near[0].k && data.near[f].id.size() == words * data.near[0].k,
            Fault::argument, "neighbours " + std::to_string(f) + " are not of all words");
  }
}

/// The middle and half the extent of all maps.
struct Frame {
  double x = 0, y = 0, half = 1;
};

Frame frame_of(const std::vector<Matrix>& maps) {
  double low[2], high[2];
  for (int c = 0; c < 2; ++c) {
    low[c] = std::numeric_limits<double>::infinity(), high[c] = -low[c];
    for (const Matrix& map : maps)
      for (Index i = 0; i < map.rows(); ++i) {
        low[c] = std::min(low[c], static_cast<double>(map[i][c]));
        high[c] = std::max(high[c], static_cast<double>(map[i][c]));
      }
    if (!(low[c] <= high[c])) low[c] = high[c] = 0;
  }
  const double half = std::max(high[0] - low[0], high[1] - low[1]) / 2;
  return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, half > 0 ? half : 1};
}

/// frames x words x 2.
std::vector<std::int16_t> packed_points(const WordsPageData& data) {
  const Frame frame = frame_of(data.points);
  const auto pack = [&](float at, double middle) {
    return static_cast<std::int16_t>(std::lround((static_cast<double>(at) - middle) / frame.half * 32767));
  };
  std::vector<std::int16_t> out;
  for (const Matrix& map : data.points)
    for (Index i = 0; i < map.rows(); ++i) {
      out.push_back(pack(map[i][0], frame.x));
      out.push_back(pack(map[i][1], frame.y));
    }
  return out;
}

template <class T>
void add_block(std::string& out, const std::string& id, const std::vector<T>& values) {
  out += "\n<script type=\"text/plain\" id=\"" + id + "\">";
  page::Block block(out);
  block.add({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  block.finish();
  out += "</script>";
}

std::string meta(const WordsPageData& data) {
  Json words = Json::array(), notes = Json::array(), curves = Json::array();
  for (Index i = 0; i < data.words.size(); ++i) words.push_back(repair_utf8(data.words[i]));
  for (const std::string& note : data.notes) notes.push_back(repair_utf8(note));
  for (const WordsCurve& curve : data.curves)
    curves.push_back(
        {{"name", curve.name}, {"help", curve.help}, {"epochs", curve.epochs}, {"values", curve.values}});
  return page::script_safe(Json{
      {"format", kFormat},
      {"title", repair_utf8(data.title)},
      {"subtitle", repair_utf8(data.subtitle)},
      {"made_by", data.made_by},
      {"notes", notes},
      {"layout", data.layout},
      {"words", words},
      {"epochs", data.epochs},
      {"near", data.near[0].k},
      {"chosen", data.chosen},
      {"curves", curves}}.dump());
}

}  // namespace

std::string words_page(const WordsPageData& data) {
  check(data);
  const std::string_view html(shoal_words_html, shoal_words_html_end - shoal_words_html);
  const std::size_t marker = html.find(kMarker);
  require(marker != html.npos, Fault::unsupported,
          "this program was built with a page that has no place for data");
  std::vector<std::uint16_t> ids;
  std::vector<std::int16_t> cosines;
  for (const Neighbours& near : data.near)
    for (Index i = 0; i < near.id.size(); ++i) {
      ids.push_back(static_cast<std::uint16_t>(near.id[i]));
      cosines.push_back(static_cast<std::int16_t>(std::lround((1 - near.distance[i]) * 10000)));
    }
  std::string out(html.substr(0, marker));
  out += "<script type=\"application/json\" id=\"meta\">" + meta(data) + "</script>";
  add_block(out, "b-points", packed_points(data));
  add_block(out, "b-near", ids);
  add_block(out, "b-cosines", cosines);
  out += html.substr(marker + kMarker.size());
  return out;
}

}  // namespace shoal
