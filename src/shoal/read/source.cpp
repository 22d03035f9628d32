#include "shoal/read/source.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "shoal/core/cell_kind.h"
#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"
#include "shoal/read/csv.h"
#include "shoal/read/files.h"
#include "shoal/read/format.h"
#include "shoal/read/jsonl.h"
#include "shoal/read/lines.h"
#include "shoal/read/parquet.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Reader = std::variant<CsvReader, JsonlReader, LinesReader, ParquetReader>;

// A row read ahead: its fields own their bytes.
struct HeldRow {
  std::vector<std::string> fields;
  std::vector<ValueKind> kinds;
  std::string place;
};

constexpr Index kSampleRows = 100;              // looked at to find prose
constexpr std::size_t kSampleBytes = 1u << 20;  // and not more than this

}  // namespace

struct Source::State {
  State(std::vector<fs::path> paths, ReadOptions given, std::stop_token asked)
      : files(std::move(paths)),
        options(std::move(given)),
        stop(std::move(asked)),
        total(total_bytes(files)) {}

  void open_first();
  const std::string& name() const;
  bool open_following();
  void open(const fs::path& path);
  void match_columns();
  [[noreturn]] void refuse_missing(const std::string& column, const std::vector<std::string>& here) const;
  void sample(Index rows);
  void choose_columns();
  bool next_record();
  void repair();
  std::string place() const;
  void check_kinds(const std::string* held_place);
  bool advance();
  void append_kinds(Index before);
  void append(Texts& texts, std::vector<Texts>& others);

  std::vector<fs::path> files;
  ReadOptions options;
  std::stop_token stop;
  std::optional<std::uint64_t> total;
  ReadReport report;

  std::size_t file = 0;          // index of the open one
  std::optional<Reader> reader;  // nothing: all has been read
  std::uint64_t bytes_before = 0;
  Record record;                         // the current row, in the order of the file's columns
  std::vector<std::string> repaired;     // fields of it that were not UTF-8
  std::vector<std::string> columns;      // of the first file
  std::vector<Index> slots;              // where the open file has them
  std::vector<Index> text_at, other_at;  // positions in `columns`
  std::vector<std::string> text_names, other_names;

  std::vector<HeldRow> held;  // the first rows, looked at already
  std::size_t given_back = 0;
  std::string joined;
  Texts kinds;  // of the batch given out last
  std::string kinds_of_row;
};

void Source::State::open(const fs::path& path) {
  Input input = Input::open(path, options.max_record, stop);
  if (looks_like_parquet(input)) {
    require(!options.format, Fault::argument,
            input.name() + " is a Parquet file; leave out " + option_name("format"));
    reader.emplace(ParquetReader(std::move(input), path, &report, columns, stop));
    return;
  }
  check_is_text(input);
  std::optional<FileFormat> format = options.format;
  if (!format && path != "-") format = format_by_extension(path);
  if (!format) format = format_by_content(input.rest());
  switch (*format) {
    case FileFormat::csv:
    case FileFormat::tsv:
      reader.emplace(CsvReader(std::move(input), *format, &report));
      break;
    case FileFormat::jsonl:
      reader.emplace(
          JsonlReader(std::move(input), &report, columns.empty() ? std::nullopt : std::optional(columns)));
      break;
    case FileFormat::lines:
      reader.emplace(LinesReader(std::move(input), &report));
      break;
  }
}

const std::string& Source::State::name() const {
  return std::visit([](const auto& r) -> const std::string& { return r.input().name(); }, *reader);
}

// File and line of the record read last.
std::string Source::State::place() const {
  return std::visit([](const auto& r) { return r.place(); }, *reader);
}

void Source::State::open_first() {
  open(files[0]);
  std::visit([&](auto& r) { columns = r.columns(); }, *reader);
  match_columns();
  const bool by_name = !columns.empty() && names_decide(columns, options.text_columns);
  if (by_name) choose_columns();  // a wrong name is told before a fault in the rows
  sample(by_name ? 1 : kSampleRows);
  if (held.empty())
    throw Error(Fault::data, name() + (columns.size() > 1 ? ": a header and no rows" : ": no rows"));
  if (columns.empty()) throw Error(Fault::data, name() + ": the first objects have no keys");
  if (!by_name) choose_columns();
}

// Reads the first rows and holds them back.
void Source::State::sample(Index rows) {
  std::size_t bytes = 0;
  while (held.size() < rows && bytes < kSampleBytes && next_record()) {
    HeldRow& row = held.emplace_back();
    for (const std::string_view field : record.fields) {
      row.fields.emplace_back(field);
      bytes += field.size();
    }
    row.kinds = record.kinds;
    row.place = place();
  }
}

void Source::State::choose_columns() {
  std::vector<std::vector<std::string>> values(columns.size());
  for (const HeldRow& row : held) {
    for (Index c = 0; c < columns.size(); ++c) values[c].push_back(row.fields[c]);
  }
  text_at = choose_text_columns(name(), columns, options.text_columns, values);
  for (const Index c : text_at) text_names.push_back(columns[c]);
  for (Index c = 0; c < columns.size(); ++c) {
    if (std::find(text_at.begin(), text_at.end(), c) != text_at.end()) continue;
    other_at.push_back(c);
    other_names.push_back(columns[c]);
  }
}

// Where the open file has the first one's columns. Both must have the same names.
void Source::State::match_columns() {
  const std::vector<std::string> here = std::visit([](const auto& r) { return r.columns(); }, *reader);
  const auto has = [](const auto& names, const std::string& n) {
    return std::find(names.begin(), names.end(), n) != names.end();
  };
  slots.clear();
  for (const std::string& column : columns) {
    if (!has(here, column)) refuse_missing(column, here);
    slots.push_back(static_cast<Index>(std::find(here.begin(), here.end(), column) - here.begin()));
  }
  for (const std::string& column : here) {
    if (has(columns, column)) continue;
    throw Error(Fault::data, name() + ": column \"" + column + "\" is not in " + files[0].string() +
                                 ", whose columns are " + list_names(columns));
  }
  const JsonlReader* jsonl = std::get_if<JsonlReader>(&*reader);
  for (const std::string& column : text_names) {
    if (jsonl != nullptr && !has(jsonl->found(), column)) refuse_missing(column, jsonl->found());
  }
}

void Source::State::refuse_missing(const std::string& column, const std::vector<std::string>& here) const {
  throw Error(Fault::data, name() + ": column \"" + column + "\" is missing, which " + files[0].string() +
                               " has; the columns here are " + list_names(here));
}

bool Source::State::open_following() {
  if (!reader) return false;
  bytes_before += std::visit([](auto& r) { return r.input().taken(); }, *reader);
  reader.reset();
  if (++file == files.size()) return false;
  open(files[file]);
  match_columns();
  return true;
}

// The next row of the open file into `record`, well-formed.
bool Source::State::next_record() {
  if (!std::visit([&](auto& r) { return r.next(record); }, *reader)) return false;
  if (!record.utf8) repair();
  check_kinds(nullptr);
  return true;
}

void Source::State::repair() {
  repaired.resize(record.fields.size());
  for (Index i = 0; i < record.fields.size(); ++i) {
    if (first_invalid_utf8(record.fields[i]) == std::string_view::npos) continue;
    repaired[i] = repair_utf8(record.fields[i]);
    record.fields[i] = repaired[i];
    if (++report.repaired_utf8 > 1) continue;
    add_note(report, place() +
                         ": bytes that are not UTF-8 became U+FFFD (if the file is in an older encoding: "
                         "iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW)");
  }
}

// Only a string can be embedded; JSON may have anything there. NaN, with which pandas says that there is
// nothing, is nothing.
void Source::State::check_kinds(const std::string* held_place) {
  if (record.kinds.empty()) return;
  for (const Index column : text_at) {
    const Index slot = slots[column];
    if (record.kinds[slot] != ValueKind::other) continue;
    if (record.fields[slot] == "NaN") {
      record.fields[slot] = {};
      record.kinds[slot] = ValueKind::null;
      continue;
    }
    throw Error(Fault::data, (held_place != nullptr ? *held_place : place()) + ": the text column \"" +
                                 columns[column] + "\" holds " +
                                 std::string(beginning_of(record.fields[slot], 40)) +
                                 "; it must hold a string or null. " + option_name("text_columns") +
                                 " NAME takes another column");
  }
}

// The next row into `record`, from the rows held back, the open file or the next one.
bool Source::State::advance() {
  if (options.limit && report.rows >= *options.limit) return false;
  if (given_back < held.size()) {
    const HeldRow& row = held[given_back++];
    record.fields.assign(row.fields.begin(), row.fields.end());
    record.kinds = row.kinds;
    check_kinds(&row.place);
    ++report.rows;
    return true;
  }
  do {
    if (reader && next_record()) {
      ++report.rows;
      return true;
    }
  } while (open_following());
  return false;
}

// What the cells of the record are; nothing while all cells of the batch are strings.
void Source::State::append_kinds(Index before) {
  const auto letter = [&](Index column) {
    const ValueKind kind = record.kinds[slots[column]];
    return static_cast<char>(kind == ValueKind::string  ? CellKind::string
                             : kind == ValueKind::null  ? CellKind::null
                             : kind == ValueKind::other ? CellKind::json
                                                        : CellKind::missing);
  };
  if (record.kinds.empty() && kinds.size() == 0) return;
  kinds_of_row.assign(1 + other_at.size(), static_cast<char>(CellKind::string));
  while (kinds.size() < before) kinds.add(kinds_of_row);
  if (!record.kinds.empty()) {
    if (text_at.size() == 1) kinds_of_row[0] = letter(text_at[0]);
    for (Index i = 0; i < other_at.size(); ++i) kinds_of_row[i + 1] = letter(other_at[i]);
  }
  kinds.add(kinds_of_row);
}

void Source::State::append(Texts& texts, std::vector<Texts>& others) {
  append_kinds(texts.size());
  for (Index i = 0; i < other_at.size(); ++i) others[i].add(record.fields[slots[other_at[i]]]);
  if (text_at.size() == 1) {
    texts.add(record.fields[slots[text_at[0]]]);
    return;
  }
  joined.clear();
  for (const Index column : text_at) {
    const std::string_view part = record.fields[slots[column]];
    if (part.empty()) continue;
    if (!joined.empty()) joined += '\n';
    joined += part;
  }
  texts.add(joined);
}

Source::Source(std::vector<fs::path> files, ReadOptions options, std::stop_token stop) {
  check_files(files);
  state_ = std::make_unique<State>(std::move(files), std::move(options), std::move(stop));
  state_->open_first();
}

Source::Source(Source&&) noexcept = default;
Source::~Source() = default;

const std::vector<std::string>& Source::text_columns() const { return state_->text_names; }
const std::vector<std::string>& Source::other_columns() const { return state_->other_names; }
const Texts& Source::kinds() const { return state_->kinds; }
const ReadReport& Source::report() const { return state_->report; }
std::optional<std::uint64_t> Source::bytes_total() const { return state_->total; }

std::uint64_t Source::bytes_read() const {
  const State& s = *state_;
  return s.bytes_before + (s.reader ? std::visit([](auto& r) { return r.input().taken(); }, *s.reader) : 0);
}

bool Source::next(Index most, Texts& texts, std::vector<Texts>& others) {
  require(most > 0, Fault::argument, "Source::next: most must be at least 1");
  texts.clear();
  state_->kinds.clear();
  others.resize(state_->other_at.size());
  for (Texts& column : others) column.clear();
  Index added = 0;
  for (; added < most && state_->advance(); ++added) state_->append(texts, others);
  return added > 0;
}

}  // namespace shoal
