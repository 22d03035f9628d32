# The program; the library, which is the rooms that shoal/shoal.h opens in one archive (what is in Rust is a second); the
# headers that shoal.h reaches; and a package file: find_package(shoal), then shoal::shoal.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS shoal RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Without the collection: that is the program's, and needs SQLite.
set(objects "")
foreach(room IN ITEMS core kernels store linear tokenize encode near reduce measure cluster learn classify adapt explain)
  list(APPEND objects $<FILTER:$<TARGET_OBJECTS:shoal_${room}>,EXCLUDE,/store/collection/>)
endforeach()
add_library(shoal_archive STATIC ${objects})
set_target_properties(shoal_archive PROPERTIES OUTPUT_NAME shoal LINKER_LANGUAGE CXX
                                               ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/library)
install(TARGETS shoal_archive ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${SHOAL_CARGO_TARGET}/release/libshoal_rust.a DESTINATION ${CMAKE_INSTALL_LIBDIR})

install(CODE "set(source \"${PROJECT_SOURCE_DIR}/src\")\nset(includes \"${CMAKE_INSTALL_INCLUDEDIR}\")")
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/shoal-config.cmake.in ${PROJECT_BINARY_DIR}/shoal-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shoal
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/shoal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/shoal-config.cmake ${PROJECT_BINARY_DIR}/shoal-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shoal)
