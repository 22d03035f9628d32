#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// The file of a WordCourse, safetensors of that kind:
///   ids, watched   I64 [W], [any]: words of the vocabulary, ascending; those that were asked for
///   epochs         I64 [F], ascending; 0: where words begin
///   vectors        F16 [F W, dims]: word i of frame f is row f W + i; unit vectors
///   start, end     F16 [V, dims]: all words, before the first epoch and after the last
/// Checkpoints have it without the last two.
inline constexpr std::string_view kWordCourse = "word course";
inline constexpr Index kMostCourseWords = 65535;

/// Where some words were on the sphere while they moved.
struct WordCourse {
  std::vector<std::uint32_t> ids;      ///< W words of the vocabulary, ascending
  std::vector<std::uint32_t> watched;  ///< of these those that were asked for by name, ascending
  std::vector<Index> epochs;           ///< of each frame
  std::vector<Matrix> frames;          ///< W x dims each
  Matrix start, end;                   ///< all words of the vocabulary; 0 x 0 while they move

  bool empty() const { return ids.empty(); }
  /// A frame of the words among all vectors. Nothing if the last frame is of this epoch.
  void add(Index epoch, const Matrix& vectors);

  void save(ArchiveWriter& out) const;
  /// Error(format) if something does not fit.
  static WordCourse load(const ArchiveReader& in);
};

/// `first` words of those that are known, in the order of the vocabulary, and the watched ones. known: a
/// number for each word of the vocabulary. Error(argument) for more than kMostCourseWords.
WordCourse begin_course(const std::vector<std::uint8_t>& known, Index first,
                        std::vector<std::uint32_t> watched);

/// Error(file), Error(format).
WordCourse open_course(const std::filesystem::path& path);

}  // namespace shoal
