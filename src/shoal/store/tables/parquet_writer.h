#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// What a column of a new Parquet file holds. The Rust half has the same numbers.
enum class ParquetType : std::uint8_t {
  boolean = 0,
  int32 = 1,
  int64 = 2,
  float32 = 3,
  float64 = 4,
  string = 5,
  date = 6,           ///< days since 1970-01-01
  timestamp = 7,      ///< microseconds since then, of no time zone
  timestamp_utc = 8,  ///< the same in UTC
  vector = 9          ///< a list of float32, `dims` in each row
};

struct ParquetField {
  std::string name;
  ParquetType type = ParquetType::string;
  Index dims = 0;  ///< of a vector
};

/// The values of a column for some rows, one call a row: that of its type.
class ParquetValues {
 public:
  void add_null();
  void add(std::int64_t whole);  ///< boolean (1 or 0), int32, int64, date, timestamps
  void add(double real);         ///< float32, float64
  void add(std::string_view utf8);
  void add(const float* vector, Index dims);
  void clear();

 private:
  friend class ParquetWriter;
  std::vector<std::uint8_t> there_;
  std::vector<std::int64_t> whole_;
  std::vector<double> real_;
  std::string text_;
  std::vector<std::uint64_t> ends_;
  std::vector<float> vectors_;
};

/// A Parquet file as pandas, DuckDB, Polars and viewers of embeddings open it: compressed by zstd, row groups
/// of 65,536 rows or 64 MiB, whichever is first. The same batches give the same bytes. All columns but
/// vectors may have nulls.
///
///   ParquetWriter writer({{"row", ParquetType::int64}, {"vector", ParquetType::vector, 384}}, "shoal",
///   sink); writer.add(values, 1024);  // values: std::vector<ParquetValues>, one a field writer.finish();
class ParquetWriter {
 public:
  /// Takes the next bytes of the file.
  using Sink = std::function<void(std::string_view)>;
  /// `made_by` is kept in the file. Error(argument) if there is no field.
  ParquetWriter(const std::vector<ParquetField>& fields, std::string_view made_by, Sink sink);
  void add(const std::vector<ParquetValues>& values, Index rows);
  void finish();

 private:
  std::shared_ptr<void> file_;
  Sink sink_;
};

}  // namespace shoal
