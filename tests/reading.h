#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/read/source.h"
#include "tests/scratch_folder.h"

namespace shoal {

/// What a whole file gives.
struct WholeFile {
  std::vector<std::string> texts, text_columns, other_columns;
  std::vector<std::vector<std::string>> others;  // column by column
  ReadReport report;
  const FileReading& how() const { return report.readings.front(); }
};

inline WholeFile read_whole(const std::filesystem::path& path, ReadOptions options = {}) {
  Source source({path}, std::move(options));
  WholeFile out{.text_columns = source.text_columns(), .other_columns = source.other_columns()};
  out.others.resize(out.other_columns.size());
  Texts texts;
  std::vector<Texts> others;
  while (source.next(7, texts, others)) {
    for (Index i = 0; i < texts.size(); ++i) out.texts.emplace_back(texts[i]);
    for (Index c = 0; c < others.size(); ++c)
      for (Index i = 0; i < others[c].size(); ++i) out.others[c].emplace_back(others[c][i]);
  }
  EXPECT_LE(source.bytes_read(), source.bytes_total().value_or(source.bytes_read()));
  out.report = source.report();
  return out;
}

/// A folder for files of a test.
class ReadingTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  WholeFile read(const std::string& name, std::string_view bytes, ReadOptions options = {}) {
    return read_whole(file(name, bytes), std::move(options));
  }
  /// The message of the Error that reading throws.
  std::string refusal(const std::string& name, std::string_view bytes, ReadOptions options = {}) {
    try {
      read(name, bytes, std::move(options));
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing was thrown";
  }

  const ScratchFolder folder_;
};

inline std::filesystem::path case_file(const std::string& name) {
  return std::filesystem::path(SHOAL_SOURCE) / "tests/cases" / name;
}

}  // namespace shoal
