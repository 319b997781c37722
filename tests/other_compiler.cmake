# The other compiler builds the libraries and the command without a warning, and its kernel code
# needs no more than ours does. Only the kernel runs, so only that is optimized. In a build directory
# of its own inside this one.
if(NOT PLURIX_OTHER_COMPILER)
  return()
endif()
set(other_build "${PROJECT_BINARY_DIR}/other_compiler")
get_property(targets GLOBAL PROPERTY PLURIX_LIBRARIES)
foreach(target plurix_history plurix plurix-kernel plurix_freestanding_probe)
  if(TARGET ${target})
    list(APPEND targets ${target})
  endif()
endforeach()
set(buildable "")
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    list(APPEND buildable ${target})
  endif()
endforeach()

add_test(NAME compilers.configure
  COMMAND "${CMAKE_COMMAND}" -S "${PROJECT_SOURCE_DIR}" -B "${other_build}" -G Ninja
    "-DCMAKE_CXX_COMPILER=${PLURIX_OTHER_COMPILER}" -DPLURIX_WERROR=ON
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0 -DPLURIX_KERNEL_OPTIONS=-O2
    -DPLURIX_BUILD_BENCH=OFF -DPLURIX_BUILD_EXAMPLES=OFF)
add_test(NAME compilers.build
  COMMAND "${CMAKE_COMMAND}" --build "${other_build}" --target ${buildable} -- -k 0)
set_tests_properties(compilers.configure PROPERTIES
  LABELS compilers FIXTURES_SETUP other_compiler_configured)
set_tests_properties(compilers.build PROPERTIES
  LABELS compilers TIMEOUT 900 RUN_SERIAL TRUE
  FIXTURES_REQUIRED other_compiler_configured FIXTURES_SETUP other_compiler_built)

if(plurix_core_freestanding IN_LIST buildable)
  set(archives "${other_build}/libplurix_core_freestanding.a")
  if(TARGET plurix_freestanding_probe)
    list(APPEND archives "${other_build}/tests/freestanding/libplurix_freestanding_probe.a")
  endif()
  add_test(NAME compilers.undefined_symbols
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/freestanding/undefined_symbols.py"
      ${archives})
  set_tests_properties(compilers.undefined_symbols PROPERTIES
    LABELS compilers FIXTURES_REQUIRED other_compiler_built)
endif()

if(plurix-kernel IN_LIST buildable)
  add_test(NAME compilers.kernels_of_both_form_a_cluster COMMAND Python3::Interpreter
    "${CMAKE_CURRENT_LIST_DIR}/qemu/cluster.py" --seconds 0.5
    --second-kernel "${other_build}/bin/plurix-kernel"
    $<TARGET_FILE:plurix-kernel> $<TARGET_FILE:plurix>)
  set_tests_properties(compilers.kernels_of_both_form_a_cluster PROPERTIES
    LABELS "compilers;qemu" TIMEOUT 120 FIXTURES_REQUIRED other_compiler_built)
  add_test(NAME compilers.demo_of_their_kernels COMMAND Python3::Interpreter
    "${CMAKE_CURRENT_LIST_DIR}/cluster/demo.py" $<TARGET_FILE:plurix>
    --seconds 2 --qemu 2 --hosted 1 --kernel "${other_build}/bin/plurix-kernel")
  set_tests_properties(compilers.demo_of_their_kernels PROPERTIES
    LABELS "compilers;qemu" TIMEOUT 120 SKIP_RETURN_CODE 77 FIXTURES_REQUIRED other_compiler_built)
endif()
