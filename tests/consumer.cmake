# A project of someone else's, tests/consumer, uses plurix in each of the ways we promise.
set(prefix "${PROJECT_BINARY_DIR}/consumer/prefix")
add_test(NAME consumer.install
  COMMAND "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --prefix "${prefix}")
set_tests_properties(consumer.install PROPERTIES LABELS consumer FIXTURES_SETUP installed)

# All components once; in the other ways, which build them anew, what most users take.
set(components_find_package core posix sim conformance)
set(components_fetch_content core posix)
set(components_add_subdirectory core)
foreach(way find_package fetch_content add_subdirectory)
  add_test(NAME consumer.${way}
    COMMAND "${CMAKE_CTEST_COMMAND}"
      --build-and-test "${CMAKE_CURRENT_LIST_DIR}/consumer" "${PROJECT_BINARY_DIR}/consumer/${way}"
      --build-generator "${CMAKE_GENERATOR}"
      --build-options
        "-DCONSUMER_WAY=${way}" "-DCONSUMER_COMPONENTS=${components_${way}}"
        "-DCONSUMER_PLURIX_SOURCE=${PROJECT_SOURCE_DIR}"
        "-DCMAKE_PREFIX_PATH=${prefix}"
        "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
        "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}"
        "-DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}"
      --test-command "${CMAKE_CTEST_COMMAND}" --output-on-failure --no-tests=error)
  set_tests_properties(consumer.${way} PROPERTIES LABELS consumer TIMEOUT 600)
endforeach()
set_tests_properties(consumer.find_package PROPERTIES FIXTURES_REQUIRED installed)
