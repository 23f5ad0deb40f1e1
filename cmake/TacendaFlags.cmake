# Warnings are errors; hardening of SECURITY_DESIGN is on in every build that is not a sanitizer build.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                    -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # TACENDA_TRY is a GNU statement expression, marked with __extension__.
  add_compile_options(-Wthread-safety -Wno-gnu-statement-expression)
endif()

if(TACENDA_SANITIZE)
  add_compile_options(-fsanitize=${TACENDA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TACENDA_SANITIZE})
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

find_program(TACENDA_MOLD mold)
if(TACENDA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(TACENDA_CCACHE ccache)
if(TACENDA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TACENDA_CCACHE})
endif()
