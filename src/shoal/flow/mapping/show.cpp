#include "shoal/flow/mapping/show.h"

#include <algorithm>
#include <optional>
#include <set>

#include "shoal/core/error.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/steps/step.h"
#include "shoal/flow/tables/percentile_bins.h"
#include "shoal/flow/tables/value_bins.h"
#include "shoal/map/page.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kMostPlot = Index{16} << 20;  // bytes
constexpr Index kSample = 20000;              // rows looked at to find a column worth colouring by

/// True if the column has few enough values to be a colour, and more than one.
bool is_category(const Collection& collection, const std::string& column) {
  std::set<std::string, std::less<>> values;
  const Texts texts = collection.column(column, 0, std::min(kSample, collection.rows()));
  for (Index i = 0; i < texts.size(); ++i) {
    if (!values.contains(texts[i])) values.emplace(texts[i]);
    if (values.size() > 200) return false;
  }
  return values.size() >= 2 && values.size() * 2 <= texts.size();
}

}  // namespace

std::string name_of_collection(const std::filesystem::path& folder) {
  const auto full = std::filesystem::absolute(folder).lexically_normal();  // ends with / where the path did
  return (full.has_filename() ? full : full.parent_path()).stem().string();
}

std::string color_column(const Collection& collection, const std::string& wanted) {
  const auto columns = collection.columns();
  if (wanted.empty()) {
    const auto found =
        std::ranges::find_if(columns, [&](const auto& name) { return is_category(collection, name); });
    return found == columns.end() ? "" : *found;
  }
  std::string known;
  for (const auto& name : columns) known += (known.empty() ? "" : ", ") + name;
  require(std::ranges::find(columns, wanted) != columns.end(), Fault::argument,
          option_name("color") + " is " + wanted +
              ": no such column; there are: " + (known.empty() ? "none" : known));
  return wanted;
}

void write_map_page(const Collection& collection, const ShowOptions& options) {
  PageData page;
  page.title = options.title.empty() ? name_of_collection(collection.folder()) : options.title;
  page.points = collection.points();
  page.labels = collection.labels();
  page.made_by = "shoal " SHOAL_VERSION ", " + collection.manifest("model_name").value_or("") + ", " +
                 std::string(saved_method(collection.file("clusters.safetensors")).title()) + ", " +
                 std::to_string(page.labels.count) + (page.labels.count == 1 ? " cluster" : " clusters");
  page.clusters = collection.clusters();
  page.groups = collection.groups();
  page.report = read_report(collection.file("report.json"));
  page.texts = [&](Index first, Index count) { return collection.texts(first, count); };
  page.column_name = color_column(collection, options.color);
  if (!page.column_name.empty())
    page.column = [&](Index first, Index count) { return collection.column(page.column_name, first, count); };
  // Numbers, dates and times of many values are shown by ranges, of which each has a colour.
  std::optional<ValueBins> bins;
  if (!page.column_name.empty()) bins = value_bins(collection, page.column_name);
  if (bins) {
    page.column = [&](Index first, Index count) {
      return bins->of(collection.column(page.column_name, first, count));
    };
    page.column_order = bins->names;
  }
  std::optional<Matrix> strangeness;
  if (collection.result(kAnomalyResult)) {
    strangeness = collection.values(kAnomalyResult);
    page.layers.push_back({"how strange", percentile_ranges(), [&](Index first, Index count) {
                             return percentile_bins(*strangeness, first, count);
                           }});
  }
  for (const KeptPlot& plot : kKeptPlots)
    if (const auto path = collection.file(plot.file);
        collection.manifest(checksum_key(plot.file)) && std::filesystem::exists(path))
      page.plots.push_back({plot.title, read_file(path, kMostPlot)});
  write_page(collection.file("map.html"), page);
}

constexpr const char* kStale = "page_stale";

void begin_change(Collection& collection) { collection.set_manifest(kStale, "1"); }
bool is_stale(const Collection& collection) { return collection.manifest(kStale).has_value(); }

void check_has_map(const std::filesystem::path& folder) {
  require(std::filesystem::exists(folder / "map.html"), Fault::argument,
          folder.string() + " has no map yet; 'shoal map' makes one");
}

void keep_plots(const std::filesystem::path& folder,
                const std::vector<std::pair<KeptPlot, std::string>>& svgs) {
  Collection collection = Collection::open(folder, false);
  check_has_map(folder);
  begin_change(collection);
  for (const auto& [plot, svg] : svgs) {
    write_file(collection.file(plot.file), svg);
    collection.set_manifest(checksum_key(plot.file), sha256_file(collection.file(plot.file)));
  }
  redraw_page(collection);
  collection.settle(words_of_index());
}

void forget_plot(Collection& collection, const KeptPlot& plot) {
  if (!collection.manifest(checksum_key(plot.file))) return;  // a file of that name is not ours
  collection.forget_manifest(checksum_key(plot.file));
  std::error_code ignored;
  std::filesystem::remove(collection.file(plot.file), ignored);
}

void forget_found_by_vectors(Collection& collection) {
  if (collection.result(kAnomalyResult)) collection.drop_result(kAnomalyResult);
  for (const KeptPlot& plot : kKeptPlots) forget_plot(collection, plot);
}

void redraw_page(Collection& collection, const std::string& title) {
  const MapOptions options = stored_options(collection);
  write_map_page(collection, {.title = title.empty() ? options.title : title, .color = options.color});
  const auto page = collection.file("map.html");
  collection.set_manifest(checksum_key("map.html"), sha256_file(page));
  collection.forget_manifest(kStale);
}

}  // namespace shoal
