#include "shoal/flow/texts/embed.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/tables/parquet_table.h"
#include "shoal/flow/tables/row_spool.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr const char* kVectors = "vectors.safetensors";
constexpr Index kBatch = 2048;  // texts in memory at once

/// Encodes texts a little at a time, and keeps what is done every few seconds, after each batch, and when it
/// is stopped. When that is depends on the clock; what is kept does not.
class Embedding {
 public:
  /// append: takes the vectors of the next texts. commit: what was appended is safe when it returns. report:
  /// how many rows are done, of the texts that were given.
  struct Sink {
    std::function<void(const Matrix& vectors, const EncodeCounts& counts)> append;
    std::function<void()> commit;
    std::function<void(double rows)> report;
  };
  Embedding(const Encoder& encoder, const EncodeOptions& options, Sink sink, const Run& run)
      : encoder_(encoder), options_(options), sink_(std::move(sink)), run_(run) {}

  void take(const Texts& texts, Index first = 0) {
    try {
      for (Index at = first, end; at < texts.size(); at = end) {
        Index bytes = 0;
        for (end = at; end < texts.size() && (end == at || bytes < bytes_); ++end) bytes += texts[end].size();
        const auto begin = Clock::now();
        encode(texts, at, end);
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        const double speed = static_cast<double>(bytes) / std::max(took, 1e-3);
        bytes_ = static_cast<Index>(std::clamp(kSeconds * speed, 8192.0, 8.0 * 1024 * 1024));
        if (Clock::now() - kept_ >= std::chrono::seconds(kSeconds)) commit();
      }
      if (appended_) commit();
    } catch (const Error& e) {
      if (e.fault == Fault::cancelled && appended_) commit();
      throw;
    }
  }
  void commit() {
    sink_.commit();
    kept_ = Clock::now();
    appended_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kSeconds = 3;  // of work that may be lost

  void encode(const Texts& texts, Index first, Index end) {
    Run inner = run_;
    // One text may take long: its pieces are told of.
    inner.progress = [&](std::string_view, double done, double total) {
      sink_.report(static_cast<double>(done_) + static_cast<double>(end - first) * done / total);
    };
    if (!run_.progress) inner.progress = nullptr;
    EncodeCounts counts;
    const Matrix vectors = encoder_.encode(texts, first, end - first, options_, inner, &counts).to_matrix();
    if (counts.unknown > 0) counts.first_unknown -= first;
    sink_.append(vectors, counts);
    appended_ = true;
    done_ += end - first;
    sink_.report(static_cast<double>(done_));
  }

  const Encoder& encoder_;
  const EncodeOptions& options_;
  Sink sink_;
  const Run& run_;
  Index bytes_ = Index{32} << 10;  // of the next texts: about what three seconds are enough for
  Index done_ = 0;
  Clock::time_point kept_ = Clock::now();
  bool appended_ = false;
};

/// What an interrupted `embed_file` left: how many rows are safe, and what they were made from.
struct Partial {
  Index rows = 0, cut = 0, unknown = 0, first_unknown = 0;
  std::string key;
  std::string fingerprint = Fingerprint().text();
};

Partial read_partial(const fs::path& state, const fs::path& part, const std::string& key) {
  if (!fs::exists(state) || !fs::exists(part)) return {.key = key};
  try {
    const auto json = nlohmann::json::parse(read_file(state, 1 << 16));
    Partial partial{json.at("rows"),          json.at("cut"), json.at("unknown"),
                    json.at("first_unknown"), json.at("key"), json.at("fingerprint")};
    if (partial.key == key) return partial;
  } catch (const nlohmann::json::exception&) {  // written by something else: start anew
  }
  return {.key = key};
}

void write_partial(const fs::path& state, const Partial& p) {
  const nlohmann::json json{{"rows", p.rows},       {"cut", p.cut},
                            {"unknown", p.unknown}, {"first_unknown", p.first_unknown},
                            {"key", p.key},         {"fingerprint", p.fingerprint}};
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
  while (source.next(kBatch, texts, others)) {
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
          .unknown = (*facts)["unknown_texts"],
          .first_unknown = (*facts)["first_unknown"],
          .done_before = true};
}

}  // namespace

// The manifest has all numbers in one entry, so that they are committed at once: rows, those cut, those of
// which nothing is known, the first of these. "4096 17 2 12".
Embedded embedded(const Collection& collection) {
  const std::string text = collection.manifest("vectors").value_or("0");
  Embedded out;
  std::vector<Index> numbers;
  const char *at = text.data(), *const last = text.data() + text.size();
  bool fits = true;
  while (fits) {
    const auto read = std::from_chars(at, last, numbers.emplace_back());
    fits = read.ec == std::errc();
    at = read.ptr;
    if (at == last || *at != ' ') break;
    ++at;
  }
  out.rows = numbers.front();
  if (out.rows == 0) out.cut = out.unknown = 0;
  if (numbers.size() > 1) out.cut = numbers[1];
  if (numbers.size() == 4) out.unknown = numbers[2], out.first_unknown = numbers[3];
  if (!fits || at != last || numbers.size() == 3 || numbers.size() > 4 || out.rows > collection.rows())
    throw damaged_collection(collection.folder(),
                             "'" + text + "' vectors for " + std::to_string(collection.rows()) + " rows");
  return out;
}

namespace {

void set_embedded(Collection& collection, const Embedded& done) {
  std::string text = std::to_string(done.rows);
  if (done.cut) text += " " + std::to_string(*done.cut);
  if (done.cut && done.unknown)
    text += " " + std::to_string(*done.unknown) + " " + std::to_string(done.first_unknown);
  collection.set_manifest("vectors", text);
}

}  // namespace

void embed_collection(const Encoder& encoder, const EncodeOptions& options, Collection& collection,
                      const Run& run) {
  const Index rows = collection.rows();
  const fs::path whole = collection.file(kVectors), part = collection.part(kVectors);
  Embedded done = embedded(collection);
  if (!fs::exists(part)) {
    if (done.rows == rows && fs::exists(whole) && open_rows(whole).rows() == rows) return;
    done = {.rows = 0, .cut = 0, .unknown = 0};  // what was counted is lost
  }
  RowsFile file(part, encoder.space().dims, encoder.space(), done.rows, whole);
  const Index before = done.rows;
  Embedded safe = done;
  const auto report = [&](double more) {
    if (run.progress) run.progress("embed", static_cast<double>(before) + more, static_cast<double>(rows));
  };
  report(0);
  const auto append = [&](const Matrix& vectors, const EncodeCounts& counts) {
    file.append(vectors);
    if (done.cut) *done.cut += counts.cut;
    if (done.unknown && counts.unknown > 0 && *done.unknown == 0)
      done.first_unknown = done.rows + counts.first_unknown;
    if (done.unknown) *done.unknown += counts.unknown;
    done.rows += vectors.rows();
  };
  const auto commit = [&] {
    if (done.rows == safe.rows) return;
    file.commit();
    set_embedded(collection, done);
    safe = done;
  };
  Embedding embedding(encoder, options, {append, commit, report}, run);
  while (done.rows < rows) {
    check_stop(run);
    embedding.take(collection.texts(done.rows, std::min(kBatch, rows - done.rows)));
  }
  embedding.commit();
  file.keep_as(whole);
}

EmbedReport embed_file(Source& source, const Encoder& encoder, const EncodeOptions& options,
                       const fs::path& out, bool overwrite, const Run& run, const Notice& notice) {
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
  const Partial kept = read_partial(state, part, key);
  RowsFile file(part, encoder.space().dims, encoder.space(), kept.rows, out);
  if (kept.rows == 0) fs::remove(state);  // it may tell of what was in the part before

  std::optional<Table> table;
  if (is_parquet_name(out)) table.emplace(out, source.other_columns());
  Partial done = kept;
  Fingerprint print;
  Texts texts;  // a batch
  std::vector<Texts> others;
  const std::vector<Texts> none;
  Index at = 0;      // texts of it whose vectors are there
  Index passed = 0;  // rows that were done before
  double from = 0;   // the bytes before it
  const auto tell = [&] {
    if (!run.progress) return;
    const double read = static_cast<double>(source.bytes_read());
    run.progress("embed", read, static_cast<double>(source.bytes_total().value_or(0)));
  };
  const auto append = [&](const Matrix& vectors, const EncodeCounts& counts) {
    file.append(vectors);
    for (Index i = 0; i < vectors.rows(); ++i)
      print.add(texts, table ? others : none, at + i);  // only the texts decide about the vectors
    if (counts.unknown > 0 && done.unknown == 0) done.first_unknown = done.rows + counts.first_unknown;
    at += vectors.rows(), done.rows += vectors.rows();
    done.cut += counts.cut, done.unknown += counts.unknown;
  };
  Index safe = kept.rows;
  const auto commit = [&] {
    if (done.rows == safe) return;
    file.commit();
    done.fingerprint = print.text();
    write_partial(state, done);
    safe = done.rows;
  };
  const auto report = [&](double texts_done) {
    if (!run.progress) return;
    const double share =
        (texts_done - static_cast<double>(done.rows - at - kept.rows)) / static_cast<double>(texts.size());
    const double read = from + (static_cast<double>(source.bytes_read()) - from) * share;
    run.progress("embed", read, static_cast<double>(source.bytes_total().value_or(0)));
  };
  Embedding embedding(encoder, options, {append, commit, report}, run);
  for (;;) {
    tell();
    check_stop(run);
    from = static_cast<double>(source.bytes_read());
    const Index most = passed < kept.rows ? std::min(kBatch, kept.rows - passed) : kBatch;
    if (!source.next(most, texts, others)) break;
    if (table) table->add(texts, others, source.kinds());
    at = 0;
    if (passed == kept.rows) {
      if (done.rows == kept.rows && notice)
        for (const auto& line : poor_fit(model_fit(encoder, texts, run), encoder.name())) notice(line);
      embedding.take(texts);
      continue;
    }
    for (Index i = 0; i < texts.size(); ++i) print.add(texts, table ? others : none, i);
    passed += texts.size();
    require(
        passed < kept.rows || print.text() == kept.fingerprint, Fault::argument,
        part.string() + " was begun with another input; delete it or choose another " + option_name("out"));
  }
  require(
      passed == kept.rows, Fault::argument,
      part.string() + " was begun with a longer input; delete it or choose another " + option_name("out"));
  embedding.commit();
  finish(file, table, part, state, out, key + " " + print.text(),
         {{"rows", done.rows},
          {"dims", encoder.space().dims},
          {"truncated_texts", done.cut},
          {"unknown_texts", done.unknown},
          {"first_unknown", done.first_unknown}},
         run);
  return {.rows = done.rows,
          .dims = encoder.space().dims,
          .resumed = kept.rows,
          .cut = done.cut,
          .unknown = done.unknown,
          .first_unknown = done.first_unknown};
}

}  // namespace shoal
