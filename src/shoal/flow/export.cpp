#include "shoal/flow/export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/csv_field.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;  // rows in memory at once

/// What belongs to the whole collection.
struct Results {
  std::vector<std::string> columns;  // the user's, each under a name of its own
  Labels labels;
  std::vector<ClusterRecord> clusters;
  std::vector<GroupRecord> groups;
  Matrix points;

  const ClusterRecord* cluster(Index row) const {
    const Label label = row < labels.of.size() ? labels.of[row] : kNoise;
    return label == kNoise || static_cast<Index>(label) >= clusters.size()
               ? nullptr
               : &clusters[static_cast<Index>(label)];
  }
  const GroupRecord* group(Index row) const {
    const ClusterRecord* c = cluster(row);
    return c == nullptr || static_cast<Index>(c->group) >= groups.size()
               ? nullptr
               : &groups[static_cast<Index>(c->group)];
  }
};

std::vector<std::string> own_names(const std::vector<std::string>& columns) {
  std::set<std::string> taken = {"row", "text", "cluster", "cluster_name", "group_name", "x", "y"};
  std::vector<std::string> out;
  for (const std::string& name : columns) {
    std::string own = name;
    for (int n = 2; !taken.insert(own).second; ++n) own = name + " (" + std::to_string(n) + ")";
    out.push_back(own);
  }
  return out;
}

std::string csv_header(const Results& results) {
  std::string out = "row,text";
  for (const auto& name : results.columns) {
    out += ',';
    add_csv_field(out, name);
  }
  return out + ",cluster,cluster_name,group_name,x,y\n";
}

void add_csv_row(std::string& out, const RowBatch& batch, Index i, const Results& results) {
  const Index row = batch.first + i;
  out += std::to_string(row) + ',';
  add_csv_field(out, batch.texts[i]);
  for (const Texts& column : batch.columns) {
    out += ',';
    add_csv_field(out, column[i]);
  }
  out += ',';
  const ClusterRecord* cluster = results.cluster(row);
  const GroupRecord* group = results.group(row);
  if (cluster != nullptr) out += std::to_string(cluster->id);
  out += ',';
  if (cluster != nullptr) add_csv_field(out, cluster->name);
  out += ',';
  if (group != nullptr) add_csv_field(out, group->name);
  const bool placed = row < results.points.rows();
  out += ',' + (placed ? csv_number(results.points[row][0]) : "") + ',' +
         (placed ? csv_number(results.points[row][1]) : "");
  out += '\n';
}

void add_json_row(std::string& out, const RowBatch& batch, Index i, const Results& results) {
  const Index row = batch.first + i;
  nlohmann::ordered_json object;
  object["row"] = row;
  object["text"] = repair_utf8(batch.texts[i], nullptr);
  for (Index c = 0; c < batch.columns.size(); ++c)
    object[results.columns[c]] = repair_utf8(batch.columns[c][i], nullptr);
  const ClusterRecord* cluster = results.cluster(row);
  const GroupRecord* group = results.group(row);
  const bool placed = row < results.points.rows();
  object["cluster"] = cluster ? nlohmann::ordered_json(cluster->id) : nullptr;
  object["cluster_name"] = cluster ? nlohmann::ordered_json(cluster->name) : nullptr;
  object["group_name"] = group ? nlohmann::ordered_json(group->name) : nullptr;
  object["x"] = placed ? nlohmann::ordered_json(results.points[row][0]) : nullptr;
  object["y"] = placed ? nlohmann::ordered_json(results.points[row][1]) : nullptr;
  out += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

/// A result, or an empty one if some row does not have it yet.
template <class Get>
auto if_there(Get&& get) -> decltype(get()) {
  try {
    return get();
  } catch (const Error& e) {
    if (e.fault != Fault::data) throw;
    return {};
  }
}

Results read_results(const Collection& collection) {
  return {.columns = own_names(collection.columns()),
          .labels = if_there([&] { return collection.labels(); }),
          .clusters = collection.clusters(),
          .groups = collection.groups(),
          .points = if_there([&] { return collection.points(); })};
}

}  // namespace

bool export_rows(const Collection& collection, ExportFormat format, const Sink& sink, const Run& run) {
  const Results results = read_results(collection);
  const Index rows = collection.rows();
  if (format == ExportFormat::csv) sink(csv_header(results));
  for (Index first = 0; first < rows; first += kBatch) {
    check_stop(run);
    const Index count = std::min(kBatch, rows - first);
    const RowBatch batch = collection.batch(first, count);
    std::string out;
    for (Index i = 0; i < count; ++i)
      format == ExportFormat::csv ? add_csv_row(out, batch, i, results)
                                  : add_json_row(out, batch, i, results);
    sink(out);
    if (run.progress) run.progress("export", static_cast<double>(first + count), static_cast<double>(rows));
  }
  return results.clusters.size() == results.labels.count && results.labels.of.size() == rows &&
         results.points.rows() == rows;
}

}  // namespace shoal
