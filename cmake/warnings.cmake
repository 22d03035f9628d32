# What every target of ours is compiled with. No contraction: a * b + c is an fma only where the code says fma, so
# that results do not depend on the instruction set (HACKING.md, "Same bits").
add_library(shoal_flags INTERFACE)
target_compile_features(shoal_flags INTERFACE cxx_std_20)
target_compile_options(shoal_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -ffp-contract=off
                                             -ffunction-sections -fdata-sections)
# GCC 12 sees overlapping and endless copies inside std::string where there are none (its bug 105329), and says so of standard
# headers too where they are precompiled.
target_compile_options(shoal_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds>)
if(SHOAL_WERROR)
  target_compile_options(shoal_flags INTERFACE -Werror)
endif()
target_include_directories(shoal_flags INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                                 $<INSTALL_INTERFACE:include>)
target_link_options(shoal_flags INTERFACE -Wl,--gc-sections)
