# The map page as bytes inside the program. web/page.html is built from web/src by `make page` and committed, so that building
# the program needs no Node.
set(page_asm ${PROJECT_BINARY_DIR}/page_bytes.S)
set(page_html ${PROJECT_SOURCE_DIR}/web/page.html)
enable_language(ASM)
file(WRITE ${page_asm}.in
  ".section .rodata\n.global shoal_page_html\n.global shoal_page_html_end\n.balign 16\nshoal_page_html:\n.incbin \"${page_html}\"\nshoal_page_html_end:\n.byte 0\n.section .note.GNU-stack,\"\",@progbits\n")
configure_file(${page_asm}.in ${page_asm} COPYONLY)
add_library(shoal_page STATIC ${page_asm})
set_source_files_properties(${page_asm} PROPERTIES OBJECT_DEPENDS ${page_html})
set_target_properties(shoal_page PROPERTIES LINKER_LANGUAGE CXX)
