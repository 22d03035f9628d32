#include "shoal/read/parquet.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/rust_parquet.h"
#include "shoal/core/utf8.h"
#include "shoal/read/columns.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMagic = "PAR1", kEncrypted = "PARE";
constexpr Index kVector = 16;  // a shorter list of floats may be anything

std::string_view view(ShoalBytes bytes) { return {bytes.data, bytes.size}; }

ShoalParquet* handle(const std::shared_ptr<void>& file) { return static_cast<ShoalParquet*>(file.get()); }

const ShoalParquetAnswer& checked(const ShoalParquetAnswer& answer, const std::string& name,
                                  std::size_t most_record) {
  if (answer.error.size == 0) return answer;
  if (answer.fault == ShoalParquetFault::memory) throw std::bad_alloc();
  const std::string reason(view(answer.error));
  if (answer.fault == ShoalParquetFault::too_long)
    throw Error(Fault::data, name + ", " + reason + ": the row has more than " + size_text(most_record) +
                                 " as text; " + option_name("max_record") + " BYTES allows longer records");
  throw Error(answer.fault == ShoalParquetFault::unsupported ? Fault::unsupported : Fault::data,
              name + " cannot be read as Parquet: " + reason);
}

/// A file without a name, in the folder for temporary files.
struct Spool {
  Spool() {
    std::error_code failed;
    const fs::path folder = fs::temp_directory_path(failed);
    const char* wanted = std::getenv("TMPDIR");
    require(!failed, Fault::file,
            std::string("the folder for temporary files, ") + (wanted == nullptr ? "/tmp" : wanted) +
                " (TMPDIR), cannot be used");
    name = (folder / "shoal.XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  Spool(const Spool&) = delete;
  ~Spool() {
    if (fd >= 0) ::close(fd);
  }
  int release() { return std::exchange(fd, -1); }

  std::string name;
  int fd = -1;
};

/// The file itself, where it is one and begins as Parquet does; -1: it is something else.
int open_itself(const fs::path& path) {
  std::error_code failed;
  if (path == "-" || !fs::is_regular_file(path, failed)) return -1;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char head[4];
  const bool plain = fd >= 0 && ::pread(fd, head, sizeof head, 0) == ssize_t{sizeof head} &&
                     (std::string_view(head, 4) == kMagic || std::string_view(head, 4) == kEncrypted);
  if (fd >= 0 && !plain) ::close(fd);
  return plain ? fd : -1;
}

/// Copies what is left of the input to a file without a name, since the end of a Parquet file is read first.
int spooled(Input& input) {
  Spool spool;
  const auto check = [&](bool done) {
    const int reason = errno;
    if (done) return;
    throw Error(Fault::file, input.name() +
                                 " is Parquet, of which the end is read first, and it cannot be copied to " +
                                 spool.name + ": " + std::strerror(reason) +
                                 "; set TMPDIR to a folder with room, or give the file by its name");
  };
  check(spool.fd >= 0);
  for (;;) {
    std::string_view rest = input.rest();
    while (!rest.empty()) {
      const ssize_t wrote = ::write(spool.fd, rest.data(), rest.size());
      check(wrote >= 0 || errno == EINTR);
      const std::size_t gone = static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
      rest.remove_prefix(gone);
      input.take(gone);
    }
    if (input.ended()) return spool.release();
    input.grow();
  }
}

}  // namespace

bool looks_like_parquet(std::string_view head) {
  // A text may begin with PAR1; bytes that no text has soon follow in a Parquet file.
  return (head.starts_with(kMagic) || head.starts_with(kEncrypted)) &&
         (head.size() < 12 || std::ranges::any_of(head.substr(4, 64), [](char c) {
            return static_cast<unsigned char>(c) < 0x09;
          }));
}

std::uint64_t ParquetReader::Progress::taken() const { return shoal_parquet_bytes(handle(file_)); }

ParquetReader::ParquetReader(Input input, const fs::path& path, ReadReport* report,
                             const std::vector<std::string>& columns, std::stop_token stop)
    : most_record_(input.max_record()), stop_(std::move(stop)) {
  progress_.name_ = input.name();
  int fd = open_itself(path);
  if (fd < 0) fd = spooled(input);
  ShoalParquet* opened = checked(shoal_parquet_open(fd, most_record_), input.name(), most_record_).owner;
  progress_.file_ =
      std::shared_ptr<void>(opened, [](void* file) { shoal_parquet_free(static_cast<ShoalParquet*>(file)); });
  std::size_t count = 0;
  const ShoalParquetField* fields = shoal_parquet_fields(opened, &count);
  for (std::size_t i = 0; i < count; ++i) columns_.emplace_back(view(fields[i].name));
  require(count > 0, Fault::data, input.name() + " is a Parquet file without columns");
  columns_ = unique_names(columns_);
  leave_out_vectors(columns, report);
}

// Looks at the first rows of columns of lists of floats, and opens those that are no vectors.
void ParquetReader::leave_out_vectors(const std::vector<std::string>& wanted, ReadReport* report) {
  ShoalParquet* file = handle(progress_.file_);
  std::size_t count = 0;
  const ShoalParquetField* fields = shoal_parquet_fields(file, &count);
  std::vector<std::size_t> kept;
  std::vector<std::string> names, vectors;
  const auto known = [&](const std::string& name) { return std::ranges::find(wanted, name) != wanted.end(); };
  for (std::size_t i = 0; i < count; ++i) {
    const bool vector =
        fields[i].floats &&
        checked(shoal_parquet_first_length(file, i), progress_.name_, most_record_).rows >= kVector;
    if (wanted.empty() ? vector : fields[i].floats && !known(columns_[i])) {
      vectors.push_back(columns_[i]);
      continue;
    }
    kept.push_back(i);
    names.push_back(columns_[i]);
  }
  if (kept.empty()) {
    throw Error(Fault::data, progress_.name_ + " has vectors (" + list_names(vectors) +
                                 ") and no other columns; 'shoal cluster' and 'shoal layout' read vectors");
  }
  if (!vectors.empty() && wanted.empty())
    add_note(*report, progress_.name_ + ": the vectors in " + list_names(vectors) + " were left out");
  columns_ = std::move(names);
  shoal_parquet_select(file, kept.data(), kept.size());
}

bool ParquetReader::next_batch() {
  constexpr std::size_t kMost = 1024;
  require(!stop_.stop_requested(), Fault::cancelled, "stopped on request");
  const ShoalParquetAnswer answer =
      checked(shoal_parquet_next(handle(progress_.file_), kMost), progress_.name_, most_record_);
  batch_ = answer.columns;
  batch_rows_ = answer.rows;
  at_ = 0;
  return batch_rows_ > 0;
}

bool ParquetReader::next(Record& record) {
  if (at_ == batch_rows_ && !next_batch()) return false;
  const auto* columns = static_cast<const ShoalParquetColumn*>(batch_);
  const Index n = columns_.size();
  record.fields.resize(n);
  record.kinds.resize(n);
  record.utf8 = true;
  for (Index c = 0; c < n; ++c) {
    const ShoalParquetColumn& column = columns[c];
    const std::uint64_t begin = at_ == 0 ? 0 : column.ends[at_ - 1];
    record.fields[c] = {column.bytes + begin, column.ends[at_] - begin};
    record.kinds[c] = column.kinds[at_] == 0   ? ValueKind::string
                      : column.kinds[at_] == 1 ? ValueKind::null
                                               : ValueKind::other;
    record.utf8 = record.utf8 && first_invalid_utf8(record.fields[c]) == std::string_view::npos;
  }
  ++at_;
  ++row_;
  return true;
}

std::string ParquetReader::place() const { return progress_.name_ + ", row " + std::to_string(row_ - 1); }

}  // namespace shoal
