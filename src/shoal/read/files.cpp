#include "shoal/read/files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

void check_file(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  const std::string name = path.string();
  if (status.type() == fs::file_type::not_found) throw Error(Fault::file, name + ": no such file");
  if (failed) throw Error(Fault::file, name + ": " + failed.message());
  if (fs::is_directory(status)) {
    throw Error(Fault::file, name + " is a directory; name its files, for example " + name + "/*.csv");
  }
  if (::access(path.c_str(), R_OK) != 0) {
    throw Error(Fault::file, name + ": cannot be read: " + std::strerror(errno));
  }
  if (fs::is_regular_file(status) && fs::file_size(path, failed) == 0 && !failed) {
    throw Error(Fault::data, name + " is empty");
  }
}

}  // namespace

void check_files(const std::vector<fs::path>& files) {
  require(!files.empty(), Fault::argument, "no input file; - is standard input");
  require(std::count(files.begin(), files.end(), "-") < 2, Fault::argument,
          "standard input (-) is given twice");
  for (const fs::path& path : files) {
    if (path != "-") check_file(path);
  }
}

std::optional<std::uint64_t> total_bytes(const std::vector<fs::path>& files) {
  std::uint64_t total = 0;
  for (const fs::path& path : files) {
    std::error_code failed;
    if (path == "-" || !fs::is_regular_file(path, failed)) return std::nullopt;
    total += fs::file_size(path, failed);
    if (failed) return std::nullopt;
  }
  return total;
}

}  // namespace shoal
