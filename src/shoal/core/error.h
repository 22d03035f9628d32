#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

/// The name of an option inside the message of an Error: each door writes it as its users do, --n-clusters on
/// the command line, n_clusters= in Python. `name` as in `fields`.
inline std::string option_name(std::string_view name) { return '\x01' + std::string(name) + '\x02'; }

/// The only exception the library throws on purpose. The message says what, the value, what is allowed and
/// where in the user's data; the hint says what would help.
struct Error : std::runtime_error {
  /// `message` and `hint` may hold option_name(...).
  Error(Fault f, std::string message, std::string advice = {})
      : std::runtime_error(plain(message, advice)),
        fault(f),
        marked(std::move(message)),
        hint(std::move(advice)) {}

  Fault fault;
  std::string marked;  ///< the message with its options marked
  std::string hint;    ///< the same of what would help; empty: nothing is known

  /// The first option that the message names: the one at fault. Empty: none.
  std::string option() const {
    const auto begin = marked.find('\x01'), end = marked.find('\x02');
    return begin < end && end != std::string::npos ? marked.substr(begin + 1, end - begin - 1)
                                                   : std::string();
  }
  /// Message and hint, options written as `write` says. what() has their plain names.
  template <class Write>
  std::string text(Write&& write) const {
    return joined(render(marked, write), render(hint, write));
  }

 private:
  template <class Write>
  static std::string render(const std::string& from, Write&& write) {
    std::string out;
    for (std::size_t at = 0; at < from.size(); ++at) {
      const auto end = from[at] == '\x01' ? from.find('\x02', at) : std::string::npos;
      if (end == std::string::npos) {
        out += from[at];
        continue;
      }
      out += write(std::string_view(from).substr(at + 1, end - at - 1));
      at = end;
    }
    return out;
  }
  static std::string joined(std::string message, const std::string& hint) {
    return hint.empty() ? message : std::move(message) + "; " + hint;
  }
  static std::string plain(const std::string& message, const std::string& hint) {
    const auto as_it_is = [](std::string_view name) { return std::string(name); };
    return joined(render(message, as_it_is), render(hint, as_it_is));
  }
};

/// Throws Error(fault, message) unless `ok`. Where building the message costs, write the `if` by hand.
inline void require(bool ok, Fault fault, const std::string& message) {
  if (!ok) throw Error(fault, message);
}
inline void require(bool ok, Fault fault, const char* message) {
  if (!ok) throw Error(fault, message);
}

}  // namespace shoal
