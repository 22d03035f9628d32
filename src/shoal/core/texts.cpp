#include "shoal/core/texts.h"

namespace shoal {

void Texts::add(std::string_view text) {
  buffer_.append(text);
  ends_.push_back(buffer_.size());
}

void Texts::clear() {
  buffer_.clear();
  ends_.clear();
}

}  // namespace shoal
