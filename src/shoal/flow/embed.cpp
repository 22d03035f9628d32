#include "shoal/flow/embed.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/parquet_table.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/row_spool.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kVectors = "vectors.safetensors";

/// What an interrupted `embed_file` left: how many rows are safe, and what they were made from.
struct Partial {
  Index rows = 0, cut = 0;
  std::string key;
  std::string fingerprint = Fingerprint().text();
};

Partial read_partial(const fs::path& state, const fs::path& part, const std::string& key) {
  if (!fs::exists(state) || !fs::exists(part)) return {.key = key};
  try {
    const auto json = nlohmann::json::parse(read_file(state, 1 << 16));
    Partial partial{json.at("rows"), json.at("cut"), json.at("key"), json.at("fingerprint")};
    if (partial.key == key) return partial;
  } catch (const nlohmann::json::exception&) {  // written by something else: start anew
  }
  return {.key = key};
}

void write_partial(const fs::path& state, const Partial& p) {
  const nlohmann::json json{{"rows", p.rows}, {"cut", p.cut}, {"key", p.key}, {"fingerprint", p.fingerprint}};
  write_file(state, json.dump() + "\n");
}

/// Removes what an interrupted call has left beside the finished `out`. Nothing while another process writes
/// it.
void clean_up(const fs::path& part, const fs::path& state, const fs::path& out, const Space& space) {
  NewFile::clean_up(out);
  if (!fs::exists(part) && !fs::exists(state)) return;
  try {
    const RowsFile mine(part, space.dims, space, 0, out);  // takes it over, and goes
    std::error_code ignored;
    for (const fs::path& left : {part, state}) fs::remove(left, ignored);
  } catch (const Error&) {  // another process writes it, or the disk is read-only
  }
}

bool is_parquet_name(const fs::path& out) { return out.extension() == ".parquet"; }

/// The rows of a Parquet file in the making, beside their vectors.
struct Table {
  Table(const fs::path& out, const std::vector<std::string>& columns)
      : names(free_names(columns, {"row", "text", "vector"})), types(columns.size()), rows(out) {}

  void add(const Texts& texts, const std::vector<Texts>& columns, const Texts& kinds) {
    types.add(columns, kinds);
    rows.add(texts, columns, kinds);
  }
  void write(NewFile& file, const Rows& vectors, const Run& run) const;

  std::vector<std::string> names;
  ColumnTypes types;
  RowSpool rows;
};

void Table::write(NewFile& file, const Rows& vectors, const Run& run) const {
  std::vector<ParquetField> fields = {{"row", ParquetType::int64}, {"text", ParquetType::string}};
  for (Index c = 0; c < names.size(); ++c) fields.push_back({names[c], types[c].type()});
  fields.push_back({"vector", ParquetType::vector, vectors.cols()});
  ParquetWriter writer(fields, "shoal version " SHOAL_VERSION,
                       [&](std::string_view bytes) { file.write(bytes); });
  std::vector<ParquetValues> values(fields.size());
  Matrix scratch;
  Index row = 0;
  rows.each([&](const Texts& texts, const std::vector<Texts>& columns, const Texts& kinds) {
    check_stop(run);
    for (ParquetValues& v : values) v.clear();
    const ColumnType text{};  // a string
    for (Index i = 0; i < texts.size(); ++i) {
      values[0].add(static_cast<std::int64_t>(row + i));
      text.put(values[1], texts[i], kind_at(kinds, i, 0));
      for (Index c = 0; c < columns.size(); ++c)
        types[c].put(values[2 + c], columns[c][i], kind_at(kinds, i, c + 1));
    }
    const MatrixView block = vectors.block(row, texts.size(), scratch);
    for (Index i = 0; i < block.rows; ++i) values.back().add(block[i].data(), block.cols);
    writer.add(values, texts.size());
    row += texts.size();
  });
  writer.finish();
}

/// Gives the finished part the name `out`, its receipt first.
void finish(RowsFile& rows, const std::optional<Table>& table, const fs::path& part, const fs::path& state,
            const fs::path& out, const std::string& key, const Facts& facts, const Run& run) {
  if (out.extension() == ".npy" || table) {
    NewFile file(out);
    table ? table->write(file, open_rows(part), run) : write_rows(file, out, open_rows(part), run);
    write_receipt(out, file.part(), key, facts);
    file.keep();
    fs::remove(part);
  } else {
    write_receipt(out, part, key, facts);
    rows.keep_as(out);
  }
  fs::remove(state);
}

/// The report of an earlier call, if it has made `out` from the texts of `source`. All of them are read.
EmbedReport made_before(Source& source, const fs::path& out, const std::string& key, const Run& run) {
  const Error exists(Fault::argument, out.string() + " exists; " + option_name("overwrite") + " replaces it");
  if (!receipt_key(out).starts_with(key)) throw exists;
  Fingerprint print;
  Texts texts;
  std::vector<Texts> others;
  const std::vector<Texts> none;
  while (source.next(kEmbedBatch, texts, others)) {
    check_stop(run);
    for (Index i = 0; i < texts.size(); ++i) print.add(texts, is_parquet_name(out) ? others : none, i);
    if (run.progress)
      run.progress("check", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
  }
  auto facts = read_receipt(out, key + " " + print.text());
  if (!facts) throw exists;
  return {.rows = (*facts)["rows"],
          .dims = (*facts)["dims"],
          .cut = (*facts)["truncated_texts"],
          .done_before = true};
}

}  // namespace

// The manifest has both numbers in one entry, so that they are committed at once: "4096 17".
Embedded embedded(const Collection& collection) {
  const std::string text = collection.manifest("vectors").value_or("0");
  const char* const last = text.data() + text.size();
  Embedded out;
  auto read = std::from_chars(text.data(), last, out.rows);
  if (out.rows == 0) out.cut = 0;
  if (read.ec == std::errc() && read.ptr != last && *read.ptr == ' ')
    read = std::from_chars(read.ptr + 1, last, out.cut.emplace());
  if (read.ec != std::errc() || read.ptr != last || out.rows > collection.rows())
    throw damaged_collection(collection.folder(),
                             "'" + text + "' vectors for " + std::to_string(collection.rows()) + " rows");
  return out;
}

void embed_collection(const Encoder& encoder, const EncodeOptions& options, Collection& collection,
                      const Run& run) {
  const Index rows = collection.rows();
  const fs::path whole = collection.file(kVectors), part = collection.part(kVectors);
  Embedded done = embedded(collection);
  if (!fs::exists(part)) {
    if (done.rows == rows && fs::exists(whole) && open_rows(whole).rows() == rows) return;
    done = {.rows = 0, .cut = 0};  // what was counted is lost
  }
  RowsFile file(part, encoder.space().dims, encoder.space(), done.rows, whole);
  const auto report = [&] {
    if (run.progress) run.progress("embed", static_cast<double>(done.rows), static_cast<double>(rows));
  };
  report();
  while (done.rows < rows) {
    check_stop(run);
    const Index count = std::min(kEmbedBatch - done.rows % kEmbedBatch, rows - done.rows);
    Index cut = 0;
    file.append(encoder.encode(collection.texts(done.rows, count), options, run, &cut).to_matrix());
    file.commit();
    done.rows += count;
    if (done.cut) *done.cut += cut;
    collection.set_manifest("vectors",
                            std::to_string(done.rows) + (done.cut ? " " + std::to_string(*done.cut) : ""));
    report();
  }
  file.keep_as(whole);
}

EmbedReport embed_file(Source& source, const Encoder& encoder, const EncodeOptions& options,
                       const fs::path& out, bool overwrite, const Run& run) {
  const auto extension = out.extension();
  require(
      extension == ".npy" || extension == ".safetensors" || is_parquet_name(out), Fault::argument,
      option_name("out") + " is " + out.string() + "; vectors are written as .npy, .safetensors or .parquet");
  const fs::path part = out.string() + ".part.safetensors", state = out.string() + ".part.json";

  encoder.encode(Texts(), options);  // whatever is wrong with the options is said before a file is made
  const std::string key = step_key(encoder.space().id, "embed", list_fields(options), kVectorsVersion);
  if (fs::exists(out) && !overwrite) {
    const EmbedReport made = made_before(source, out, key, run);
    clean_up(part, state, out, encoder.space());
    return made;
  }
  Partial kept = read_partial(state, part, key);
  EmbedReport report{.dims = encoder.space().dims, .resumed = kept.rows, .cut = kept.cut};
  RowsFile file(part, encoder.space().dims, encoder.space(), kept.rows, out);
  if (kept.rows == 0) fs::remove(state);  // it may tell of what was in the part before

  std::optional<Table> table;
  if (is_parquet_name(out)) table.emplace(out, source.other_columns());
  Fingerprint print;
  Texts texts;
  std::vector<Texts> others;
  const std::vector<Texts> none;
  for (;;) {
    if (run.progress) {
      run.progress("embed", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
    }
    check_stop(run);
    const Index most = report.rows < kept.rows ? std::min(kEmbedBatch, kept.rows - report.rows) : kEmbedBatch;
    if (!source.next(most, texts, others)) break;
    for (Index i = 0; i < texts.size(); ++i)
      print.add(texts, table ? others : none, i);  // only the texts decide about the vectors
    if (table) table->add(texts, others, source.kinds());
    report.rows += texts.size();
    if (report.rows == kept.rows) {
      require(
          print.text() == kept.fingerprint, Fault::argument,
          part.string() + " was begun with another input; delete it or choose another " + option_name("out"));
    }
    if (report.rows > kept.rows) {
      Index cut = 0;
      file.append(encoder.encode(texts, options, run, &cut).to_matrix());
      file.commit();
      report.cut += cut;
      write_partial(state, {report.rows, report.cut, kept.key, print.text()});
    }
  }
  require(
      report.rows >= kept.rows, Fault::argument,
      part.string() + " was begun with a longer input; delete it or choose another " + option_name("out"));
  finish(file, table, part, state, out, key + " " + print.text(),
         {{"rows", report.rows}, {"dims", report.dims}, {"truncated_texts", report.cut}}, run);
  return report;
}

}  // namespace shoal
