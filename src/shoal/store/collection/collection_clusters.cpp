#include <algorithm>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/collection/collection_impl.h"
#include "shoal/store/collection/json_list_impl.h"

namespace shoal {
namespace {

struct Described {
  std::vector<ClusterRecord> clusters;
  std::vector<GroupRecord> groups;
};

/// What is wrong with the description of `n_clusters` clusters of `rows` rows; empty: nothing.
std::string fault_in(const Described& d, Index n_clusters, Index rows) {
  if (d.clusters.empty() && d.groups.empty()) return {};  // not described yet, or there are none
  if (d.clusters.size() != n_clusters)
    return "table clusters has " + std::to_string(d.clusters.size()) + " rows for " +
           std::to_string(n_clusters) + " clusters";
  std::vector<Index> of_group(d.groups.size());
  Index left = rows;
  for (Index c = 0; c < d.clusters.size(); ++c) {
    const ClusterRecord& row = d.clusters[c];
    const bool grouped = row.group >= 0 && static_cast<Index>(row.group) < d.groups.size();
    if (row.id != static_cast<Label>(c) || !grouped || row.size > left ||
        std::ranges::any_of(row.medoids, [&](Index medoid) { return medoid >= rows; }))
      return "row " + std::to_string(c) + " of table clusters is wrong";
    left -= row.size;
    of_group[static_cast<Index>(row.group)] += row.size;
  }
  for (Index g = 0; g < d.groups.size(); ++g)
    if (d.groups[g].id != static_cast<Label>(g) || d.groups[g].size != of_group[g])
      return "row " + std::to_string(g) + " of table groups is wrong";
  return {};
}

/// A number from a table that should be an id; no id is below 0.
Label id_in(const Statement& row, int column) {
  const std::int64_t id = row.integer(column);
  return id >= 0 && id <= std::numeric_limits<Label>::max() ? static_cast<Label>(id) : -1;
}

Described read_described(const Database& database, const std::filesystem::path& folder,
                         std::string_view clustering, Index n_clusters, Index rows) {
  Described out;
  Statement each(
      database,
      "SELECT id, name, words, size, group_id, medoids FROM clusters WHERE clustering = ? ORDER BY "
      "id");
  each.bind(1, clustering);
  while (each.step())
    out.clusters.push_back({.id = id_in(each, 0),
                            .name = std::string(each.text(1)),
                            .words = parse_list<std::string>(each.text(2), folder, "clusters"),
                            .size = static_cast<Index>(each.integer(3)),
                            .group = id_in(each, 4),
                            .medoids = parse_list<Index>(each.text(5), folder, "clusters")});
  Statement each_group(database, "SELECT id, name, size FROM groups WHERE clustering = ? ORDER BY id");
  each_group.bind(1, clustering);
  while (each_group.step())
    out.groups.push_back({.id = id_in(each_group, 0),
                          .name = std::string(each_group.text(1)),
                          .size = static_cast<Index>(each_group.integer(2))});
  if (const std::string fault = fault_in(out, n_clusters, rows); !fault.empty())
    throw damaged_collection(folder, fault);
  return out;
}

}  // namespace

void Collection::State::drop_clusters(std::string_view clustering) {
  for (const char* sql :
       {"DELETE FROM clusters WHERE clustering = ?", "DELETE FROM groups WHERE clustering = ?"})
    Statement(database, sql).bind(1, clustering).run();
}

void Collection::set_clusters(const std::vector<ClusterRecord>& clusters,
                              const std::vector<GroupRecord>& groups, std::string_view clustering) {
  State& s = *state_;
  const Result labels = s.needed_result(clustering, true).result;
  const std::string fault = fault_in({clusters, groups}, labels.n_clusters, s.rows());
  require(fault.empty(), Fault::argument, "clusters that do not fit their labels were given: " + fault);
  Transaction transaction(s.database);
  s.changing();
  s.drop_clusters(clustering);
  Statement add(s.database, "INSERT INTO clusters VALUES(?, ?, ?, ?, ?, ?, ?)");
  add.bind(1, clustering);
  for (const ClusterRecord& c : clusters) {
    const std::string words = json_list(c.words), medoids = json_list(c.medoids);
    add.bind(2, std::int64_t{c.id}).bind(3, c.name).bind(4, words).bind(5, static_cast<std::int64_t>(c.size));
    add.bind(6, std::int64_t{c.group}).bind(7, medoids).run();
  }
  Statement add_group(s.database, "INSERT INTO groups VALUES(?, ?, ?, ?)");
  add_group.bind(1, clustering);
  for (const GroupRecord& g : groups) {
    add_group.bind(2, std::int64_t{g.id}).bind(3, g.name).bind(4, static_cast<std::int64_t>(g.size)).run();
  }
  transaction.commit();
}

std::vector<ClusterRecord> Collection::clusters(std::string_view clustering) const {
  const State& s = *state_;
  const auto labels = s.find_result(clustering);
  const Index n = labels ? labels->result.n_clusters : 0;
  return read_described(s.database, s.folder, clustering, n, s.rows()).clusters;
}

std::vector<GroupRecord> Collection::groups(std::string_view clustering) const {
  const State& s = *state_;
  const auto labels = s.find_result(clustering);
  const Index n = labels ? labels->result.n_clusters : 0;
  return read_described(s.database, s.folder, clustering, n, s.rows()).groups;
}

}  // namespace shoal
