# Debian 12 packages; tools/setup installs them. Beside each, where alone it is used.
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)        # store/database.cpp
find_package(nlohmann_json REQUIRED)  # JSON: store, encode, map, flow, cli, and tests of read, measure and explain
find_package(Eigen3 REQUIRED)         # linear/: symmetric_eigen.cpp, cholesky.cpp
find_path(LBFGSPP_INCLUDE LBFGS.h REQUIRED)  # liblbfgspp-dev, headers over Eigen: linear/minimise.cpp
find_package(Boost 1.81 REQUIRED)     # headers only: Boost.Math in explain/p_values.cpp, Boost.Beast and Asio in serve
find_package(ZLIB REQUIRED)           # map/page_blocks.cpp, store/files/zip.cpp
find_package(CLI11 REQUIRED)          # cli
find_package(CURL REQUIRED)           # cli/http.cpp
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)  # core/letters.cpp, tokenize/words.cpp, flow/words/words_folder.cpp
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)  # read/, and in Rust the crate zstd
if(SHOAL_TESTS)
  find_package(GTest REQUIRED)
endif()

set(SHOAL_LIBS_core ${utf8proc_LINK_LIBRARIES})  # not the target: it defines a macro, which the precompiled headers lack
set(SHOAL_LIBS_store shoal_rust SQLite::SQLite3 ZLIB::ZLIB nlohmann_json::nlohmann_json)
set(SHOAL_LIBS_linear Eigen3::Eigen)
set(SHOAL_LIBS_read shoal_rust ZLIB::ZLIB PkgConfig::zstd nlohmann_json::nlohmann_json)  # JSON: its tests only
set(SHOAL_LIBS_measure nlohmann_json::nlohmann_json)  # its tests only
set(SHOAL_LIBS_tokenize shoal_rust PkgConfig::utf8proc)
set(SHOAL_LIBS_encode nlohmann_json::nlohmann_json)
set(SHOAL_LIBS_explain $<BUILD_INTERFACE:Boost::headers> nlohmann_json::nlohmann_json)  # JSON: its tests only
set(SHOAL_LIBS_map shoal_rust ZLIB::ZLIB nlohmann_json::nlohmann_json shoal_page)
set(SHOAL_LIBS_flow nlohmann_json::nlohmann_json)
