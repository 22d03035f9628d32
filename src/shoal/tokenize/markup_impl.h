#pragma once

#include <string>
#include <string_view>

namespace shoal {

/// False if `without_markup` would surely leave the text as it is.
bool has_markup(std::string_view text);

/// The text without what is not said in it: tags, comments, scripts, styles and code of HTML, fenced code,
/// addresses (https://..., www..., t.co/..., a@b.c), @user, the RT beside it, and long hexadecimal numbers;
/// entities are what they stand for. A mark that parts words stands where something was, but not for tags
/// inside a line (<b>).
std::string without_markup(std::string_view text);

}  // namespace shoal
