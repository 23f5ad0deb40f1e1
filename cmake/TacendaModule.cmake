# tacenda_module(vault DEPENDS core crypto SOURCES key_vault.cpp LINK PkgConfig::zstd
#                TESTS key_vault_test.cpp TEST_LINK ${SIMDJSON_LIBRARY} FUZZ keyring_fuzz.cpp)
# One static library tacenda::<name> per room, its tests beside it. DEPENDS is the whole list of rooms
# this one may include from; tools/check_layers.py holds the #include lines to it. TESTS become one
# program tacenda_<name>_test; each FUZZ file becomes its own program (preset fuzz), and in all other
# presets a plain test that replays tests/corpus/<file stem>/.
function(tacenda_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;SOURCES;LINK;TESTS;TEST_LINK;FUZZ" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tacenda_module(${name}): unknown words: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(ARG_SOURCES)
    add_library(tacenda_${name} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(tacenda_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  if(TACENDA_FUZZ)  # only what a fuzz program needs is built
    set_target_properties(tacenda_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  add_library(tacenda::${name} ALIAS tacenda_${name})
  target_include_directories(tacenda_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPENDS PREPEND tacenda::)
  target_link_libraries(tacenda_${name} ${scope} ${ARG_DEPENDS} ${ARG_LINK} Threads::Threads)

  if(ARG_TESTS AND NOT TACENDA_FUZZ)
    add_executable(tacenda_${name}_test ${ARG_TESTS})
    target_compile_definitions(tacenda_${name}_test PRIVATE TACENDA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(tacenda_${name}_test PRIVATE tacenda::${name} ${ARG_TEST_LINK} GTest::gmock GTest::gtest_main)
    # Listing the tests of a program runs it; under a sanitizer on a busy machine that takes a while.
    gtest_discover_tests(tacenda_${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
                         DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600)
  endif()

  foreach(file IN LISTS ARG_FUZZ)
    get_filename_component(stem ${file} NAME_WE)
    set(corpus ${PROJECT_SOURCE_DIR}/tests/corpus/${stem})
    add_executable(${stem} ${file})
    target_link_libraries(${stem} PRIVATE tacenda::${name})
    if(TACENDA_FUZZ)
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY TACENDA_FUZZ_TARGETS ${stem})
    else()
      target_sources(${stem} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz_replay.cpp)
      add_test(NAME fuzz.${stem} COMMAND ${stem} -runs=0 ${corpus})
      set_tests_properties(fuzz.${stem} PROPERTIES TIMEOUT 600)
    endif()
  endforeach()
endfunction()

# tacenda_must_not_compile(permit_made_outside_access permit.cpp DEPENDS core
#                          PATTERN "is private within this context|is a private member")
# A test that the compiler refuses a mistake. The file holds the mistake between #ifdef TACENDA_MISTAKE and
# #endif. Without that macro the file must compile (so that the refusal has no other cause); with it the
# compiler must fail, and what it says must match PATTERN. Several names may use one file when MISTAKE is
# given: the macro is then TACENDA_MISTAKE_<MISTAKE>.
function(tacenda_must_not_compile name file)
  cmake_parse_arguments(ARG "" "PATTERN;MISTAKE" "DEPENDS;LINK" ${ARGN})
  if(NOT ARG_PATTERN OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tacenda_must_not_compile(${name}): PATTERN is missing or a word is unknown")
  endif()
  if(TACENDA_FUZZ)
    return()
  endif()
  set(macro TACENDA_MISTAKE)
  if(ARG_MISTAKE)
    set(macro TACENDA_MISTAKE_${ARG_MISTAKE})
  endif()
  # Never built: it gives the test the exact command line that a file of these rooms is compiled with.
  list(TRANSFORM ARG_DEPENDS PREPEND tacenda::)
  add_library(tacenda_refused_${name} OBJECT EXCLUDE_FROM_ALL ${file})
  target_link_libraries(tacenda_refused_${name} PRIVATE ${ARG_DEPENDS} ${ARG_LINK})
  add_test(NAME refused.${name}
           COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/must_not_compile.py
                   --commands ${PROJECT_BINARY_DIR}/compile_commands.json --target tacenda_refused_${name}
                   --macro ${macro} --pattern ${ARG_PATTERN})
  set_tests_properties(refused.${name} PROPERTIES TIMEOUT 300)
endfunction()
