# One static library a room, linked to the rooms that its line in ROOMS names: the build file is the dependency graph.
file(STRINGS ${PROJECT_SOURCE_DIR}/ROOMS room_lines REGEX "^[a-z]+:")
set(SHOAL_ROOMS "")
foreach(line IN LISTS room_lines)
  string(REGEX MATCH "^[a-z]+" room "${line}")
  string(REGEX REPLACE "^[a-z]+:" "" needs "${line}")
  separate_arguments(needs UNIX_COMMAND "${needs}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/shoal/${room}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  if(NOT sources)
    continue()
  endif()
  add_library(shoal_${room} STATIC ${sources})
  target_link_libraries(shoal_${room} PUBLIC shoal_flags Threads::Threads PRIVATE ${SHOAL_LIBS_${room}})
  foreach(need IN LISTS needs)
    if(TARGET shoal_${need})
      target_link_libraries(shoal_${room} PUBLIC shoal_${need})
    endif()
  endforeach()
  list(APPEND SHOAL_ROOMS ${room})
endforeach()
include(cmake/levels.cmake)
# The version, for what says it: nothing else is compiled again when it changes.
target_compile_definitions(shoal_flow PUBLIC $<BUILD_INTERFACE:SHOAL_VERSION="${PROJECT_VERSION}">)

# The standard headers that nearly every file reads, read once: a third of the time to build. All rooms are compiled with the same
# flags, so one such header serves them all; the dev preset does without, which shows what a file forgets to include.
option(SHOAL_PCH "Precompile the standard headers" ON)
if(SHOAL_PCH)
  target_precompile_headers(shoal_core PRIVATE <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <limits>
                            <memory> <optional> <span> <string> <string_view> <utility> <variant> <vector>)
  foreach(room IN LISTS SHOAL_ROOMS)
    if(NOT room STREQUAL core)
      target_precompile_headers(shoal_${room} REUSE_FROM shoal_core)
    endif()
  endforeach()
endif()

# All rooms under one name, for the doors.
add_library(shoal_all INTERFACE)
foreach(room IN LISTS SHOAL_ROOMS)
  target_link_libraries(shoal_all INTERFACE shoal_${room})
endforeach()
