#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

class NewFile;

/// Appends float32 rows to a safetensors file whose header has room kept for the final count: the tensor has
/// the rows of the last `commit`. The file is changed in place, so nobody else may read it yet: give it a
/// name of its own until it is whole.
class RowsFile {
 public:
  /// Creates `path` as a new file, or opens it to go on: then `committed` rows are kept and any after them
  /// are cut off. A new one is as private as `like`, if that is there: what it is to replace. Error(format)
  /// if the file holds fewer, or another dims; Error(file) while another RowsFile, of this or another
  /// process, has it. Tensor name "vectors"; first at a 64-byte boundary.
  RowsFile(const std::filesystem::path& path, Index dims, Space space, Index committed,
           const std::filesystem::path& like = {});
  RowsFile(RowsFile&&) noexcept;
  ~RowsFile();
  void append(MatrixView rows);
  void append(const Matrix& rows) { append(rows.view()); }
  /// Everything appended is on disk and counted in the header when this returns. Error(file) on a full disk.
  void commit();
  /// Commits, and gives the file the name `whole`. What was there goes, but readers keep what they have open.
  void keep_as(const std::filesystem::path& whole);
  Index rows() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Opens vectors: .safetensors (tensor "vectors", or the only 2-d float tensor, or "embeddings"), .npy,
/// .npz (the same of its arrays), or Parquet (its column of lists of floats, unpacked into a file of no
/// name). Any type of number that NumPy computes with, but complex and wider than 8 bytes. Mapped, and
/// converted to float32 where it is read (Rows::converted_from). `column`: of a Parquet file, which holds the
/// vectors; empty: found. Error(format) naming what is wrong; Error(argument) for a column of another file.
Rows open_rows(const std::filesystem::path& path, const std::string& column = {});

/// Writes rows as .npy or .safetensors by extension (Error(argument) on another), whole or not at all.
void write_rows(const std::filesystem::path& path, const Rows& rows, const Run& run = {});
/// The same into a file in the making, which will be called `path`.
void write_rows(NewFile& out, const std::filesystem::path& path, const Rows& rows, const Run& run);

}  // namespace shoal
