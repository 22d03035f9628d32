#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/store/files/mapping.h"

namespace shoal {

/// Types of numbers in a safetensors file that shoal reads.
enum class TensorType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, u64, u32, u16, u8, i8, boolean };

/// A tensor inside a mapped file: checked against the file's size before anyone sees it.
struct Tensor {
  TensorType type = TensorType::f32;
  std::vector<Index> shape;
  std::span<const std::byte> bytes;

  Index count() const;  ///< product of shape
};

/// Reads one safetensors file (https://github.com/huggingface/safetensors). Opening checks every length,
/// offset, shape and type, holes and overlaps; each fault is Error(format) naming the file, the tensor and
/// the number.
class ArchiveReader {
 public:
  explicit ArchiveReader(const std::filesystem::path& path);
  /// The same over bytes in memory, which must outlive the ArchiveReader; `name` stands for the path in
  /// messages.
  ArchiveReader(std::span<const std::byte> borrowed, const std::filesystem::path& name);

  /// Tensors that stand elsewhere, as in a file of torch (torch_file.h); `owner` keeps their bytes.
  static ArchiveReader of(const std::filesystem::path& name,
                          std::map<std::string, Tensor, std::less<>> tensors,
                          std::shared_ptr<const void> owner);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }
  bool has(std::string_view name) const;
  /// Error(format) if there is none of that name.
  const Tensor& tensor(std::string_view name) const;
  /// A tensor of any float type as float32, rows x cols from its shape (1-d: one row; a single number: 1 x
  /// 1). Error(format) on more sides. With `rows`/`cols` given, Error(format) unless the shape is exactly
  /// that.
  Matrix matrix(std::string_view name) const;
  Matrix matrix(std::string_view name, Index rows, Index cols) const;
  /// A tensor of any float type and shape with exactly `count` numbers, flattened.
  std::vector<float> floats(std::string_view name, Index count) const;
  /// A tensor of f64 and any shape with exactly `count` numbers, flattened.
  std::vector<double> doubles(std::string_view name, Index count) const;
  /// Any integer type or bool, any shape, flattened. Error(format) on a u64 above 2^63 - 1.
  std::vector<std::int64_t> integers(std::string_view name) const;
  /// A 2-d tensor as Rows that share the mapping: nothing is read, and converted to float32, before it is
  /// used. A number beyond the range of float32 is Error(data) where it is read.
  Rows rows(std::string_view name, Space space = {}) const;

  /// What ArchiveWriter::add_part put under `name`, as if it were a file of its own. Error(format) if absent.
  ArchiveReader part(std::string_view name) const;

  /// Keeps the bytes of the tensors.
  const std::shared_ptr<const void>& owner() const { return owner_; }

  /// Strings of `__metadata__`. Empty if absent.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  std::string meta(std::string_view key) const;  ///< Error(format) if absent
  /// Fills options with what ArchiveWriter::options saved; one that is not there keeps its value, as it was
  /// no option yet. Error(format) naming the option, its value and what is allowed.
  void read(const OptionRefs& options) const;

 private:
  ArchiveReader() = default;
  void open(std::span<const std::byte> bytes);

  std::filesystem::path path_;
  std::shared_ptr<const void> owner_;  // of the bytes
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

/// Collects tensors and writes them as one safetensors file under a temporary name, synced, then renamed: the
/// file is whole or absent. Equal content gives equal bytes. Names and strings must be UTF-8
/// (Error(argument)).
class ArchiveWriter {
 public:
  /// Metadata `format` = "shoal", `version`, `kind` are set.
  explicit ArchiveWriter(std::string_view kind);
  void meta(std::string_view key, std::string_view value);
  void options(const std::vector<Field>& fields);  ///< as JSON in metadata "options"
  void space(const Space& space);                  ///< as JSON in metadata "space"
  /// Copies. Error(argument) if the name is taken or is "__metadata__".
  void add(std::string_view name, MatrixView x);
  void add(std::string_view name, const Matrix& x) { add(name, x.view()); }
  void add(std::string_view name, std::span<const float> x);
  /// Does not copy: `x` must stay as it is until the file is written.
  void lend(std::string_view name, MatrixView x, const std::vector<Index>& shape);
  /// The same with 16 bits a number, rounded to nearest.
  void add_half(std::string_view name, MatrixView x);
  void add(std::string_view name, std::span<const double> x);
  void add(std::string_view name, std::span<const std::int32_t> x);
  void add(std::string_view name, std::span<const std::int64_t> x);
  /// All of `part` under `name`, so that a stage made of stages is one file. Error(argument) if taken.
  void add_part(std::string_view name, const ArchiveWriter& part);
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  /// Error(file) if it cannot be written whole (disk full, no permission); the temporary file is removed.
  void write(const std::filesystem::path& path) const;

 private:
  struct Entry {
    TensorType type;
    std::vector<Index> shape;
    std::vector<std::byte> bytes;
    std::span<const std::byte> lent;  ///< instead of `bytes`

    std::span<const std::byte> all() const { return lent.empty() ? std::span(bytes) : lent; }
  };
  Entry& entry(std::string_view name, TensorType type, std::vector<Index> shape);
  std::map<std::string, std::string, std::less<>> metadata_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The options that `in` was saved with, checked as check_options does. Error(format).
template <class Options>
Options read_options(const ArchiveReader& in) {
  Options options;
  in.read(option_refs(options));
  try {
    check_options(options);
  } catch (const Error& e) {
    throw Error(Fault::format, in.path().string() + ": " + e.what());
  }
  return options;
}
/// The Space saved by ArchiveWriter::space. Absent: an empty Space.
Space read_space(const ArchiveReader& in);
/// Error(format) unless metadata `kind` is `kind` and `version` is one this program reads.
void check_kind(const ArchiveReader& in, std::string_view kind);

/// 64 hex digits of SHA-256, for model files and manifests.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256_file(const std::filesystem::path& path);

/// Writes `content` under a temporary name, syncs, renames. Error(file) as ArchiveWriter::write.
void write_file(const std::filesystem::path& path, std::string_view content);
/// A whole file as a string. Error(file) if missing, a directory, or over `most` bytes (then Error(format)).
std::string read_file(const std::filesystem::path& path, std::size_t most);

}  // namespace shoal
