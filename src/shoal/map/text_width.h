#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// How wide a line is at most in a bold sans-serif font, in units of its size: that of the widest of the
/// fonts that are common (DejaVu Sans), so that names which keep apart there keep apart in all. Han, kana,
/// hangul and signs that are drawn as wide count 1, joined marks 0. Text that is not UTF-8 counts as its
/// repaired form.
double text_width(std::string_view line);

/// A name on at most three lines of about `wide` units, as even as can be: broken at its dots first, then at
/// spaces; what is longer ends with an ellipsis. No line of an empty name.
std::vector<std::string> wrapped(const std::string& name, double wide);

}  // namespace shoal
