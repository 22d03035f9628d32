#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/collection/collection_impl.h"
#include "shoal/store/collection/json_list_impl.h"

namespace shoal {
namespace {

constexpr const char* kKinds[] = {"labels", "score", "probability", "places"};

void check_count(Index given, Index rows) {
  if (given == rows) return;
  throw Error(Fault::argument,
              std::to_string(given) + " results were given for " + std::to_string(rows) + " rows");
}

[[noreturn]] void none_yet(const std::filesystem::path& folder, std::string_view result) {
  const std::string what = result == kMainClustering ? "clusters"
                           : result == kMainLayout   ? "points"
                                                     : "result " + shown(result);
  throw Error(Fault::data, folder.string() + " has no " + what + " for all its rows yet",
              "run 'shoal map' to the end");
}

void check_result(const Result& as) {
  require(!as.name.empty() && as.name.size() <= 200, Fault::argument,
          "a result needs a name of 1 to 200 bytes, not " + std::to_string(as.name.size()));
  require(nlohmann::json::accept(as.options), Fault::argument,
          "the options of result " + shown(as.name) + " are no JSON");
}

}  // namespace

std::string_view name_of(ResultKind kind) { return kKinds[static_cast<int>(kind)]; }

std::vector<StoredResult> Collection::State::results() const {
  std::vector<StoredResult> out;
  Statement each(
      database, "SELECT name, kind, stage, options, n_clusters, parts, stored_as FROM results ORDER BY name");
  const Index most = rows();
  while (each.step()) {
    const auto kind = std::ranges::find(kKinds, each.text(1));
    StoredResult r{{.name = std::string(each.text(0)),
                    .kind = static_cast<ResultKind>(kind - std::begin(kKinds)),
                    .stage = std::string(each.text(2)),
                    .options = std::string(each.text(3)),
                    .parts = parse_list<std::string>(each.text(5), folder, "results"),
                    .n_clusters = static_cast<Index>(each.integer(4))},
                   parse_list<std::string>(each.text(6), folder, "results")};
    if (kind == std::end(kKinds) || r.result.n_clusters > most ||
        r.stored_as.size() != std::max<std::size_t>(1, r.result.parts.size()))
      throw damaged_collection(folder, "row " + shown(r.result.name) + " of table results is wrong");
    out.push_back(std::move(r));
  }
  return out;
}

std::optional<StoredResult> Collection::State::find_result(std::string_view name) const {
  for (StoredResult& r : results())
    if (r.result.name == name) return std::move(r);
  return std::nullopt;
}

StoredResult Collection::State::needed_result(std::string_view name, bool labels) const {
  if (auto found = find_result(name)) {
    if ((found->result.kind == ResultKind::labels) == labels) return *std::move(found);
    throw Error(Fault::argument, "result " + shown(name) + " of " + folder.string() + " holds " +
                                     std::string(name_of(found->result.kind)));
  }
  if (is_main(name)) none_yet(folder, name);
  std::string known;
  for (const StoredResult& r : results()) known += (known.empty() ? "" : ", ") + shown(r.result.name);
  throw Error(Fault::argument, folder.string() + " has no result " + shown(name) +
                                   "; there are: " + (known.empty() ? "none" : known));
}

void Collection::State::drop(const StoredResult& old) {
  for (const std::string& column : old.stored_as)
    database.run(is_main(old.result.name) ? "UPDATE rows SET " + sql_name(column) + " = NULL"
                                          : "ALTER TABLE rows DROP COLUMN " + sql_name(column));
  Statement(database, "DELETE FROM results WHERE name = ?").bind(1, old.result.name).run();
  drop_clusters(old.result.name);
}

void Collection::State::store(const Result& result, const std::vector<SqlFunction::Value>& values) {
  Transaction transaction(database);
  changing();
  const bool labels = result.kind == ResultKind::labels;
  if (const auto old = find_result(result.name); old && !is_main(result.name)) drop(*old);
  const RowColumns others = columns();
  const std::vector<std::string> stored_as = stored_result(result, others);
  require(stored_as.size() == values.size(), Fault::argument,
          "result " + shown(result.name) + " is of another kind");
  Index wanted = others.user.size() + (is_main(result.name) ? 0 : stored_as.size());
  for (const StoredResult& r : others.results)
    if (!is_main(r.result.name)) wanted += r.stored_as.size();
  if (const auto most = static_cast<Index>(database.most_columns() - kOwnColumnCount); wanted > most)
    throw Error(Fault::data, "with result " + shown(result.name) + " the collection would have " +
                                 std::to_string(wanted) + " columns beside its texts; at most " +
                                 std::to_string(most) + " can be kept");
  std::string sets;
  std::vector<std::unique_ptr<SqlFunction>> functions;
  for (Index c = 0; c < stored_as.size(); ++c) {
    if (!is_main(result.name))
      database.run("ALTER TABLE rows ADD COLUMN " + sql_name(stored_as[c]) + (labels ? " INTEGER" : " REAL"));
    const std::string name = "shoal_value_" + std::to_string(c);
    functions.push_back(std::make_unique<SqlFunction>(database, name, values[c]));
    sets += (c == 0 ? "" : ", ") + sql_name(stored_as[c]) + " = " +
            (labels ? "CAST(" + name + "(id) AS INTEGER)" : name + "(id)");
  }
  // One pass over the table is several times faster than one statement a row.
  database.run("UPDATE rows SET " + sets);
  const std::string parts = json_list(result.parts), columns_of_it = json_list(stored_as);
  Statement(database, "INSERT OR REPLACE INTO results VALUES(?, ?, ?, ?, ?, ?, ?)")
      .bind(1, result.name)
      .bind(2, name_of(result.kind))
      .bind(3, result.stage)
      .bind(4, result.options)
      .bind(5, static_cast<std::int64_t>(result.n_clusters))
      .bind(6, parts)
      .bind(7, columns_of_it)
      .run();
  drop_clusters(result.name);
  transaction.commit();
}

std::vector<Result> Collection::results() const {
  std::vector<Result> out;
  for (StoredResult& r : state_->results()) out.push_back(std::move(r.result));
  return out;
}

std::optional<Result> Collection::result(std::string_view name) const {
  auto found = state_->find_result(name);
  return found ? std::optional(std::move(found->result)) : std::nullopt;
}

void Collection::drop_result(std::string_view name) {
  const auto old = state_->find_result(name);
  if (!old) return;
  Transaction transaction(state_->database);
  state_->changing();
  state_->drop(*old);
  transaction.commit();
}

void Collection::set_labels(const Labels& labels, Result as) {
  check_result(as);
  check_count(labels.of.size(), state_->rows());
  for (Index row = 0; row < labels.of.size(); ++row) {
    const Label label = labels.of[row];
    if (label < kNoise || (label >= 0 && static_cast<Index>(label) >= labels.count)) {
      throw Error(Fault::argument, "row " + std::to_string(row) + " has label " + std::to_string(label) +
                                       "; -1 to " + std::to_string(labels.count) + " - 1 are allowed");
    }
  }
  require(labels.count <= labels.of.size(), Fault::argument,
          std::to_string(labels.count) + " clusters were given for " + std::to_string(labels.of.size()) +
              " rows");
  as.kind = ResultKind::labels;
  as.parts.clear();
  as.n_clusters = labels.count;
  // A damaged table may hold an id that is no row's number.
  state_->store(as, {[&](std::int64_t id) {
                  return id >= 0 && static_cast<Index>(id) < labels.of.size()
                             ? labels.of[static_cast<Index>(id)]
                             : kNoise;
                }});
}

Labels Collection::labels(std::string_view name) const { return state_->labels(name, false); }
Labels Collection::labels_so_far(std::string_view name) const { return state_->labels(name, true); }

Labels Collection::State::labels(std::string_view name, bool so_far) const {
  const State& s = *this;
  const StoredResult found = s.needed_result(name, true);
  Labels out{.count = found.result.n_clusters};
  const Index rows = s.rows();
  out.of.reserve(rows);
  s.each_row(found.stored_as, 0, rows, [&](const Statement& row) {
    if (row.is_null(0) && !so_far) none_yet(s.folder, name);
    const std::int64_t label = row.is_null(0) ? kNoise : row.integer(0);
    if (label < kNoise || (label >= 0 && static_cast<Index>(label) >= out.count)) {
      throw damaged_collection(
          s.folder, "row " + std::to_string(out.of.size()) + " is in cluster " + std::to_string(label));
    }
    out.of.push_back(static_cast<Label>(label));
  });
  return out;
}

void Collection::set_values(const Result& as, MatrixView values) {
  check_result(as);
  require(as.kind != ResultKind::labels && as.name != kMainClustering, Fault::argument,
          "labels are stored by set_labels");
  check_count(values.rows, state_->rows());
  const Index wanted = std::max<Index>(1, as.parts.size());
  require(values.cols == wanted, Fault::argument,
          "result " + shown(as.name) + " has " + std::to_string(wanted) + " numbers a row, not " +
              std::to_string(values.cols));
  for (Index row = 0; row < values.rows; ++row) {
    if (std::ranges::all_of(values[row], [](float x) { return std::isfinite(x); })) continue;
    throw Error(Fault::data,
                "result " + shown(as.name) + " of row " + std::to_string(row) + " is not finite");
  }
  std::vector<SqlFunction::Value> columns;
  for (Index c = 0; c < wanted; ++c)
    columns.push_back([values, c](std::int64_t id) {
      return id >= 0 && static_cast<Index>(id) < values.rows ? values[static_cast<Index>(id)][c] : 0.0f;
    });
  Result kept = as;
  kept.n_clusters = 0;
  state_->store(kept, columns);
}

Matrix Collection::values(std::string_view name) const {
  const State& s = *state_;
  const Index rows = s.rows();
  if (rows == 0) return Matrix(0, name == kMainLayout ? 2 : 1);
  const StoredResult found = s.needed_result(name, false);
  Matrix out(rows, found.stored_as.size());
  Index at = 0;
  s.each_row(found.stored_as, 0, rows, [&](const Statement& row) {
    for (Index c = 0; c < out.cols(); ++c) {
      if (row.is_null(static_cast<int>(c))) none_yet(s.folder, name);
      out[at][c] = static_cast<float>(row.real(static_cast<int>(c)));
      if (!std::isfinite(out[at][c]))
        throw damaged_collection(
            s.folder, "result " + shown(name) + " of row " + std::to_string(at) + " is not finite");
    }
    ++at;
  });
  return out;
}

void Collection::set_points(MatrixView xy, Result as) {
  require(xy.cols == 2, Fault::argument, "points have two numbers, not " + std::to_string(xy.cols));
  as.kind = ResultKind::places;
  as.parts = {"x", "y"};
  set_values(as, xy);
}

Matrix Collection::points(std::string_view name) const {
  Matrix out = values(name);
  require(out.cols() == 2, Fault::argument,
          "result " + shown(name) + " has " + std::to_string(out.cols()) + " numbers a row; points have two");
  return out;
}

}  // namespace shoal
