# The pages as bytes inside the program. web/page.html, the map, is built from web/src by `make page` and committed, so that building
# the program needs no Node; web/words.html, words that move, is written by hand.
enable_language(ASM)
set(page_asm ${PROJECT_BINARY_DIR}/page_bytes.S)
set(page_bytes ".section .rodata\n")
foreach(page page words)
  set(page_html ${PROJECT_SOURCE_DIR}/web/${page}.html)
  list(APPEND page_files ${page_html})
  string(APPEND page_bytes ".global shoal_${page}_html\n.global shoal_${page}_html_end\n.balign 16\nshoal_${page}_html:\n"
    ".incbin \"${page_html}\"\nshoal_${page}_html_end:\n.byte 0\n")
endforeach()
string(APPEND page_bytes ".section .note.GNU-stack,\"\",@progbits\n")
file(WRITE ${page_asm}.in "${page_bytes}")
configure_file(${page_asm}.in ${page_asm} COPYONLY)
add_library(shoal_page STATIC ${page_asm})
set_source_files_properties(${page_asm} PROPERTIES OBJECT_DEPENDS "${page_files}")
set_target_properties(shoal_page PROPERTIES LINKER_LANGUAGE CXX)
