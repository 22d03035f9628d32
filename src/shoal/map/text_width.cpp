#include "shoal/map/text_width.h"

#include <algorithm>

#include "shoal/core/utf8.h"

namespace shoal {
namespace {

/// Thousandths of the size for U+0020 to U+007E.
constexpr short kAscii[] = {
    348, 456,  521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415,  380, 365, 696, 696,  696,
    696, 696,  696, 696, 696, 696,  696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830,  683,
    683, 821,  837, 372, 372, 775,  637, 995, 837, 850, 733, 850, 770, 720,  682, 812, 774, 1103, 771,
    724, 725,  457, 365, 457, 838,  500, 500, 675, 716, 593, 716, 678, 435,  716, 712, 343, 343,  665,
    343, 1042, 712, 687, 716, 716,  493, 595, 478, 712, 652, 924, 645, 652,  582, 712, 365, 712,  838};

struct Block {
  char32_t first, last;
  double width;
};

/// Of everything else, by its block; what is in none is 0.9.
constexpr Block kBlocks[] = {
    {0x0, 0x1f, 0},      {0x7f, 0x9f, 0},        {0xa0, 0xa0, 0.35},      {0xb7, 0xb7, 0.4},
    {0xa1, 0x24f, 0.75}, {0x300, 0x36f, 0},      {0x370, 0x3ff, 0.78},    {0x400, 0x52f, 0.86},
    {0x591, 0x5bd, 0},   {0x5be, 0x5ff, 0.68},   {0x610, 0x61a, 0},       {0x64b, 0x65f, 0},
    {0x600, 0x6ff, 0.8}, {0x1100, 0x11ff, 1.05}, {0x200b, 0x200f, 0},     {0x2010, 0x205f, 0.7},
    {0x2060, 0x206f, 0}, {0x2e80, 0xa4cf, 1.05}, {0xac00, 0xd7ff, 1.05},  {0xf900, 0xfaff, 1.05},
    {0xfe00, 0xfe0f, 0}, {0xff00, 0xff60, 1.05}, {0x1f000, 0x1faff, 1.4}, {0x20000, 0x3ffff, 1.05},
};

double width_of(char32_t c) {
  if (c >= 0x20 && c < 0x7f) return kAscii[c - 0x20] / 1000.0;
  for (const Block& block : kBlocks)
    if (c >= block.first && c <= block.last) return block.width;
  return 0.9;
}

constexpr std::string_view kDot = " \xc2\xb7 ";

std::vector<std::string> parted(std::string_view text, std::string_view at) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t end = text.find(at);
    if (end > 0 && !text.empty()) out.emplace_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + at.size());
  }
}

/// Breaks at dots first, which go where a line ends, and inside a part only where it must.
std::vector<std::string> filled(const std::string& name, double wide) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& text, std::string_view joint) {
    if (lines.empty() || text_width(lines.back()) + text_width(joint) + text_width(text) > wide) return false;
    (lines.back() += joint) += text;
    return true;
  };
  for (const std::string& part : parted(name, kDot)) {
    if (add(part, kDot)) continue;
    bool first = true;
    for (const std::string& word : parted(part, " ")) {
      if (first || !add(word, " ")) lines.push_back(word);
      first = false;
    }
  }
  return lines;
}

/// As many whole letters as fit, and an ellipsis.
std::string shortened(const std::string& line, double wide) {
  if (text_width(line) <= wide) return line;
  std::string out;
  double width = 1;
  for (std::size_t at = 0; at < line.size();) {
    const CodePoint c = code_point_at(line, at);
    const double more = width_of(c.value);
    if (width + more > wide && more > 0) break;
    width += more;
    out += line.substr(at, c.length);
    at += c.length;
  }
  return out + "\xe2\x80\xa6";
}

}  // namespace

double text_width(std::string_view line) {
  const std::string text = repair_utf8(line);
  double width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    width += width_of(c.value);
    at += c.length;
  }
  return width;
}

std::vector<std::string> wrapped(const std::string& name, double wide) {
  const std::string text = repair_utf8(name);
  const Index most = filled(text, wide).size();
  double even = wide;  // the narrowest that needs no more lines
  while (even > 1 && filled(text, even * 0.94).size() <= most) even *= 0.94;
  std::vector<std::string> lines = filled(text, even);
  if (lines.size() > 3) {
    lines.resize(3);
    lines[2] += "\xe2\x80\xa6";
  }
  for (std::string& line : lines) line = shortened(line, wide * 1.3);
  return lines;
}

}  // namespace shoal
