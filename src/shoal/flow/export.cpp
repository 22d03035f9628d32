#include "shoal/flow/export.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/csv_field.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;  // rows in memory at once

/// What a result says of a row; nothing where it is not known.
using Cell = std::variant<std::monostate, Label, float, std::string_view>;

struct Column {
  std::string name;
  std::function<Cell(Index row)> value;
};

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

/// Everything that is written of a row beside its text and the user's columns.
class Results {
 public:
  explicit Results(const Collection& collection) : collection_(collection) {}

  void add(const std::string& name) {
    if (!added_.insert(name).second) return;
    const auto result = collection_.result(name);
    if (name == kMainClustering || (result && result->kind == ResultKind::labels)) return add_labels(name);
    const auto values = std::make_shared<const Matrix>(if_there([&] { return collection_.values(name); }));
    std::vector<std::string> names;
    if (name == kMainLayout)
      names = {"x", "y"};
    else if (result && result->parts.empty())
      names = {name};
    else if (result)
      for (const std::string& part : result->parts) names.push_back(name + "_" + part);
    for (Index c = 0; c < names.size(); ++c)
      columns.push_back({names[c], [values, c](Index row) {
                           return row < values->rows() ? Cell((*values)[row][c]) : Cell();
                         }});
    whole = whole && values->rows() == collection_.rows();
  }

  std::vector<Column> columns;
  bool whole = true;  ///< every row has all of them

 private:
  std::set<std::string> added_;

  void add_labels(const std::string& name) {
    struct Described {
      Labels labels;
      std::vector<ClusterRecord> clusters;
      std::vector<GroupRecord> groups;

      const ClusterRecord* of(Index row) const {
        const Label label = row < labels.of.size() ? labels.of[row] : kNoise;
        return label == kNoise || clusters.empty() ? nullptr : &clusters[static_cast<Index>(label)];
      }
    };
    const auto d =
        std::make_shared<const Described>(Described{if_there([&] { return collection_.labels(name); }),
                                                    collection_.clusters(name), collection_.groups(name)});
    columns.push_back({name, [d](Index row) {
                         return row < d->labels.of.size() && d->labels.of[row] != kNoise
                                    ? Cell(d->labels.of[row])
                                    : Cell();
                       }});
    columns.push_back({name + "_name", [d](Index row) {
                         const ClusterRecord* c = d->of(row);
                         return c == nullptr ? Cell() : Cell(std::string_view(c->name));
                       }});
    columns.push_back({name == kMainClustering ? "group_name" : name + "_group_name", [d](Index row) {
                         const ClusterRecord* c = d->of(row);
                         return c == nullptr
                                    ? Cell()
                                    : Cell(std::string_view(d->groups[static_cast<Index>(c->group)].name));
                       }});
    whole = whole && d->labels.of.size() == collection_.rows() && d->clusters.size() == d->labels.count;
  }

  const Collection& collection_;
};

std::string known_results(const Collection& collection) {
  std::string out;
  for (const Result& r : collection.results()) out += (out.empty() ? "" : ", ") + r.name;
  return out.empty() ? "none" : out;
}

/// The user's columns, each under a name that no other has.
std::vector<std::string> own_names(const std::vector<std::string>& columns, const Results& results) {
  std::set<std::string> taken = {"row", "text"};
  for (const Column& column : results.columns) taken.insert(column.name);
  std::vector<std::string> out;
  for (const std::string& name : columns) {
    std::string own = name;
    for (int n = 2; !taken.insert(own).second; ++n) own = name + " (" + std::to_string(n) + ")";
    out.push_back(own);
  }
  return out;
}

std::string csv_header(const std::vector<std::string>& columns, const Results& results) {
  std::string out = "row,text";
  const auto add = [&out](const std::string& name) {
    out += ',';
    add_csv_field(out, name);
  };
  for (const std::string& name : columns) add(name);
  for (const Column& column : results.columns) add(column.name);
  return out + '\n';
}

struct AddCsvCell {
  std::string& out;
  void operator()(std::monostate) const {}
  void operator()(Label x) const { out += std::to_string(x); }
  void operator()(float x) const { out += csv_number(x); }
  void operator()(std::string_view x) const { add_csv_field(out, x); }
};

void add_csv_row(std::string& out, const RowBatch& batch, Index i, const Results& results) {
  const Index row = batch.first + i;
  out += std::to_string(row) + ',';
  add_csv_field(out, batch.texts[i]);
  for (const Texts& column : batch.columns) {
    out += ',';
    add_csv_field(out, column[i]);
  }
  for (const Column& column : results.columns) {
    out += ',';
    std::visit(AddCsvCell{out}, column.value(row));
  }
  out += '\n';
}

struct JsonCell {
  nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
  template <class T>
  nlohmann::ordered_json operator()(T x) const {
    return x;
  }
};

void add_json_row(std::string& out, const RowBatch& batch, Index i, const std::vector<std::string>& columns,
                  const Results& results) {
  const Index row = batch.first + i;
  nlohmann::ordered_json object;
  object["row"] = row;
  object["text"] = repair_utf8(batch.texts[i], nullptr);
  for (Index c = 0; c < batch.columns.size(); ++c)
    object[columns[c]] = repair_utf8(batch.columns[c][i], nullptr);
  for (const Column& column : results.columns)
    object[column.name] = std::visit(JsonCell{}, column.value(row));
  out += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

bool export_rows(const Collection& collection, ExportFormat format, const Sink& sink, const Run& run,
                 const std::vector<std::string>& more) {
  Results results(collection);
  for (const char* name : {kMainClustering, kMainLayout}) results.add(name);
  for (const std::string& name : more) {
    require(collection.result(name).has_value(), Fault::argument,
            option_name("result") + " " + name + ": no such result; there are: " + known_results(collection));
    results.add(name);
  }
  const auto columns = own_names(collection.columns(), results);
  const Index rows = collection.rows();
  if (format == ExportFormat::csv) sink(csv_header(columns, results));
  for (Index first = 0; first < rows; first += kBatch) {
    check_stop(run);
    const Index count = std::min(kBatch, rows - first);
    const RowBatch batch = collection.batch(first, count);
    std::string out;
    for (Index i = 0; i < count; ++i)
      format == ExportFormat::csv ? add_csv_row(out, batch, i, results)
                                  : add_json_row(out, batch, i, columns, results);
    sink(out);
    if (run.progress) run.progress("export", static_cast<double>(first + count), static_cast<double>(rows));
  }
  return results.whole;
}

}  // namespace shoal
