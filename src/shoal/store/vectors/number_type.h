#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shoal/core/rows.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// How numbers stand in a file of vectors.
struct NumberType {
  TensorType type = TensorType::f32;
  bool big_endian = false;

  /// As NumPy calls it: "float64".
  const char* name() const;
};

/// A matrix of numbers as a file keeps it.
struct NumberTable {
  std::span<const std::byte> bytes;  ///< rows x cols numbers, of any alignment
  Index rows = 0, cols = 0;
  NumberType type;
  bool by_columns = false;  ///< Fortran order: each column's numbers stand together
};

/// Rows over a table. float32 and float16 (little endian, by rows) are used as they are; all else is
/// converted block by block, and Rows::converted_from says from what. A number beyond the range of float32 is
/// Error(data) where it is read, with its row and column; `where` names the file. `owner` is kept as long as
/// the Rows live.
Rows rows_over(const NumberTable& table, Space space, const std::string& where,
               std::shared_ptr<const void> owner);

/// Converts `count` float64 to float32. Returns the place of the first one beyond its range; count: there is
/// none.
Index narrow(const std::byte* from, Index count, float* out);

}  // namespace shoal
