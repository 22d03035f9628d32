#pragma once

#include <cstddef>
#include <cstdint>

#include "shoal/core/rust_bytes.h"

/// The C functions of src/rust/src/parquet_file, where they are described: rows are read by parquet.cpp of
/// room read, vectors by parquet_rows.cpp of room store; parquet_writer.cpp there writes. Nothing else
/// includes this.
extern "C" {

/// Why something was refused.
enum class ShoalParquetFault : std::uint8_t {
  input = 0,        ///< it is damaged, or makes no sense
  unsupported = 1,  ///< it may be right
  memory = 2,       ///< there is too little now
  too_long = 3,     ///< a record; the error is its place
  choice = 4        ///< there are several columns of vectors, and none was named
};

struct ShoalParquet;

struct ShoalParquetColumn {
  const char* bytes;
  const std::uint64_t* ends;
  const std::uint8_t* kinds;
};

struct ShoalParquetField {
  ShoalBytes name;
  bool floats;
};

struct ShoalParquetAnswer {
  ShoalParquet* owner;
  std::uint64_t rows;
  const ShoalParquetColumn* columns;
  const float* numbers;
  std::size_t dims;
  std::size_t width;
  ShoalBytes error;
  ShoalParquetFault fault;
};

ShoalParquetAnswer shoal_parquet_open(int fd, std::size_t most_record);
const ShoalParquetField* shoal_parquet_fields(ShoalParquet* parquet, std::size_t* count);
ShoalParquetAnswer shoal_parquet_first_length(const ShoalParquet* parquet, std::size_t field);
void shoal_parquet_select(ShoalParquet* parquet, const std::size_t* fields, std::size_t count);
ShoalParquetAnswer shoal_parquet_next(ShoalParquet* parquet, std::size_t most);
std::uint64_t shoal_parquet_bytes(const ShoalParquet* parquet);
ShoalParquetAnswer shoal_parquet_vectors_open(int fd, ShoalBytes name);
ShoalParquetAnswer shoal_parquet_vectors_next(ShoalParquet* parquet, std::size_t most);
void shoal_parquet_free(ShoalParquet* parquet);

struct ShoalParquetFile;

struct ShoalNewField {
  ShoalBytes name;
  std::uint8_t holds;
  std::size_t dims;
};

struct ShoalNewValues {
  const std::uint8_t* there;
  const std::int64_t* whole;
  const double* real;
  ShoalBytes text;
  const std::uint64_t* ends;
  const float* vectors;
};

struct ShoalWritten {
  ShoalParquetFile* owner;
  ShoalBytes bytes;
  ShoalBytes error;
  ShoalParquetFault fault;
};

ShoalWritten shoal_parquet_writer(const ShoalNewField* fields, std::size_t count, ShoalBytes made_by);
ShoalWritten shoal_parquet_write(ShoalParquetFile* file, const ShoalNewValues* values, std::size_t rows);
ShoalWritten shoal_parquet_finish(ShoalParquetFile* file);
void shoal_parquet_writer_free(ShoalParquetFile* file);
}
