#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "shoal/core/texts.h"

struct z_stream_s;

namespace shoal::page {

/// Bytes in, base64 of their gzip out, appended to a string as they come: a page never holds a block
/// uncompressed. The gzip header carries no time and no system, so equal bytes give equal text.
class Block {
 public:
  explicit Block(std::string& out);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void add(std::string_view bytes);
  /// Writes what is left. Call once, last.
  void finish();

 private:
  void deflate_all(int flush);
  void encode(std::string_view bytes, bool last);

  std::string& out_;
  std::string rest_;  // fewer than three bytes, waiting for their base64 group
  std::unique_ptr<z_stream_s> stream_;
};

/// `text` as the page shows it: well-formed UTF-8 (U+FFFD for what is not, and for NUL, which separates texts
/// in the page), at most `most` bytes and an ellipsis if longer, cut between code points.
std::string shown(std::string_view text, Index most);

/// JSON that may stand inside <script>: every '<', U+2028 and U+2029 as an escape.
std::string script_safe(std::string_view json);

}  // namespace shoal::page
