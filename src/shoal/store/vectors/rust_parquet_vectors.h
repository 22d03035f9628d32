#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/parquet_file/mod.rs that read vectors; they are described there. Included
/// by parquet_rows.cpp alone.
extern "C" {

struct ShoalVectors;

struct ShoalVectorsBytes {
  const char* data;
  std::size_t size;
};

struct ShoalVectorsAnswer {
  ShoalVectors* owner;
  std::uint64_t rows;
  const void* columns;
  const float* numbers;
  std::size_t dims;
  ShoalVectorsBytes error;
  std::uint8_t kind;  // of the error: 0 the input's, 1 not supported, 2 too little memory
};

ShoalVectorsAnswer shoal_parquet_vectors_open(int fd);
ShoalVectorsAnswer shoal_parquet_vectors_next(ShoalVectors* vectors, std::size_t most);
void shoal_parquet_vectors_free(ShoalVectors* vectors);
}
