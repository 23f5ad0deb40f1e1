# The tree holds itself to its rules: walls between rooms, bans, formatting, documents. And the tools that
# check are checked: tools/tests/ shows each of them a known violation.
function(tacenda_check name)
  add_test(NAME check.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(check.${name} PROPERTIES TIMEOUT 300)
endfunction()

foreach(check layers bans regulations registered)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tools/check_${check}.py)
    tacenda_check(${check} ${Python3_EXECUTABLE} tools/check_${check}.py ${PROJECT_SOURCE_DIR})
  endif()
endforeach()

file(GLOB tool_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/tests/test_*.py)
foreach(file IN LISTS tool_tests)
  get_filename_component(stem ${file} NAME_WE)
  tacenda_check(${stem} ${Python3_EXECUTABLE} -B ${file})
endforeach()

if(EXISTS ${PROJECT_SOURCE_DIR}/tools/check_format.py)
  tacenda_check(format ${Python3_EXECUTABLE} tools/check_format.py ${PROJECT_SOURCE_DIR})
  # 77: clang-format-19 is not installed
  set_tests_properties(check.format PROPERTIES SKIP_RETURN_CODE 77)
endif()
