#include "shoal/core/rounded.h"

#include <cstdio>

namespace shoal {

std::string rounded(double x, const char* format) {
  char out[64];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

}  // namespace shoal
