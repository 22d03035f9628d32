#pragma once

#include <string>
#include <vector>

#include "shoal/core/fields.h"

namespace shoal {

/// Something that speaks against clusters, or against their number. docs/report.md lists the codes.
struct Objection {
  std::string code;           ///< what it is, for programs: "flat_curve"
  std::vector<Field> values;  ///< the numbers in it, by name
  std::string text;           ///< the same for people: one English sentence
};

}  // namespace shoal
