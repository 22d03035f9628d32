#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/parquet_file/mod.rs that read rows; they are described there. Included by
/// parquet.cpp alone.
extern "C" {

struct ShoalParquet;

struct ShoalParquetBytes {
  const char* data;
  std::size_t size;
};

struct ShoalParquetColumn {
  const char* bytes;
  const std::uint64_t* ends;
  const std::uint8_t* kinds;
};

struct ShoalParquetField {
  ShoalParquetBytes name;
  bool floats;
};

struct ShoalParquetAnswer {
  ShoalParquet* owner;
  std::uint64_t rows;
  const ShoalParquetColumn* columns;
  const float* numbers;
  std::size_t dims;
  ShoalParquetBytes error;
  std::uint8_t kind;  // of the error: 0 the input's, 1 not supported, 2 too little memory
};

ShoalParquetAnswer shoal_parquet_open(int fd);
const ShoalParquetField* shoal_parquet_fields(ShoalParquet* parquet, std::size_t* count);
ShoalParquetAnswer shoal_parquet_first_length(const ShoalParquet* parquet, std::size_t field);
void shoal_parquet_select(ShoalParquet* parquet, const std::size_t* fields, std::size_t count);
ShoalParquetAnswer shoal_parquet_next(ShoalParquet* parquet, std::size_t most);
std::uint64_t shoal_parquet_bytes(const ShoalParquet* parquet);
void shoal_parquet_free(ShoalParquet* parquet);
}
