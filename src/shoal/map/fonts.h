#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace shoal {

/// Installed fonts, and drawings with them. Only faces with outlines count. Not for several threads at once.
class Fonts {
 public:
  /// Those of a folder and below it, or the system's if `folder` is empty. There may be none.
  static Fonts load(const std::filesystem::path& folder = {});

  /// The family that is written with; what it does not have is taken from others. Empty: no font is there.
  const std::string& family() const { return family_; }
  /// The letters of a text that no font has, each once, in order. Spaces, joiners and marks of direction are
  /// never missing. What is not UTF-8 counts as U+FFFD.
  std::string missing(const std::string& text);
  /// An SVG drawing as PNG, `width` pixels wide. Letters that no font has would be boxes: leave them out
  /// before. Equal drawing and equal fonts give equal bytes. Error(format) if it is no SVG,
  /// Error(unsupported) if it has more than 268 million pixels.
  std::string png(const std::string& svg, std::uint32_t width) const;

 private:
  std::shared_ptr<void> state_;
  std::string family_;
};

/// What the script of a letter is called in English: "Devanagari".
std::string script_name(char32_t letter);

}  // namespace shoal
