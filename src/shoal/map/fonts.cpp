#include "shoal/map/fonts.h"

#include <new>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/map/rust_picture.h"

namespace shoal {
namespace {

ShoalPictureBytes bytes_of(const std::string& text) { return {text.data(), text.size()}; }

/// The bytes of a result, which is freed.
std::string taken(const ShoalDrawnView& view) {
  struct FreeDrawn {
    void operator()(ShoalDrawn* d) const { shoal_drawn_free(d); }
  };
  const std::unique_ptr<ShoalDrawn, FreeDrawn> owner(view.owner);
  if (view.kind == 2) throw std::bad_alloc();
  if (view.error.size > 0)
    throw Error(view.kind == 1 ? Fault::unsupported : Fault::format,
                "the picture cannot be drawn: " + std::string(view.error.data, view.error.size));
  return {view.bytes.data, view.bytes.size};
}

}  // namespace

Fonts Fonts::load(const std::filesystem::path& folder) {
  Fonts out;
  ShoalFonts* made = nullptr;
  const std::string name = repair_utf8(folder.string());
  const ShoalDrawnView view = shoal_fonts_load(bytes_of(name), &made);
  out.state_ =
      std::shared_ptr<void>(made, [](void* fonts) { shoal_fonts_free(static_cast<ShoalFonts*>(fonts)); });
  out.family_ = taken(view);  // throws before anything was made
  return out;
}

std::string Fonts::missing(const std::string& text) {
  const std::string whole = repair_utf8(text);
  return taken(shoal_fonts_missing(static_cast<ShoalFonts*>(state_.get()), bytes_of(whole)));
}

std::string Fonts::png(const std::string& svg, std::uint32_t width) const {
  const std::string whole = repair_utf8(svg);
  return taken(shoal_fonts_draw(static_cast<const ShoalFonts*>(state_.get()), bytes_of(whole), width));
}

std::string script_name(char32_t letter) { return taken(shoal_script_name(letter)); }

}  // namespace shoal
