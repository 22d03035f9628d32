#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace shoal {

/// What kind of thing went wrong. The numbers are the program's exit statuses: never renumber.
enum class Fault : std::uint8_t {
  argument = 2,     ///< an option or call is wrong
  data = 3,         ///< the user's rows or texts cannot be used
  file = 4,         ///< a file is missing, unreadable, unwritable, or the disk is full
  format = 5,       ///< a file is not what it claims to be
  unsupported = 6,  ///< well-formed, but shoal does not do it
  cancelled = 130,  ///< stopped on request
};

/// The only exception the library throws on purpose. The message says what, the value, what is allowed,
/// where in the user's data, and a hint.
struct Error : std::runtime_error {
  Error(Fault f, const std::string& what) : std::runtime_error(what), fault(f) {}
  Fault fault;
};

/// Throws Error(fault, message) unless `ok`. Where building the message costs, write the `if` by hand.
inline void require(bool ok, Fault fault, const std::string& message) {
  if (!ok) throw Error(fault, message);
}
inline void require(bool ok, Fault fault, const char* message) {
  if (!ok) throw Error(fault, message);
}

}  // namespace shoal
