#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "shoal/read/input.h"
#include "shoal/read/record.h"

namespace shoal {

/// So many first bytes tell a Parquet file from a text.
inline constexpr std::size_t kParquetBegin = 68;
/// Whether a file that begins so is a Parquet file, plain or encrypted.
bool looks_like_parquet(std::string_view head);

/// Rows of a Parquet file, row group by row group, in batches of at most 1,024 rows or 4 MiB of text,
/// whatever the file takes for it. Values become what a CSV or JSONL file of the same data would have:
/// strings; numbers by their shortest decimal that reads back the same; decimals with all their digits;
/// dates, times and timestamps in ISO 8601 (with Z if they are in UTC); null as empty; lists, structs and
/// maps as JSON; bytes that are no UTF-8 as base64. A column of lists of 16 or more floats holds vectors, not
/// text: it is left out, and a note says so.
class ParquetReader {
 public:
  /// What stands behind `Input` for the other readers.
  class Progress {
   public:
    const std::string& name() const { return name_; }
    std::uint64_t taken() const;

   private:
    friend class ParquetReader;
    std::string name_;
    std::shared_ptr<void> file_;
  };

  /// `path` is where the input came from. If that is no plain Parquet file (a pipe, something compressed),
  /// the input is first copied to a file of no name in the folder for temporary files. A row may have as many
  /// bytes of text as the input's records. `columns`: of an earlier file, or empty. `stop` is asked before
  /// each batch: Error(cancelled). Error(data): damaged, cut off, without columns. Error(unsupported):
  /// encrypted. Error(file): no room for the copy.
  ParquetReader(Input input, const std::filesystem::path& path, ReadReport* report,
                const std::vector<std::string>& columns, std::stop_token stop);

  const std::vector<std::string>& columns() const { return columns_; }
  bool next(Record& record);  ///< false at the end; Error(data) naming column and row where it is damaged, or
                              ///< too long
  const Progress& input() const { return progress_; }
  std::string place() const;  ///< file and row of the record given out last

 private:
  bool next_batch();
  void leave_out_vectors(const std::vector<std::string>& wanted, ReadReport* report);

  Progress progress_;
  std::vector<std::string> columns_;
  std::size_t most_record_;
  std::stop_token stop_;
  const void* batch_ = nullptr;  // ShoalParquetColumn
  Index batch_rows_ = 0, at_ = 0, row_ = 0;
};

}  // namespace shoal
