#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/store/files/descriptor_impl.h"
#include "shoal/store/vectors/parquet_rows_impl.h"
#include "shoal/store/vectors/rust_parquet_vectors.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Vectors = std::unique_ptr<ShoalVectors, decltype(&shoal_parquet_vectors_free)>;

const ShoalVectorsAnswer& checked(const ShoalVectorsAnswer& answer, const fs::path& path) {
  if (answer.error.size == 0) return answer;
  if (answer.kind == 2) throw std::bad_alloc();
  throw Error(
      answer.kind == 1 ? Fault::unsupported : Fault::format,
      path.string() + " cannot be read as Parquet: " + std::string(answer.error.data, answer.error.size));
}

/// A file that has no name: it goes with the process.
Descriptor nameless(const fs::path& folder) {
  std::string name = (folder / ".shoal.XXXXXX").string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file) ::unlink(name.c_str());
  return file;
}

/// The folder for temporary files if it has room; else the folder of `path`.
Descriptor room_for(std::uint64_t bytes, const fs::path& path) {
  std::error_code failed;
  const fs::path temporary = fs::temp_directory_path(failed);
  struct statvfs facts {};
  if (!failed && ::statvfs(temporary.c_str(), &facts) == 0 &&
      static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize > bytes) {
    if (Descriptor file = nameless(temporary)) return file;
  }
  Descriptor file = nameless(folder_of(path));
  if (!file) throw_file_error("unpack the vectors beside", path, errno);
  return file;
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

Rows open_parquet(const fs::path& path) {
  Descriptor source = open_regular(path, O_RDONLY);
  const int fd = ::fcntl(source.number(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw_file_error("open", path, errno);
  const ShoalVectorsAnswer opened = checked(shoal_parquet_vectors_open(fd), path);
  const Vectors vectors(opened.owner, shoal_parquet_vectors_free);

  constexpr std::size_t kMost = 1024;
  Descriptor file;
  Index rows = 0, cols = 0;
  for (;;) {
    const ShoalVectorsAnswer batch = checked(shoal_parquet_vectors_next(vectors.get(), kMost), path);
    if (batch.rows == 0) break;
    if (!file) {
      cols = batch.dims;
      std::uint64_t bytes = sizeof(float);
      if (__builtin_mul_overflow(bytes, cols, &bytes) || __builtin_mul_overflow(bytes, opened.rows, &bytes))
        throw Error(Fault::format, path.string() + " claims " + std::to_string(opened.rows) + " vectors");
      file = room_for(bytes, path);
    }
    const std::span<const float> numbers(batch.numbers, batch.rows * cols);
    write_at(file, path, rows * cols * sizeof(float), std::as_bytes(numbers));
    rows += batch.rows;
  }
  if (rows == 0) throw Error(Fault::format, path.string() + " has no rows");
  const auto unpacked = std::make_shared<Unpacked>();
  unpacked->size = rows * cols * sizeof(float);
  void* const start = ::mmap(nullptr, unpacked->size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) throw_file_error("map", path, errno);
  unpacked->start = start;
  const auto block = [unpacked, cols](Index first, Index count, Matrix&) -> MatrixView {
    return {static_cast<const float*>(unpacked->start) + first * cols, count, cols, cols};
  };
  return Rows(rows, cols, Dtype::f32, block, {.dims = cols});
}

}  // namespace shoal
