#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "shoal/core/matrix.h"
#include "shoal/flow/distil/contexts_impl.h"

namespace shoal {

/// Work of the forward passes, kept in a file beside the folder in the making: OUT.part.safetensors.
class Kept {
 public:
  /// `key` says what the work is of: only work with the same key is taken up.
  Kept(const std::filesystem::path& out, const std::string& key);

  const std::filesystem::path& path() const { return path_; }
  /// Error(argument) if something stands there that this command has not written: it is never replaced.
  /// Error(file) if it cannot be read.
  void check_place() const;
  bool is_due() const;  ///< half a minute has passed since the last `write`
  /// texts: of the corpus, that are in `contexts`. alone: rows of `vectors` that are done.
  void write(Index texts, Index alone, const Contexts& contexts, const Matrix& vectors);
  /// What an earlier run with the same key kept; most_texts: that the corpus has. False, and nothing changes,
  /// if there is something else: of another key, or damaged. Error(file) if it cannot be read.
  bool read(Index& texts, Index& alone, Contexts& contexts, Matrix& vectors, Index most_texts) const;
  /// Only what this command has written.
  void remove() const;
  /// Whether what is kept is of this key.
  bool is_of_key() const;

 private:
  bool is_own() const;

  std::filesystem::path path_;
  std::string key_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace shoal
