#include "shoal/flow/tables/export.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/tables/csv_field.h"
#include "shoal/flow/tables/parquet_table.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;  // rows in memory at once

/// What a result says of a row; nothing where it is not known.
using Cell = std::variant<std::monostate, Label, float, std::string_view>;

struct Column {
  std::string name;
  ParquetType type;
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
      columns.push_back({names[c], ParquetType::float32, [values, c](Index row) {
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
    columns.push_back({name, ParquetType::int32, [d](Index row) {
                         return row < d->labels.of.size() && d->labels.of[row] != kNoise
                                    ? Cell(d->labels.of[row])
                                    : Cell();
                       }});
    columns.push_back({name + "_name", ParquetType::string, [d](Index row) {
                         const ClusterRecord* c = d->of(row);
                         return c == nullptr ? Cell() : Cell(std::string_view(c->name));
                       }});
    columns.push_back(
        {name == kMainClustering ? "group_name" : name + "_group_name", ParquetType::string, [d](Index row) {
           const ClusterRecord* c = d->of(row);
           return c == nullptr ? Cell()
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
std::vector<std::string> own_names(const std::vector<std::string>& columns, const Results& results,
                                   bool vectors) {
  std::set<std::string> taken = {"row", "text"};
  if (vectors) taken.insert("vector");
  for (const Column& column : results.columns) taken.insert(column.name);
  return free_names(columns, taken);
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

void add_json(std::string& out, const nlohmann::ordered_json& value) {
  out += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The key after the one before.
void add_json_key(std::string& out, std::string_view key) {
  out += out.ends_with('{') ? "" : ",";
  add_json(out, std::string(key));
  out += ':';
}

// A cell of the input as JSON: its own text if it was no string there.
void add_json_value(std::string& out, std::string_view cell, CellKind kind) {
  if (kind == CellKind::json)
    for (const char c : cell) out += c == '\n' || c == '\r' ? ' ' : c;  // in an array, objects may span lines
  else if (kind == CellKind::string)
    add_json(out, repair_utf8(cell, nullptr));
  else
    out += "null";
}

struct AddJsonCell {
  std::string& out;
  void operator()(std::monostate) const { out += "null"; }
  template <class T>
  void operator()(T x) const {
    add_json(out, x);
  }
};

void add_json_row(std::string& out, const RowBatch& batch, Index i, const std::vector<std::string>& columns,
                  const Results& results) {
  const Index row = batch.first + i;
  out += '{';
  add_json_key(out, "row");
  out += std::to_string(row);
  add_json_key(out, "text");
  add_json_value(out, batch.texts[i], kind_at(batch.kinds, i, 0));
  for (Index c = 0; c < batch.columns.size(); ++c) {
    const CellKind kind = kind_at(batch.kinds, i, c + 1);
    if (kind == CellKind::missing) continue;
    add_json_key(out, columns[c]);
    add_json_value(out, batch.columns[c][i], kind);
  }
  for (const Column& column : results.columns) {
    add_json_key(out, column.name);
    std::visit(AddJsonCell{out}, column.value(row));
  }
  out += "}\n";
}

struct PutCell {
  ParquetValues& values;
  void operator()(std::monostate) const { values.add_null(); }
  void operator()(Label x) const { values.add(std::int64_t{x}); }
  void operator()(float x) const { std::isnan(x) ? values.add_null() : values.add(double{x}); }
  void operator()(std::string_view x) const { values.add(x); }
};

void write_parquet(const Collection& collection, const std::vector<std::string>& columns,
                   const Results& results, bool vectors, const Sink& sink, const Run& run) {
  const Index rows = collection.rows();
  const auto each_batch = [&](const auto& use) {
    for (Index first = 0; first < rows; first += kBatch) {
      check_stop(run);
      use(collection.batch(first, std::min(kBatch, rows - first)));
    }
  };
  ColumnTypes types(columns.size());
  each_batch([&](const RowBatch& batch) { types.add(batch.columns, batch.kinds); });

  std::optional<Rows> found;
  if (vectors) found = open_rows(collection.file("vectors.safetensors"));
  require(!found || found->rows() == rows, Fault::data, "not every row has a vector yet");
  std::vector<ParquetField> fields = {{"row", ParquetType::int64}, {"text", ParquetType::string}};
  for (Index c = 0; c < columns.size(); ++c) fields.push_back({columns[c], types[c].type()});
  for (const Column& column : results.columns) fields.push_back({column.name, column.type});
  if (found) fields.push_back({"vector", ParquetType::vector, found->cols()});
  for (ParquetField& field : fields) field.name = repair_utf8(field.name);
  ParquetWriter writer(fields, "shoal version " SHOAL_VERSION, sink);
  std::vector<ParquetValues> values(fields.size());
  Matrix scratch;
  each_batch([&](const RowBatch& batch) {
    for (ParquetValues& v : values) v.clear();
    const ColumnType text{};  // a string
    for (Index i = 0; i < batch.texts.size(); ++i) {
      const Index row = batch.first + i;
      Index at = 0;
      values[at++].add(static_cast<std::int64_t>(row));
      text.put(values[at++], batch.texts[i], kind_at(batch.kinds, i, 0));
      for (Index c = 0; c < columns.size(); ++c)
        types[c].put(values[at++], batch.columns[c][i], kind_at(batch.kinds, i, c + 1));
      for (const Column& column : results.columns) std::visit(PutCell{values[at++]}, column.value(row));
    }
    if (found) {
      const MatrixView block = found->block(batch.first, batch.texts.size(), scratch);
      for (Index i = 0; i < block.rows; ++i) values.back().add(block[i].data(), block.cols);
    }
    writer.add(values, batch.texts.size());
    if (run.progress)
      run.progress("export", static_cast<double>(batch.first + batch.texts.size()),
                   static_cast<double>(rows));
  });
  writer.finish();
}

}  // namespace

bool export_rows(const Collection& collection, ExportFormat format, const Sink& sink, const Run& run,
                 const std::vector<std::string>& more, bool vectors) {
  require(!vectors || format == ExportFormat::parquet, Fault::argument,
          "vectors stand beside the rows in Parquet alone; else they are a file of their own");
  Results results(collection);
  for (const char* name : {kMainClustering, kMainLayout}) results.add(name);
  for (const std::string& name : more) {
    require(collection.result(name).has_value(), Fault::argument,
            option_name("result") + " " + name + ": no such result; there are: " + known_results(collection));
    results.add(name);
  }
  const auto columns = own_names(collection.columns(), results, vectors);
  const Index rows = collection.rows();
  if (format == ExportFormat::parquet) {
    write_parquet(collection, columns, results, vectors, sink, run);
    return results.whole;
  }
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
