#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "shoal/read/input.h"

namespace shoal {

/// The encoding of a text, as far as it is known while it is read.
struct TextEncoding {
  std::string name = "UTF-8";  ///< as the WHATWG writes it; "UTF-8" as long as all is ASCII
  bool converted = false;      ///< the bytes are turned into UTF-8 on the way
};

/// The encoding that a label means, as the WHATWG names it ("latin1": windows-1252; "cp1251": windows-1251),
/// and UTF-32LE and UTF-32BE. Error(argument) listing the names if there is none.
std::string encoding_named(const std::string& label);

/// UTF-16LE, UTF-16BE, UTF-32LE or UTF-32BE if `head` begins with its mark, or without one if its zero bytes
/// lie as those of text; else empty.
std::string wide_encoding(std::string_view head);

/// The bytes of `from` as UTF-8. `forced` is a name of encoding_named, or empty: then
///   - a byte order mark decides, else UTF-16 and UTF-32 by where their zero bytes lie, else ISO-2022-JP by
///   its escapes;
///   - what is ASCII passes, and the first byte that is not is looked at with the MiB that follows it:
///   well-formed
///     UTF-8, or UTF-8 with few faults, passes; else chardetng guesses, and the guess holds if what it makes
///     of the bytes looks like text (nineteen of twenty characters beyond ASCII stand where a text has them).
/// A byte order mark stays, as U+FEFF. What means nothing in the encoding becomes the byte FF. Error(data)
/// naming the likely encoding, from the fetch that reads it: most of what is not ASCII would be lost, and no
/// guess is good. Memory: 2 MiB. `check` sees the first 64 KiB, as they lie in the file, before anything is
/// made of them.
Input::Fetch as_utf8(std::string name, Input::Fetch from, std::string forced,
                     std::shared_ptr<TextEncoding> found, std::function<void(std::string_view head)> check);

}  // namespace shoal
