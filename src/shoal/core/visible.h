#pragma once

#include <string>
#include <string_view>

namespace shoal {

/// `text` as valid UTF-8 without what could steer a terminal or turn the order of what is read: control
/// characters (U+0000 to U+001F, U+007F to U+009F) and the marks of direction (U+061C, U+200E, U+200F, U+202A
/// to U+202E, U+2066 to U+2069). In their place stands what `write` gives for them; tabs and line feeds stay.
std::string visible(std::string_view text, std::string (*write)(char32_t));

}  // namespace shoal
