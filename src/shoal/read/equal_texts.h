#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

/// A text that stands in several rows.
struct EqualText {
  std::string beginning;  ///< of the text, at most 100 bytes, no character cut in two
  Index times = 0;        ///< rows that it stands in
};

/// Counts texts that were there before, byte by byte the same. Takes 8 to 16 bytes a different text; texts
/// are told apart by 64 bits of hash, so that of a billion one or none is taken for another by mistake.
class EqualTexts {
 public:
  void add(std::string_view text);
  Index equal() const { return equal_; }  ///< rows whose text stood in an earlier one
  /// The most frequent ones, at most three, of the first thousand that came again; ties: first come.
  std::vector<EqualText> most() const;

 private:
  bool insert(std::uint64_t hash);
  void grow();

  struct Again {
    EqualText text;
    Index order = 0;
  };
  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1024);  // 0: free
  Index used_ = 0, equal_ = 0;
  std::unordered_map<std::uint64_t, Again> again_;
};

}  // namespace shoal
