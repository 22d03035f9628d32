#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shoal/core/rows.h"
#include "shoal/core/texts.h"
#include "shoal/flow/evaluation/embedders.h"

namespace shoal {

/// What a text is for: a model may have a prompt for each.
enum class TextRole : std::uint8_t { plain, query, document };

/// Texts of which no two are equal, and what each is for.
class DistinctTexts {
 public:
  Texts texts;
  std::vector<std::uint8_t> roles;  ///< of each: bit 1 << TextRole for each role that it has

  /// The number of the text, which gets this role too.
  Index add(std::string_view text, TextRole role);

 private:
  std::unordered_map<std::string, Index> numbers_;
};

/// The vectors of texts, role by role; each text is embedded once for each embedder that its roles need.
class RoleVectors {
 public:
  /// Error(data) if a vector is not finite or their number is wrong.
  RoleVectors(const DistinctTexts& texts, const Embedders& embed);

  Index dims() const { return dims_; }
  /// Those of these texts, in this order. They must have the role.
  Rows of(TextRole role, const std::vector<Index>& texts) const;

 private:
  struct Part {
    Rows rows;
    std::vector<Index> place;  // of a text among them
  };
  void fill(const DistinctTexts& texts, const EmbedTexts& embed, unsigned roles);

  std::array<std::shared_ptr<const Part>, 3> parts_;
  Index dims_ = 0;
};

}  // namespace shoal
