#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// Calls `visit(word)` for each word of a UTF-8 text in order: runs of letters, marks and digits (utf8proc
/// categories), with inner apostrophes, hyphens and +# (as in c++, c#) kept; lower-cased; NFKC. For
/// explaining clusters, not for models. Scripts without spaces (CJK) give overlapping pairs of characters.
std::vector<std::string> split_words(std::string_view text);

/// True for the ~180 English function words that say nothing about a topic.
bool is_stop_word(std::string_view word);

}  // namespace shoal
