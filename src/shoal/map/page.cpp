#include "shoal/map/page.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/map/dense_view.h"
#include "shoal/map/page_blocks_impl.h"
#include "shoal/map/place_names.h"
#include "shoal/store/archive/archive.h"

// The built template (cmake/page.cmake).
extern "C" const char shoal_page_html[];
extern "C" const char shoal_page_html_end[];

static_assert(std::endian::native == std::endian::little, "the page's blocks are little-endian");

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;  // of meta and blocks; web/src/data.ts reads it
constexpr std::string_view kMarker = "<!--DATA-->";
constexpr Index kTextRows = 65536;  // rows a text block: a browser's string holds 2^29 characters
constexpr Index kLeastCut = 400;    // bytes that are kept of every text
constexpr Index kBatch = 4096;
constexpr int kPositionBits = 21;  // steps across the map, as a power of two: finer than a pixel at zoom 1000

void check(const PageData& data) {
  const Index rows = data.labels.of.size();
  require(data.points.rows() == rows || data.points.rows() == 0, Fault::argument,
          "the page has " + std::to_string(rows) + " labels and " + std::to_string(data.points.rows()) +
              " points; a point for each label or none at all is allowed");
  require(data.points.rows() == 0 || data.points.cols() == 2, Fault::argument,
          "points have " + std::to_string(data.points.cols()) + " columns; the page shows 2");
  for (Index i = 0; i < rows; ++i) {
    const Label label = data.labels.of[i];
    if (label != kNoise && (label < 0 || static_cast<Index>(label) >= data.clusters.size()))
      throw Error(Fault::argument, "row " + std::to_string(i) + " has the label " + std::to_string(label) +
                                       "; there are " + std::to_string(data.clusters.size()) + " clusters");
  }
  require(rows == 0 || data.texts, Fault::argument, "the page has rows and no texts");
  require(data.report.empty() || Json::accept(data.report), Fault::argument,
          "the report on the clusters is not JSON");
}

Json place(float x, float y) { return {std::isfinite(x) ? x : 0.f, std::isfinite(y) ? y : 0.f}; }

/// The place of a name; without points none is anywhere.
Json place_of(const std::vector<Place>& places, Index i) {
  return i < places.size() ? place(places[i].x, places[i].y) : place(0, 0);
}

NamePlaces name_places(const PageData& data) {
  std::vector<Label> group_of;
  for (const ClusterRecord& c : data.clusters) group_of.push_back(c.group);
  return place_names(data.points.view(), {data.labels.of, data.clusters.size()}, group_of,
                     data.groups.size());
}

Json cluster_json(const ClusterRecord& cluster, Json at, const PageData& data) {
  Json medoids = Json::array();
  for (const Index row : cluster.medoids)
    if (row < data.labels.of.size()) medoids.push_back(row);
  Json words = Json::array();
  for (const auto& word : cluster.words) words.push_back(repair_utf8(word));
  const bool grouped = cluster.group >= 0 && static_cast<Index>(cluster.group) < data.groups.size();
  return {
      {"name", repair_utf8(cluster.name)},     {"words", std::move(words)}, {"size", cluster.size},
      {"group", grouped ? cluster.group : -1}, {"at", std::move(at)},       {"medoids", std::move(medoids)}};
}

Json box_json(const MapBox& box) { return {box.low.x, box.low.y, box.high.x, box.high.y}; }

/// What the lines of equal density are: each ring as its level, its length in two parts, its first place and
/// the steps from there.
Json contours_json(const Contours& lines) {
  return {{"at", {lines.low.x, lines.low.y}}, {"unit", lines.unit}, {"levels", lines.levels}};
}

std::vector<std::int16_t> packed(const Contours& lines) {
  constexpr Index kPart = 1 << 15;
  std::vector<std::int16_t> out;
  const auto add = [&](auto v) { out.push_back(static_cast<std::int16_t>(v)); };
  for (const Contours::Ring& ring : lines.rings) {
    add(ring.level);
    add(ring.x.size() % kPart);
    add(ring.x.size() / kPart);
    for (Index i = 0; i < ring.x.size(); ++i) {
      add(ring.x[i] - (i == 0 ? 0 : ring.x[i - 1]));
      add(ring.y[i] - (i == 0 ? 0 : ring.y[i - 1]));
    }
  }
  return out;
}

std::string meta(const PageData& data, const MapBox& box, const MapBox& view, const Contours& lines,
                 Index text_limit) {
  Json clusters = Json::array(), groups = Json::array(), layers = Json::array();
  const NamePlaces places = name_places(data);
  for (Index i = 0; i < data.clusters.size(); ++i)
    clusters.push_back(cluster_json(data.clusters[i], place_of(places.clusters, i), data));
  for (Index i = 0; i < data.groups.size(); ++i)
    groups.push_back({{"name", repair_utf8(data.groups[i].name)},
                      {"size", data.groups[i].size},
                      {"at", place_of(places.groups, i)}});
  for (const PageLayer& layer : data.layers)
    layers.push_back({{"name", repair_utf8(layer.name)}, {"order", layer.order}});
  const Json all = {{"format", kFormat},
                    {"title", repair_utf8(data.title)},
                    {"made_by", repair_utf8(data.made_by)},
                    {"rows", data.labels.of.size()},
                    {"block_rows", kTextRows},
                    {"text_limit", text_limit},
                    {"box", box_json(box)},
                    {"view", box_json(view)},
                    {"whole", box_json(whole_view(data.points.view()))},
                    {"contours", contours_json(lines)},
                    {"column", repair_utf8(data.column_name)},
                    {"column_order", data.column_order},
                    {"layers", std::move(layers)},
                    {"clusters", std::move(clusters)},
                    {"groups", std::move(groups)}};
  return page::script_safe(all.dump());
}

void add_block(std::string& out, const std::string& id, std::string_view bytes) {
  out += "\n<script type=\"text/plain\" id=\"" + id + "\">";
  page::Block block(out);
  block.add(bytes);
  block.finish();
  out += "</script>";
}

template <class T>
void add_block(std::string& out, const std::string& id, const std::vector<T>& values) {
  add_block(out, id, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

/// Coordinates of one axis, rounded to a power of two far below a pixel: bits that nobody sees do not
/// compress.
std::vector<float> positions(const PageData& data, Index axis, float span) {
  const Index rows = data.labels.of.size();
  std::vector<float> out(rows, std::numeric_limits<float>::quiet_NaN());
  const double step = span > 0 ? std::exp2(std::ceil(std::log2(double{span})) - kPositionBits) : 0;
  for (Index i = 0; i < data.points.rows(); ++i) {
    const float value = data.points[i][axis];
    if (std::isfinite(value))
      out[i] = step > 0 ? static_cast<float>(std::nearbyint(value / step) * step) : value;
  }
  return out;
}

using Source = std::function<Texts(Index, Index)>;

/// Calls use(texts) for rows [first, end), batch by batch.
template <class Use>
void each_batch(const Source& source, Index first, Index end, Use use) {
  for (Index at = first; at < end; at += kBatch) {
    const Index count = std::min(kBatch, end - at);
    Texts texts = source(at, count);
    require(texts.size() == count, Fault::argument,
            "asked for " + std::to_string(count) + " texts from row " + std::to_string(at) + ", got " +
                std::to_string(texts.size()));
    use(std::move(texts));
  }
}
static_assert(kTextRows % kBatch == 0, "batches of one block are those of all rows");

/// What is done to make a column fit: texts of more than `limit` bytes are cut there, `rows` holds 1 for
/// those. limit 0: all are whole.
struct Cut {
  Index limit = 0;
  std::vector<std::uint8_t> rows;
  std::vector<Texts> whole;  ///< all of them, in batches, if they fit: they need not be read again
};

/// The short texts take what they need of the budget; the others share the rest evenly.
Cut cut(const Source& source, Index rows, Index budget) {
  std::vector<Index> lengths;
  lengths.reserve(rows);
  std::vector<Texts> whole;
  Index bytes = 0;
  each_batch(source, 0, rows, [&](Texts&& texts) {
    for (Index i = 0; i < texts.size(); ++i) lengths.push_back(texts[i].size());
    bytes += texts.bytes();
    bytes <= budget ? whole.push_back(std::move(texts)) : whole.clear();
  });
  std::vector<Index> sorted = lengths;
  std::ranges::sort(sorted);
  for (Index i = 0; i < rows; ++i) {
    const Index share = std::max(budget / (rows - i), kLeastCut);
    if (sorted[i] > share) {
      Cut found{share, {}, {}};
      for (const Index length : lengths) found.rows.push_back(length > share);
      return found;
    }
    budget -= std::min(budget, sorted[i]);
  }
  return {0, {}, std::move(whole)};
}

/// Rows [first, end) of a column of texts as one block: each text and a NUL.
void add_texts(std::string& out, const std::string& id, const Source& source, Index first, Index end,
               Index most) {
  out += "\n<script type=\"text/plain\" id=\"" + id + "\">";
  page::Block block(out);
  each_batch(source, first, end, [&](const Texts& texts) {
    std::string piece;
    for (Index i = 0; i < texts.size(); ++i) (piece += page::shown(texts[i], most)) += '\0';
    block.add(piece);
  });
  block.finish();
  out += "</script>";
}

void add_column(std::string& out, const std::string& name, const Source& source, Index rows, Cut& cut) {
  const Index most = cut.limit ? cut.limit : std::numeric_limits<Index>::max();
  const auto again = [&](Index first, Index count) {
    return cut.whole.empty() ? source(first, count) : std::move(cut.whole[first / kBatch]);
  };
  for (Index first = 0; first < rows; first += kTextRows)
    add_texts(out, name + std::to_string(first / kTextRows), again, first, std::min(first + kTextRows, rows),
              most);
}

}  // namespace

void write_page(const std::filesystem::path& path, const PageData& data) {
  check(data);
  const std::string_view html(shoal_page_html, shoal_page_html_end - shoal_page_html);
  const std::size_t marker = html.find(kMarker);
  require(marker != html.npos, Fault::unsupported,
          "this program was built with a page that has no place for data");
  const MapBox box = map_box(data.points.view());
  const MapBox view = dense_view(data.points.view());
  const Contours lines = contours(data.points.view(), view);
  const float span = std::max(box.high.x - box.low.x, box.high.y - box.low.y);
  const Index rows = data.labels.of.size();
  Cut texts = cut(data.texts, rows, data.text_budget);
  std::string out(html.substr(0, marker));
  out += "<script type=\"application/json\" id=\"meta\">" + meta(data, box, view, lines, texts.limit) +
         "</script>";
  add_block(out, "b-x", positions(data, 0, span));
  add_block(out, "b-y", positions(data, 1, span));
  add_block(out, "b-label", data.labels.of);
  add_block(out, "b-contours", packed(lines));
  if (!data.report.empty()) add_block(out, "b-report", data.report);
  if (!data.plots.empty()) {
    Json plots = Json::array();
    for (const PagePlot& plot : data.plots)
      plots.push_back({{"title", repair_utf8(plot.title)}, {"svg", repair_utf8(plot.svg)}});
    add_block(out, "b-plots", plots.dump());
  }
  add_column(out, "b-text", data.texts, rows, texts);
  if (texts.limit) add_block(out, "b-cut", texts.rows);
  if (!data.column_name.empty() && data.column) {
    Cut column = cut(data.column, rows, data.text_budget);
    add_column(out, "b-column", data.column, rows, column);
  }
  for (Index i = 0; i < data.layers.size(); ++i) {
    Cut layer = cut(data.layers[i].values, rows, data.text_budget);
    add_column(out, "b-layer" + std::to_string(i) + "-", data.layers[i].values, rows, layer);
  }
  out += html.substr(marker + kMarker.size());
  write_file(path, out);
}

}  // namespace shoal
