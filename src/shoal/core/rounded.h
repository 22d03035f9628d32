#pragma once

#include <string>

namespace shoal {

/// A number as printf's `format` (of one double) writes it, at most 63 characters.
std::string rounded(double x, const char* format = "%.3g");

}  // namespace shoal
