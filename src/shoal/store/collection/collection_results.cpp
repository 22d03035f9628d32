#include <cmath>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/store/collection/collection_impl.h"

namespace shoal {
namespace {

using nlohmann::json;

template <class T>
std::string json_list(const std::vector<T>& values) {
  return json(values).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A list of strings or of whole numbers as `json_list` wrote it; Error(format) on anything else.
template <class T>
std::vector<T> parse_list(std::string_view text, const std::filesystem::path& folder) {
  const json list = json::parse(text, nullptr, false);
  std::vector<T> out;
  bool good = list.is_array();
  for (std::size_t i = 0; good && i < list.size(); ++i) {
    if constexpr (std::is_same_v<T, std::string>) {
      good = list[i].is_string();
    } else {
      good = list[i].is_number_unsigned();
    }
    if (good) out.push_back(list[i].template get<T>());
  }
  if (!good) throw damaged_collection(folder, "table clusters holds no proper list");
  return out;
}

void check_count(Index given, Index rows) {
  if (given == rows) return;
  throw Error(Fault::argument,
              std::to_string(given) + " results were given for " + std::to_string(rows) + " rows");
}

[[noreturn]] void none_yet(const std::filesystem::path& folder, const char* what) {
  throw Error(Fault::data,
              folder.string() + " has no " + what + " for all its rows yet; run 'shoal map' to the end");
}

}  // namespace

void Collection::set_labels(const Labels& labels) {
  State& s = *state_;
  check_count(labels.of.size(), s.rows());
  for (Index row = 0; row < labels.of.size(); ++row) {
    const Label label = labels.of[row];
    if (label < kNoise || (label >= 0 && static_cast<Index>(label) >= labels.count)) {
      throw Error(Fault::argument, "row " + std::to_string(row) + " has label " + std::to_string(label) +
                                       "; -1 to " + std::to_string(labels.count) + " - 1 are allowed");
    }
  }
  Transaction transaction(s.database);
  s.changing();
  // A damaged table may hold an id that is no row's number.
  const auto inside = [&](std::int64_t id) { return id >= 0 && static_cast<Index>(id) < labels.of.size(); };
  // One pass over the table is several times faster than one statement a row.
  const SqlFunction label(s.database, "shoal_label", [&](std::int64_t id) {
    return inside(id) ? labels.of[static_cast<Index>(id)] : kNoise;
  });
  s.database.run(
      "UPDATE rows SET cluster = CAST(shoal_label(id) AS INTEGER);"
      "DELETE FROM clusters; DELETE FROM groups");
  s.database.run("INSERT OR REPLACE INTO manifest VALUES('label_count', '" + std::to_string(labels.count) +
                 "')");
  transaction.commit();
}

Labels Collection::labels() const {
  const State& s = *state_;
  const auto count = manifest("label_count");
  if (!count) none_yet(s.folder, "clusters");
  Statement each(s.database, "SELECT cluster FROM rows ORDER BY id");
  Labels out{.count = static_cast<Index>(std::strtoull(count->c_str(), nullptr, 10))};
  out.of.reserve(s.rows());
  while (each.step()) {
    if (each.is_null(0)) none_yet(s.folder, "clusters");
    const std::int64_t label = each.integer(0);
    if (label < kNoise || (label >= 0 && static_cast<Index>(label) >= out.count)) {
      throw damaged_collection(
          s.folder, "row " + std::to_string(out.of.size()) + " is in cluster " + std::to_string(label));
    }
    out.of.push_back(static_cast<Label>(label));
  }
  return out;
}

void Collection::set_points(MatrixView xy) {
  State& s = *state_;
  check_count(xy.rows, s.rows());
  require(xy.cols == 2, Fault::argument, "points have two numbers, not " + std::to_string(xy.cols));
  for (Index row = 0; row < xy.rows; ++row) {
    if (std::isfinite(xy[row][0]) && std::isfinite(xy[row][1])) continue;
    throw Error(Fault::data, "the point of row " + std::to_string(row) + " is not finite");
  }
  Transaction transaction(s.database);
  s.changing();
  const auto axis = [xy](Index which) {
    return [xy, which](std::int64_t id) {
      return id >= 0 && static_cast<Index>(id) < xy.rows ? xy[static_cast<Index>(id)][which] : 0.0f;
    };
  };
  const SqlFunction x(s.database, "shoal_x", axis(0)), y(s.database, "shoal_y", axis(1));
  s.database.run("UPDATE rows SET x = shoal_x(id), y = shoal_y(id)");
  transaction.commit();
}

Matrix Collection::points() const {
  const State& s = *state_;
  Matrix out(s.rows(), 2);
  Statement each(s.database, "SELECT x, y FROM rows ORDER BY id LIMIT ?");
  each.bind(1, static_cast<std::int64_t>(out.rows()));
  for (Index row = 0; each.step(); ++row) {
    if (each.is_null(0) || each.is_null(1)) none_yet(s.folder, "points");
    for (int axis = 0; axis < 2; ++axis) out[row][axis] = static_cast<float>(each.real(axis));
  }
  return out;
}

void Collection::set_clusters(const std::vector<ClusterRecord>& clusters,
                              const std::vector<GroupRecord>& groups) {
  State& s = *state_;
  Transaction transaction(s.database);
  s.changing();
  s.database.run("DELETE FROM clusters; DELETE FROM groups");
  Statement add(s.database, "INSERT INTO clusters VALUES(?, ?, ?, ?, ?, ?)");
  for (const ClusterRecord& c : clusters) {
    const std::string words = json_list(c.words), medoids = json_list(c.medoids);
    add.bind(1, std::int64_t{c.id}).bind(2, c.name).bind(3, words).bind(4, static_cast<std::int64_t>(c.size));
    add.bind(5, std::int64_t{c.group}).bind(6, medoids).run();
  }
  Statement add_group(s.database, "INSERT INTO groups VALUES(?, ?, ?)");
  for (const GroupRecord& g : groups) {
    add_group.bind(1, std::int64_t{g.id}).bind(2, g.name).bind(3, static_cast<std::int64_t>(g.size)).run();
  }
  transaction.commit();
}

std::vector<ClusterRecord> Collection::clusters() const {
  std::vector<ClusterRecord> out;
  Statement each(state_->database,
                 "SELECT id, name, words, size, group_id, medoids FROM clusters ORDER BY id");
  while (each.step()) {
    out.push_back({.id = static_cast<Label>(each.integer(0)),
                   .name = std::string(each.text(1)),
                   .words = parse_list<std::string>(each.text(2), state_->folder),
                   .size = static_cast<Index>(each.integer(3)),
                   .group = static_cast<Label>(each.integer(4)),
                   .medoids = parse_list<Index>(each.text(5), state_->folder)});
  }
  return out;
}

std::vector<GroupRecord> Collection::groups() const {
  std::vector<GroupRecord> out;
  Statement each(state_->database, "SELECT id, name, size FROM groups ORDER BY id");
  while (each.step()) {
    out.push_back({.id = static_cast<Label>(each.integer(0)),
                   .name = std::string(each.text(1)),
                   .size = static_cast<Index>(each.integer(2))});
  }
  return out;
}

}  // namespace shoal
