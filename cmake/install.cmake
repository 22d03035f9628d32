# The program, one static library a room, the headers, and a package file: find_package(shoal), then shoal::shoal.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS shoal RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set(installed shoal_flags shoal_all shoal_page)
foreach(room IN LISTS SHOAL_ROOMS)
  list(APPEND installed shoal_${room})
endforeach()
set_target_properties(shoal_all PROPERTIES EXPORT_NAME shoal)
install(TARGETS ${installed} EXPORT shoal ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/shoal)
install(FILES ${SHOAL_CARGO_TARGET}/release/libshoal_tokenizers.a DESTINATION ${CMAKE_INSTALL_LIBDIR}/shoal)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/shoal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*_impl.h" EXCLUDE PATTERN "hf" EXCLUDE)
install(EXPORT shoal NAMESPACE shoal:: FILE shoal-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shoal)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/shoal-config.cmake.in ${PROJECT_BINARY_DIR}/shoal-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shoal)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/shoal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/shoal-config.cmake ${PROJECT_BINARY_DIR}/shoal-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shoal)
