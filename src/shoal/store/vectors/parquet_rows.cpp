#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/core/rust_parquet.h"
#include "shoal/store/files/descriptor_impl.h"
#include "shoal/store/vectors/parquet_rows_impl.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Vectors = std::unique_ptr<ShoalParquet, decltype(&shoal_parquet_free)>;

const ShoalParquetAnswer& checked(const ShoalParquetAnswer& answer, const fs::path& path) {
  if (answer.error.size == 0) return answer;
  if (answer.fault == ShoalParquetFault::memory) throw std::bad_alloc();
  const std::string reason(answer.error.data, answer.error.size);
  if (answer.fault == ShoalParquetFault::choice)
    throw Error(Fault::format,
                path.string() + ": " + reason + "; " + option_name("vector_column") + " NAME takes one");
  throw Error(answer.fault == ShoalParquetFault::unsupported ? Fault::unsupported : Fault::format,
              path.string() + " cannot be read as Parquet: " + reason);
}

/// A file that has no name: it goes with the process.
struct Nameless {
  fs::path folder;
  Descriptor file;
};

Nameless nameless(const fs::path& folder) {
  std::string name = (folder / ".shoal.XXXXXX").string();
  Nameless out{folder, Descriptor(::mkostemp(name.data(), O_CLOEXEC))};
  if (out.file) ::unlink(name.c_str());
  return out;
}

/// Throws Error(file) with the system's reason.
[[noreturn]] void refuse(const fs::path& path, const std::string& where, int reason) {
  throw Error(Fault::file, "the vectors of " + path.string() +
                               " are unpacked into a file, and that cannot be written in " + where + ": " +
                               reason_words(reason) + "; set TMPDIR to a folder with room for them");
}

/// The folder for temporary files if it has room; else the folder of `path`.
Nameless room_for(std::uint64_t bytes, const fs::path& path) {
  std::error_code failed;
  const fs::path temporary = fs::temp_directory_path(failed);
  struct statvfs facts {};
  if (!failed && ::statvfs(temporary.c_str(), &facts) == 0 &&
      static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize > bytes) {
    if (Nameless out = nameless(temporary); out.file) return out;
  }
  Nameless out = nameless(folder_of(path));
  const int reason = errno;
  const char* wanted = std::getenv("TMPDIR");
  if (!out.file)
    refuse(path, out.folder.string() + " (" + (wanted == nullptr ? "/tmp" : wanted) + " has no room)",
           reason);
  return out;
}

void write_numbers(const Nameless& into, const fs::path& path, std::uint64_t at,
                   std::span<const float> numbers) {
  auto bytes = std::as_bytes(numbers);
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(into.file.number(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) refuse(path, into.folder.string(), wrote == 0 ? ENOSPC : errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    at += static_cast<std::uint64_t>(wrote);
  }
}

struct Unpacked {
  void* start = nullptr;
  std::size_t size = 0;
  ~Unpacked() {
    if (start != nullptr) ::munmap(start, size);
  }
};

}  // namespace

bool is_parquet(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char head[4];
  if (!file || ::pread(file.number(), head, sizeof head, 0) != ssize_t{sizeof head}) return false;
  const std::string_view magic(head, sizeof head);
  return magic == "PAR1" || magic == "PARE";
}

Rows open_parquet(const fs::path& path, const std::string& column) {
  Descriptor source = open_regular(path, O_RDONLY);
  const int fd = ::fcntl(source.number(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw_file_error("open", path, errno);
  const ShoalParquetAnswer opened =
      checked(shoal_parquet_vectors_open(fd, {column.data(), column.size()}), path);
  const Vectors vectors(opened.owner, shoal_parquet_free);

  constexpr std::size_t kMost = 1024;
  Nameless into;
  Index rows = 0, cols = 0;
  for (;;) {
    const ShoalParquetAnswer batch = checked(shoal_parquet_vectors_next(vectors.get(), kMost), path);
    if (batch.rows == 0) break;
    if (!into.file) {
      cols = batch.dims;
      std::uint64_t bytes = sizeof(float);
      if (__builtin_mul_overflow(bytes, cols, &bytes) || __builtin_mul_overflow(bytes, opened.rows, &bytes))
        throw Error(Fault::format, path.string() + " claims " + std::to_string(opened.rows) + " vectors");
      into = room_for(bytes, path);
    }
    write_numbers(into, path, rows * cols * sizeof(float), {batch.numbers, batch.rows * cols});
    rows += batch.rows;
  }
  if (rows == 0) throw Error(Fault::format, path.string() + " has no rows");
  const auto unpacked = std::make_shared<Unpacked>();
  unpacked->size = rows * cols * sizeof(float);
  void* const start = ::mmap(nullptr, unpacked->size, PROT_READ, MAP_PRIVATE, into.file.number(), 0);
  if (start == MAP_FAILED) throw_file_error("map", path, errno);
  unpacked->start = start;
  const auto block = [unpacked, cols](Index first, Index count, Matrix&) -> MatrixView {
    return {static_cast<const float*>(unpacked->start) + first * cols, count, cols, cols};
  };
  const Rows out(rows, cols, Dtype::f32, block, {.dims = cols});
  return opened.width == sizeof(double) ? out.converted("float64") : out;
}

}  // namespace shoal
