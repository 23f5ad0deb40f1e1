# Warnings are errors. Hardening (FORTIFY_SOURCE, stack protector, stack-clash, CET, RELRO, PIE, checked
# libstdc++) is on in every build that is not a sanitizer build, the release included.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                    -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # TACENDA_TRY is a GNU statement expression, marked with __extension__.
  add_compile_options(-Wthread-safety -Wno-gnu-statement-expression)
endif()

# No path of the building machine in the program: two builds of one commit in two folders are alike.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
add_compile_definitions(_GLIBCXX_ASSERTIONS)

if(TACENDA_SANITIZE)
  add_compile_options(-fsanitize=${TACENDA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TACENDA_SANITIZE})
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=3>)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

if(TACENDA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TACENDA_FUZZ needs clang: cmake --preset fuzz")
  endif()
  # Coverage counters in every room, so that the fuzzer sees into the code under test; the fuzz programs
  # alone link libFuzzer (cmake/TacendaModule.cmake).
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(TACENDA_MOLD mold)
if(TACENDA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(TACENDA_CCACHE ccache)
if(TACENDA_CCACHE)
  # Build folders and clones share their objects; the folders' names matter to debug info alone.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
                                  ${TACENDA_CCACHE})
endif()
