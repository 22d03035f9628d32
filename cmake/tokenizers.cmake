# Hugging Face's tokenizers crate as a static library behind a few C functions (src/shoal/tokenize/hf).
# Needs cargo 1.89 or newer: the machine's, or Debian's cargo-web.
set(hf ${PROJECT_SOURCE_DIR}/src/shoal/tokenize/hf)
find_program(SHOAL_CARGO NAMES cargo REQUIRED)
get_filename_component(cargo_folder ${SHOAL_CARGO} DIRECTORY)
find_program(rustc NAMES rustc HINTS ${cargo_folder} NO_CACHE REQUIRED)  # cargo's own, not an older one first on the PATH
set(SHOAL_CARGO_TARGET ${PROJECT_SOURCE_DIR}/build/cargo CACHE PATH "Where cargo builds; shared by all presets")
add_custom_command(
  OUTPUT ${SHOAL_CARGO_TARGET}/release/libshoal_tokenizers.a
  COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${SHOAL_CARGO_TARGET} RUSTC=${rustc} ${SHOAL_CARGO} build --release --locked --quiet
          --manifest-path ${hf}/Cargo.toml
  DEPENDS ${hf}/src/bounds.rs ${hf}/src/lib.rs ${hf}/src/first_ids.rs ${hf}/src/load.rs ${hf}/src/memory.rs ${hf}/Cargo.toml ${hf}/Cargo.lock
  COMMENT "Building the tokenizers crate (about two minutes the first time)"
  USES_TERMINAL VERBATIM)
add_custom_target(shoal_tokenizers_build DEPENDS ${SHOAL_CARGO_TARGET}/release/libshoal_tokenizers.a)
add_library(shoal_tokenizers STATIC IMPORTED GLOBAL)
set_target_properties(shoal_tokenizers PROPERTIES IMPORTED_LOCATION ${SHOAL_CARGO_TARGET}/release/libshoal_tokenizers.a)
target_link_libraries(shoal_tokenizers INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(shoal_tokenizers shoal_tokenizers_build)
