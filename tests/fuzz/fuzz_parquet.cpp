// Any bytes as a Parquet file: rows or vectors that can be read to the last, or an Error; never a crash.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "shoal/core/error.h"
#include "shoal/core/matrix.h"
#include "shoal/read/parquet.h"
#include "shoal/store/vectors/rows_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    shoal::ReadReport report;
    shoal::ParquetReader reader(shoal::Input::of("fuzz", bytes), "-", &report, {}, {});
    shoal::Record record;
    // A file may claim any number of rows of nothing but nulls.
    for (int i = 0; i < 10000 && reader.next(record); ++i)
      if (record.fields.size() != reader.columns().size() || record.kinds.size() != record.fields.size())
        std::abort();
  } catch (const shoal::Error&) {
  }
  static const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fuzz_" + std::to_string(::getpid()) + ".parquet");
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    const shoal::Rows rows = shoal::open_rows(path);
    if (rows.rows() > 0) rows.to_matrix();
  } catch (const shoal::Error&) {
  }
  std::filesystem::remove(path);
  return 0;
}
