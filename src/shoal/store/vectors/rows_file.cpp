#include "shoal/store/vectors/rows_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {
namespace {

constexpr const char* kTensor = "vectors";

SafetensorsHeader header_of(Index dims, const Space& space, Index rows) {
  SafetensorsHeader header;
  header.metadata = {
      {"format", "shoal"}, {"version", "1"}, {"kind", "vectors"}, {"space", space_json(space)}};
  header.tensors[kTensor] = {TensorType::f32, {rows, dims}, 0, rows * dims * sizeof(float)};
  return header;
}

/// The header with room for any count, so that its length, and with it where the data starts, never changes.
std::string header_bytes(Index dims, const Space& space, Index rows) {
  SafetensorsHeader widest = header_of(dims, space, rows);
  TensorPlace& place = widest.tensors[kTensor];
  place.shape[0] = place.end = std::numeric_limits<std::uint64_t>::max();
  return safetensors_header_bytes(header_of(dims, space, rows), safetensors_header_bytes(widest).size());
}

}  // namespace

struct RowsFile::State {
  std::filesystem::path path;
  Index dims = 0;
  Space space;
  Descriptor file;
  std::uint64_t data_begin = 0;
  Index rows = 0, committed = 0;

  std::uint64_t row_bytes() const { return dims * sizeof(float); }
  std::uint64_t end_of(Index row) const { return data_begin + row * row_bytes(); }
  void open(const std::function<Descriptor()>& how);
  void cut_to(Index row) const {
    if (::ftruncate(file.number(), static_cast<off_t>(end_of(row))) != 0)
      throw_file_error("write", path, errno);
  }
  void write_header() const { write_at(file, path, 0, as_bytes(header_bytes(dims, space, rows))); }
  void start(const std::filesystem::path& like);
  void go_on(Index committed_rows);
  void check_header() const;
};

void RowsFile::State::open(const std::function<Descriptor()>& how) {
  file = open_locked(path, how);
  if (!file) throw_being_written(path);
}

void RowsFile::State::start(const std::filesystem::path& like) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0) {
    open([&] { return open_regular(path, O_RDWR); });  // says what it is if it is no file; waits for a writer
    ::unlink(path.c_str());                            // never cut: others may have it mapped
  }
  open([&] { return open_part(path, like); });
}

void RowsFile::State::check_header() const {
  std::string first(data_begin, '\0');
  const ssize_t got = ::pread(file.number(), first.data(), first.size(), 0);
  if (got < 0) throw_file_error("read", path, errno);
  first.resize(static_cast<std::size_t>(got));
  const SafetensorsHeader header = parse_safetensors_header(as_bytes(first), path.string());
  const auto found = header.tensors.find(kTensor);
  const auto saved = header.metadata.find("space");
  if (found == header.tensors.end() || found->second.shape.size() != 2 ||
      found->second.type != TensorType::f32) {
    throw Error(Fault::format,
                path.string() + " holds no float32 tensor '" + kTensor + "' of rows x columns");
  }
  if (found->second.shape[1] != dims || saved == header.metadata.end() ||
      saved->second != space_json(space)) {
    throw Error(Fault::format, path.string() + " holds vectors of " + std::to_string(found->second.shape[1]) +
                                   " numbers of another space; vectors of " + std::to_string(dims) + " by '" +
                                   space.id + "' cannot be added to it");
  }
}

void RowsFile::State::go_on(Index committed_rows) {
  open([&] { return open_regular(path, O_RDWR); });
  check_header();
  const std::uint64_t size = file_size(file, path);
  if (committed_rows >
          (std::numeric_limits<std::uint64_t>::max() - data_begin) / std::max<Index>(1, row_bytes()) ||
      size < end_of(committed_rows)) {
    throw Error(Fault::format, path.string() + " has " + std::to_string(size) + " bytes, too few for the " +
                                   std::to_string(committed_rows) + " rows that were saved: was it changed?");
  }
  rows = committed_rows;
}

RowsFile::RowsFile(const std::filesystem::path& path, Index dims, Space space, Index committed,
                   const std::filesystem::path& like)
    : state_(std::make_unique<State>()) {
  require(dims >= 1, Fault::argument, "vectors of 0 numbers cannot be saved");
  State& s = *state_;
  s.path = path;
  s.dims = dims;
  s.space = std::move(space);
  s.data_begin = header_bytes(dims, s.space, 0).size();
  committed == 0 ? s.start(like) : s.go_on(committed);
  s.cut_to(s.rows);
  s.write_header();
  sync_file(s.file, path);
  sync_folder(folder_of(path));
  s.committed = s.rows;
}

RowsFile::RowsFile(RowsFile&&) noexcept = default;

RowsFile::~RowsFile() {
  if (!state_ || !state_->file) return;
  // Rows that were never committed go, so that the file is valid; if this fails, the next opening cuts them.
  [[maybe_unused]] const int ignored =
      ::ftruncate(state_->file.number(), static_cast<off_t>(state_->end_of(state_->committed)));
}

void RowsFile::append(MatrixView block) {
  State& s = *state_;
  if (block.cols != s.dims) {
    throw Error(Fault::argument, "vectors of " + std::to_string(block.cols) + " numbers cannot be added to " +
                                     s.path.string() + ", whose vectors have " + std::to_string(s.dims));
  }
  if (block.rows == 0) return;
  Matrix packed;
  if (block.stride != block.cols) {
    packed = Matrix(block.rows, block.cols);
    for (Index r = 0; r < block.rows; ++r) std::memcpy(packed[r].data(), block[r].data(), s.row_bytes());
    block = packed.view();
  }
  const std::span<const float> all(block.data, block.rows * block.cols);
  write_at(s.file, s.path, s.end_of(s.rows), std::as_bytes(all));
  s.rows += block.rows;
}

void RowsFile::commit() {
  State& s = *state_;
  s.cut_to(s.rows);  // what an append that failed half-way may have left
  sync_file(s.file, s.path);
  s.write_header();
  sync_file(s.file, s.path);
  s.committed = s.rows;
}

void RowsFile::keep_as(const std::filesystem::path& whole) {
  commit();
  take_permissions(state_->file, whole);
  if (std::rename(state_->path.c_str(), whole.c_str()) != 0) throw_file_error("write", whole, errno);
  sync_folder(folder_of(whole));
  state_->file = Descriptor();
}

Index RowsFile::rows() const { return state_->rows; }

}  // namespace shoal
