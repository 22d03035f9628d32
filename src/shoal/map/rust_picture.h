#pragma once

#include <cstddef>
#include <cstdint>

/// The C functions of src/rust/src/picture.rs, where they are described. Included by fonts.cpp alone.
extern "C" {

struct ShoalFonts;
struct ShoalDrawn;

struct ShoalPictureBytes {
  const char* data;
  std::size_t size;
};

struct ShoalDrawnView {
  ShoalDrawn* owner;
  ShoalPictureBytes bytes;
  ShoalPictureBytes error;
  std::uint8_t kind;  // of the error: 0 the input's, 1 not supported, 2 too little memory
};

ShoalDrawnView shoal_fonts_load(ShoalPictureBytes folder, ShoalFonts** out);
ShoalDrawnView shoal_fonts_missing(ShoalFonts* fonts, ShoalPictureBytes text);
ShoalDrawnView shoal_fonts_draw(const ShoalFonts* fonts, ShoalPictureBytes svg, std::uint32_t width);
ShoalDrawnView shoal_script_name(std::uint32_t letter);
void shoal_fonts_free(ShoalFonts* fonts);
void shoal_drawn_free(ShoalDrawn* drawn);
}
