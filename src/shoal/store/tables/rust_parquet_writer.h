#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/parquet_file/write.rs, where they are described. Included by
/// parquet_writer.cpp alone.
extern "C" {

struct ShoalParquetFile;

struct ShoalTableBytes {
  const char* data;
  std::size_t size;
};

struct ShoalNewField {
  ShoalTableBytes name;
  std::uint8_t holds;
  std::size_t dims;
};

struct ShoalNewValues {
  const std::uint8_t* there;
  const std::int64_t* whole;
  const double* real;
  ShoalTableBytes text;
  const std::uint64_t* ends;
  const float* vectors;
};

struct ShoalWritten {
  ShoalParquetFile* owner;
  ShoalTableBytes bytes;
  ShoalTableBytes error;
  std::uint8_t kind;  // of the error: 0 the input's, 1 not supported, 2 too little memory
};

ShoalWritten shoal_parquet_writer(const ShoalNewField* fields, std::size_t count, ShoalTableBytes made_by);
ShoalWritten shoal_parquet_write(ShoalParquetFile* file, const ShoalNewValues* values, std::size_t rows);
ShoalWritten shoal_parquet_finish(ShoalParquetFile* file);
void shoal_parquet_writer_free(ShoalParquetFile* file);
}
