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
#include "shoal/read/dialect.h"
#include "shoal/read/files.h"
#include "shoal/read/format.h"
#include "shoal/read/jsonl.h"
#include "shoal/read/lines.h"
#include "shoal/read/parquet.h"
#include "shoal/read/text_encoding.h"
#include "shoal/read/unpack.h"

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
constexpr std::size_t kBatchBytes = 16u << 20;  // a batch ends after so many

// What the options say of texts, which a Parquet file says of itself.
void refuse_for_parquet(const std::string& name, const ReadOptions& options) {
  const auto refuse = [&](bool given, const char* option, const char* what) {
    require(!given, Fault::argument,
            name + " is a Parquet file, which has no " + what + "; leave out " + option_name(option));
  };
  refuse(options.format.has_value(), "format", "other format");
  refuse(options.encoding.has_value(), "encoding", "encoding: its texts are UTF-8");
  refuse(options.delimiter.has_value(), "delimiter", "delimiter");
  refuse(options.quote.has_value(), "quote", "quotes");
  refuse(options.escape.has_value(), "escape", "quotes");
  refuse(options.header.has_value(), "header", "header: it names its columns itself");
  refuse(options.skip.has_value(), "skip", "lines");
}

}  // namespace

struct Source::State {
  State(std::vector<fs::path> paths, ReadOptions given, std::stop_token asked)
      : files(std::move(paths)),
        options(std::move(given)),
        stop(std::move(asked)),
        total(total_bytes(files)),
        forced_encoding(options.encoding ? encoding_named(*options.encoding) : "") {}

  void open_first();
  const std::string& name() const;
  bool open_following();
  void open(const fs::path& path);
  void settle_reading();
  void close_reading();
  std::uint64_t bytes_taken() const;
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
  void count_text(std::string_view text);
  void append(Texts& texts, std::vector<Texts>& others);

  std::vector<fs::path> files;
  ReadOptions options;
  std::stop_token stop;
  std::optional<std::uint64_t> total;
  std::string forced_encoding;  // empty: found
  ReadReport report;

  std::size_t file = 0;          // index of the open one
  std::optional<Reader> reader;  // nothing: all has been read
  std::uint64_t bytes_before = 0;
  std::shared_ptr<std::uint64_t> raw;      // bytes of the open file as it lies on disk
  std::shared_ptr<TextEncoding> encoding;  // of the open file
  bool packed_bytes = false;
  Recognised how;
  Record record;                         // the current row, in the order of the file's columns
  std::vector<std::string> repaired;     // fields of it that were not UTF-8
  std::vector<std::string> columns;      // of the first file
  std::vector<Index> slots;              // where the open file has them
  std::vector<Index> text_at, other_at;  // positions in `columns`
  std::vector<std::string> text_names, other_names;

  std::vector<HeldRow> held;  // the first rows, looked at already
  std::size_t given_back = 0;
  std::string joined;
  EqualTexts equal;
  Texts kinds;  // of the batch given out last
  std::string kinds_of_row;
};

void Source::State::open(const fs::path& path) {
  record.surrogates = false;  // only JSON says so
  const std::string name = Input::name_of(path);
  raw = std::make_shared<std::uint64_t>(0);
  encoding = std::make_shared<TextEncoding>();
  Input::Fetch bytes = [from = Input::bytes_of(path, stop), count = raw](char* to, std::size_t room) {
    const std::size_t got = from(to, room);
    *count += got;
    return got;
  };
  std::string packed;
  bytes = unpacked(name, std::move(bytes), packed);
  packed_bytes = !packed.empty();
  if (looks_like_parquet(begin_of(bytes, kParquetBegin))) {
    refuse_for_parquet(name, options);
    encoding = nullptr;
    reader.emplace(
        ParquetReader(Input(name, std::move(bytes), options.max_record), path, &report, columns, stop));
    return;
  }
  Input input(name,
              as_utf8(name, std::move(bytes), forced_encoding, encoding,
                      [name](std::string_view head) { refuse_binary(name, head); }),
              options.max_record);
  begin_text(input);
  for (Index i = options.skip.value_or(0); i > 0; --i) input.take_line();
  input.fill(kLayoutBytes);
  how = recognise(input.rest(), input.ended(), path, options);
  report.readings.push_back(reading_of(how));
  FileReading& reading = report.readings.back();
  reading.file = name;
  reading.compression = packed;
  reading.skipped += options.skip.value_or(0);
  switch (how.format) {
    case FileFormat::csv:
    case FileFormat::tsv:
      reader.emplace(CsvReader(std::move(input), how.layout, &report));
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

// What is known by now of the open file's encoding goes into its reading.
void Source::State::settle_reading() {
  if (!encoding) return;
  FileReading& reading = report.readings.back();
  reading.encoding = encoding->name;
  reading.remark = remark_on(reading, how, files[file], options);
}

// The open file is read: it joins the one before if both were read alike.
void Source::State::close_reading() {
  if (!encoding) return;
  settle_reading();
  encoding.reset();
  std::vector<FileReading>& all = report.readings;
  if (all.size() < 2) return;
  FileReading last = all.back();
  FileReading& before = all[all.size() - 2];
  last.file = before.file;
  last.files = before.files;
  if (last != before) return;
  ++before.files;
  all.pop_back();
}

std::uint64_t Source::State::bytes_taken() const {
  if (!reader) return 0;
  if (packed_bytes || (encoding && encoding->converted)) return *raw;
  return std::visit([](auto& r) { return r.input().taken(); }, *reader);
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
  if (options.first_column && !columns.empty()) options.text_columns = {columns[0]};
  const bool by_name = !columns.empty() && names_decide(columns, options.text_columns);
  if (by_name) choose_columns();  // a wrong name is told before a fault in the rows
  sample(by_name ? 1 : kSampleRows);
  if (held.empty() && std::holds_alternative<ParquetReader>(*reader))
    throw Error(Fault::data, name() + " is a Parquet file without rows");
  if (held.empty())
    throw Error(Fault::data,
                name() + (columns.size() > 1 ? ": a header and no rows. If its first line is a row, " +
                                                   option_name("header") + " no says so"
                                             : ": no rows"));
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
  bytes_before += bytes_taken();
  reader.reset();
  close_reading();
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
    if (record.surrogates) {
      if (++report.lone_surrogates == 1)
        add_note(report,
                 place() +
                     ": a \\ud800 or another half of a surrogate pair stands alone in a JSON string; it "
                     "means no character and became U+FFFD");
    } else if (++report.repaired_utf8 == 1) {
      add_note(report, place() + ": bytes that mean nothing in " + (encoding ? encoding->name : "UTF-8") +
                           " became U+FFFD (" + option_name("encoding") +
                           " NAME if the file is in another encoding)");
    }
  }
}

// Only a string can be embedded; JSON may have anything there. NaN, with which pandas says that there is
// nothing, is nothing.
void Source::State::check_kinds(const std::string* held_place) {
  if (record.kinds.empty() || options.first_column) return;
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

void Source::State::count_text(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) return equal.add(text);
  if (report.blank_texts++ == 0)
    report.first_blank = report.rows <= held.size() ? held[given_back - 1].place : place();
}

void Source::State::append(Texts& texts, std::vector<Texts>& others) {
  append_kinds(texts.size());
  for (Index i = 0; i < other_at.size(); ++i) others[i].add(record.fields[slots[other_at[i]]]);
  if (text_at.size() == 1) {
    count_text(record.fields[slots[text_at[0]]]);
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
  count_text(joined);
  texts.add(joined);
}

Source::Source(std::vector<fs::path> files, ReadOptions options, std::stop_token stop) {
  check_files(files);
  check_reading(options);
  state_ = std::make_unique<State>(std::move(files), std::move(options), std::move(stop));
  state_->open_first();
}

Source::Source(Source&&) noexcept = default;
Source::~Source() = default;

const std::vector<std::string>& Source::text_columns() const { return state_->text_names; }
const std::vector<std::string>& Source::other_columns() const { return state_->other_names; }
const std::vector<std::string>& Source::columns() const { return state_->columns; }
const Texts& Source::kinds() const { return state_->kinds; }
const ReadReport& Source::report() const {
  state_->settle_reading();
  state_->report.equal_texts = state_->equal.equal();
  state_->report.most_equal = state_->equal.most();
  return state_->report;
}
std::optional<std::uint64_t> Source::bytes_total() const { return state_->total; }

std::uint64_t Source::bytes_read() const { return state_->bytes_before + state_->bytes_taken(); }

bool Source::next(Index most, Texts& texts, std::vector<Texts>& others) {
  require(most > 0, Fault::argument, "Source::next: most must be at least 1");
  texts.clear();
  state_->kinds.clear();
  others.resize(state_->other_at.size());
  for (Texts& column : others) column.clear();
  Index added = 0;
  std::size_t bytes = 0;
  for (; added < most && bytes < kBatchBytes && state_->advance(); ++added) {
    state_->append(texts, others);
    for (const std::string_view field : state_->record.fields) bytes += field.size();
  }
  return added > 0;
}

}  // namespace shoal
