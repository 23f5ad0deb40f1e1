# tacenda_module(vault DEPENDS core crypto SOURCES key_vault.cpp LINK PkgConfig::zstd
#                TESTS key_vault_test.cpp FUZZ keyring_fuzz.cpp)
# One static library tacenda::<name> per room, its tests beside it. DEPENDS is the whole list of rooms
# this one may include from; tools/check_layers.py holds the #include lines to it. TESTS become one
# program tacenda_<name>_test; each FUZZ file becomes its own program (preset fuzz), and in all other
# presets a plain test that replays tests/corpus/<file stem>/.
function(tacenda_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;SOURCES;LINK;TESTS;TEST_LINK;FUZZ" ${ARGN})
  if(ARG_SOURCES)
    add_library(tacenda_${name} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(tacenda_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(tacenda::${name} ALIAS tacenda_${name})
  target_include_directories(tacenda_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPENDS PREPEND tacenda::)
  target_link_libraries(tacenda_${name} ${scope} ${ARG_DEPENDS} ${ARG_LINK} Threads::Threads)

  if(ARG_TESTS AND NOT TACENDA_FUZZ)
    add_executable(tacenda_${name}_test ${ARG_TESTS})
    target_compile_definitions(tacenda_${name}_test PRIVATE TACENDA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    # gtest's macros are written with C casts and shadowing; its headers come from /usr/include.
    target_link_libraries(tacenda_${name}_test PRIVATE tacenda::${name} ${ARG_TEST_LINK} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(tacenda_${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
                         PROPERTIES TIMEOUT 600)
  endif()

  foreach(file IN LISTS ARG_FUZZ)
    get_filename_component(stem ${file} NAME_WE)
    set(corpus ${PROJECT_SOURCE_DIR}/tests/corpus/${stem})
    add_executable(${stem} ${file})
    target_link_libraries(${stem} PRIVATE tacenda::${name})
    if(TACENDA_FUZZ)
      target_compile_options(${stem} PRIVATE -fsanitize=fuzzer)
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    else()
      target_sources(${stem} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz_replay.cpp)
    endif()
    add_test(NAME fuzz.${stem} COMMAND ${stem} -runs=0 ${corpus})
  endforeach()
endfunction()
