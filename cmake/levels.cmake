# Instruction-set levels: the only files with -m flags. They must not share inline functions with the rest (design: an
# inline function compiled for AVX-512 may be the one that the linker keeps for everybody), so no LTO and no std headers there.
# GCC 12 warns of uninitialised values inside its own avx512fintrin.h (_mm512_undefined_ps).
set(kernels ${PROJECT_SOURCE_DIR}/src/shoal/kernels)
set_source_files_properties(${kernels}/level_base.cpp PROPERTIES COMPILE_OPTIONS "-O3;-fno-lto;-Wno-psabi")
set_source_files_properties(${kernels}/level_avx2.cpp PROPERTIES COMPILE_OPTIONS
                            "-O3;-fno-lto;-mavx2;-mfma;-mf16c;-mtune=haswell;-Wno-psabi")
set_source_files_properties(${kernels}/level_avx512.cpp PROPERTIES COMPILE_OPTIONS
    "-O3;-fno-lto;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx2;-mfma;-mf16c;-mprefer-vector-width=512;-mtune=skylake-avx512;-Wno-psabi;-Wno-uninitialized;-Wno-maybe-uninitialized")
set_source_files_properties(${kernels}/level_sha.cpp PROPERTIES COMPILE_OPTIONS "-O3;-fno-lto;-msha;-msse4.1;-mssse3")
set_source_files_properties(${kernels}/level_base.cpp ${kernels}/level_avx2.cpp ${kernels}/level_avx512.cpp ${kernels}/level_sha.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
