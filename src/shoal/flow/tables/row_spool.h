#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "shoal/core/texts.h"

namespace shoal {

/// Rows put aside until they are written: in a file without a name, which goes with the process.
class RowSpool {
 public:
  /// In the folder of `beside`. Error(file) if nothing can be written there.
  explicit RowSpool(const std::filesystem::path& beside);
  /// A batch as Source::next gives it. Error(file) on a full disk.
  void add(const Texts& texts, const std::vector<Texts>& columns, const Texts& kinds);
  /// All batches, in their order.
  void each(const std::function<void(const Texts& texts, const std::vector<Texts>& columns,
                                     const Texts& kinds)>& use) const;

 private:
  std::filesystem::path folder_;
  std::shared_ptr<std::FILE> file_;
};

}  // namespace shoal
