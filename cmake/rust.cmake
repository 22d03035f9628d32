# What shoal has in Rust (src/rust): one static library behind C functions, since two in one program collide.
# Needs cargo 1.89 or newer: the machine's, or Debian's cargo-web.
set(rust ${PROJECT_SOURCE_DIR}/src/rust)
find_program(SHOAL_CARGO NAMES cargo REQUIRED)
get_filename_component(cargo_folder ${SHOAL_CARGO} DIRECTORY)
find_program(rustc NAMES rustc HINTS ${cargo_folder} NO_CACHE REQUIRED)  # cargo's own, not an older one first on the PATH
set(SHOAL_CARGO_TARGET ${PROJECT_SOURCE_DIR}/build/cargo CACHE PATH "Where cargo builds; shared by all presets")
set(rust_archive ${SHOAL_CARGO_TARGET}/release/libshoal_rust.a)
file(GLOB_RECURSE rust_sources CONFIGURE_DEPENDS ${rust}/src/*.rs)
add_custom_command(
  OUTPUT ${rust_archive}
  COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${SHOAL_CARGO_TARGET} RUSTC=${rustc} ${SHOAL_CARGO} build --release --locked --quiet
          --manifest-path ${rust}/Cargo.toml
  DEPENDS ${rust_sources} ${rust}/Cargo.toml ${rust}/Cargo.lock
  COMMENT "Building what is in Rust (a few minutes the first time)"
  USES_TERMINAL VERBATIM)
add_custom_target(shoal_rust_build DEPENDS ${rust_archive})
add_library(shoal_rust STATIC IMPORTED GLOBAL)
set_target_properties(shoal_rust PROPERTIES IMPORTED_LOCATION ${rust_archive})
target_link_libraries(shoal_rust INTERFACE PkgConfig::zstd Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(shoal_rust shoal_rust_build)
