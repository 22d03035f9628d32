#include "shoal/read/lines.h"

#include "shoal/core/utf8.h"
#include "shoal/read/scan.h"

namespace shoal {
namespace {

// The line at the start of the input's rest, without its end; `length` with it. Needs a byte after a CR,
// which may be half of a CR LF.
std::string_view first_line(Input& input, std::size_t& length) {
  static const ByteFinder finder('\n', '\r', '\n');
  for (;; input.grow()) {
    const std::string_view rest = input.rest();
    const char* end = rest.data() + rest.size();
    const char* stop = finder.find(rest.data(), end);
    const bool known = stop != end && (*stop == '\n' || stop + 1 != end);
    if (!known && !input.ended()) continue;
    const std::string_view line = rest.substr(0, static_cast<std::size_t>(stop - rest.data()));
    const bool pair = stop != end && *stop == '\r' && stop + 1 != end && stop[1] == '\n';
    length = line.size() + (stop != end) + pair;
    return line;
  }
}

}  // namespace

LinesReader::LinesReader(Input input, ReadReport* report) : input_(std::move(input)), report_(report) {}

bool LinesReader::next(Record& record) {
  for (;;) {
    input_.take(length_);
    const std::string_view line = first_line(input_, length_);
    if (length_ == 0) return false;
    input_.check_record(length_);
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      record.fields.assign(1, line);
      record.kinds.clear();
      record.utf8 = first_invalid_utf8(line) == std::string_view::npos;
      return true;
    }
    ++report_->empty_rows;
  }
}

}  // namespace shoal
