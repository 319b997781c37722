# How targets of this project are made: one function for a library (hosted), one for the
# freestanding twin, one that sets our own warnings on whatever we compile.

include_guard(GLOBAL)

# A designated initializer leaves the other members at their defaults on purpose, and g++ alone sees
# shadowing in a constructor's parameter named like the public member it sets.
set(PLURIX_WARNINGS
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
  -Wno-missing-field-initializers)
set(PLURIX_WARNINGS_GNU -Wshadow=local)
set(PLURIX_WARNINGS_CLANG -Wshadow)

# What kernel code is compiled with. Handlers save no vector registers and share the stack with
# interrupts, so neither SSE nor the red zone may be used; there is no unwinder and no TLS.
# The compiler may put a few moves in the place of a memcpy of known size (-fbuiltin), which
# -ffreestanding alone forbids (and goes on forbidding to clang); but no string instruction, because
# those are slow in an emulator.
# clang's use of libstdc++ breaks under -mgeneral-regs-only, so it gets the narrower flags.
# PLURIX_KERNEL_OPTIONS is for whoever wants other optimization here than in hosted code.
set(PLURIX_KERNEL_OPTIONS "" CACHE STRING "More compiler options for kernel code")
mark_as_advanced(PLURIX_KERNEL_OPTIONS)
set(PLURIX_KERNEL_FLAGS ${PLURIX_KERNEL_OPTIONS}
  -ffreestanding -fbuiltin -fno-exceptions -fno-rtti -mno-red-zone -fno-stack-protector
  -fcf-protection=none -fno-asynchronous-unwind-tables -fno-threadsafe-statics)
set(PLURIX_KERNEL_FLAGS_GNU ${PLURIX_KERNEL_FLAGS} -mgeneral-regs-only
  -mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign
  -mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign)
set(PLURIX_KERNEL_FLAGS_CLANG ${PLURIX_KERNEL_FLAGS} -mno-sse -mno-mmx)

function(plurix_set_warnings target)
  target_compile_options(${target} PRIVATE
    ${PLURIX_WARNINGS}
    $<$<CXX_COMPILER_ID:GNU>:${PLURIX_WARNINGS_GNU}>
    $<$<CXX_COMPILER_ID:Clang>:${PLURIX_WARNINGS_CLANG}>
    $<$<BOOL:${PLURIX_WERROR}>:-Werror>)
endfunction()

# The files that match patterns relative to the project's root; new files are found at build time.
function(plurix_glob result)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/")
  file(GLOB files CONFIGURE_DEPENDS ${ARGN})
  set(${result} "${files}" PARENT_SCOPE)
endfunction()

# plurix_add_library(NAME SOURCES globs HEADER_ROOTS dirs [PRIVATE_ROOTS dirs] [LINKS targets])
# makes plurix_NAME, alias plurix::NAME. HEADER_ROOTS hold the public headers (<plurix/...>, also
# installed); PRIVATE_ROOTS are where the room's own "..." includes start.
# A room that has only headers becomes an interface library.
function(plurix_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADER_ROOTS;PRIVATE_ROOTS;LINKS")
  set(target plurix_${name})
  set(sources "")
  if(arg_SOURCES)
    plurix_glob(sources ${arg_SOURCES})
  endif()

  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
    plurix_set_warnings(${target})
    list(TRANSFORM arg_PRIVATE_ROOTS PREPEND "${PROJECT_SOURCE_DIR}/")
    target_include_directories(${target} PRIVATE ${arg_PRIVATE_ROOTS})
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(plurix::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  set(roots ${arg_HEADER_ROOTS})
  list(TRANSFORM roots PREPEND "${PROJECT_SOURCE_DIR}/")
  list(TRANSFORM arg_HEADER_ROOTS APPEND "/*.h" OUTPUT_VARIABLE patterns)
  list(TRANSFORM patterns PREPEND "${PROJECT_SOURCE_DIR}/")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${patterns})
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${roots} FILES ${headers})

  target_compile_features(${target} ${scope} cxx_std_20)
  target_link_libraries(${target} ${scope} ${arg_LINKS})
  set_property(GLOBAL APPEND PROPERTY PLURIX_LIBRARIES ${target})
  set_property(GLOBAL APPEND PROPERTY PLURIX_HEADER_ROOTS ${roots})
  set_property(GLOBAL APPEND PROPERTY PLURIX_HEADERS ${headers})
endfunction()

# The same for code that runs without an operating system. Whoever links it is compiled with the
# same kernel flags: they are part of the ABI. Sanitizers need a runtime, so they stay out.
function(plurix_add_freestanding_library name)
  plurix_add_library(${name} ${ARGN})
  get_target_property(type plurix_${name} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  else()
    set(scope PUBLIC)
  endif()
  target_compile_options(plurix_${name} ${scope}
    "$<$<CXX_COMPILER_ID:GNU>:${PLURIX_KERNEL_FLAGS_GNU}>"
    "$<$<CXX_COMPILER_ID:Clang>:${PLURIX_KERNEL_FLAGS_CLANG}>"
    -fno-sanitize=all)
endfunction()

# plurix_add_kernel(TARGET [SOURCES files] [LINKS targets]): a program that a boot loader starts on an
# x86-64 machine (platform/baremetal/kernel.ld). It brings nothing along that it has not linked.
function(plurix_add_kernel target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  set(script "${PROJECT_SOURCE_DIR}/platform/baremetal/kernel.ld")
  add_executable(${target} ${arg_SOURCES})
  plurix_set_warnings(${target})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} plurix::baremetal)
  target_link_options(${target} PRIVATE
    -fno-sanitize=all -nostdlib -static $<$<CXX_COMPILER_ID:GNU>:-no-pie> -T "${script}"
    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${script}")
endfunction()

# plurix_add_heap_image(TARGET IMAGE name BASE address LOCAL address [SOURCES files] [LINKS targets]): a program
# for an x86-64 machine that stands in the heap, at a fixed place (platform/baremetal/heap_image.ld).
# Beside it, under the name of IMAGE, the bytes that are put there.
function(plurix_add_heap_image target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "IMAGE;BASE;LOCAL" "SOURCES;LINKS")
  set(script "${PROJECT_SOURCE_DIR}/platform/baremetal/heap_image.ld")
  add_executable(${target} ${arg_SOURCES})
  plurix_set_warnings(${target})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} plurix::baremetal)
  target_link_options(${target} PRIVATE
    -fno-sanitize=all -nostdlib -static $<$<CXX_COMPILER_ID:GNU>:-no-pie> -T "${script}"
    -Wl,--defsym=PLURIX_IMAGE_BASE=${arg_BASE} -Wl,--defsym=PLURIX_IMAGE_LOCAL=${arg_LOCAL}
    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${script}")
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND "${CMAKE_OBJCOPY}" -O binary -j .image $<TARGET_FILE:${target}>
      "$<TARGET_FILE_DIR:${target}>/${arg_IMAGE}")
endfunction()

# io_uring is one way to drive a socket; without the library the plain calls remain.
function(plurix_link_uring_if_found target)
  find_path(PLURIX_URING_INCLUDE liburing.h)
  find_library(PLURIX_URING_LIBRARY uring)
  mark_as_advanced(PLURIX_URING_INCLUDE PLURIX_URING_LIBRARY)
  get_target_property(type ${target} TYPE)
  if(NOT PLURIX_URING_INCLUDE OR NOT PLURIX_URING_LIBRARY OR type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  target_compile_definitions(${target} PRIVATE PLURIX_HAS_LIBURING=1)
  target_link_libraries(${target} PRIVATE uring)  # by name, so that the installed target can move
endfunction()

# A store of images may be compressed; without the library it is not, and one that is cannot be read.
function(plurix_link_zstd_if_found target)
  find_path(PLURIX_ZSTD_INCLUDE zstd.h)
  find_library(PLURIX_ZSTD_LIBRARY zstd)
  mark_as_advanced(PLURIX_ZSTD_INCLUDE PLURIX_ZSTD_LIBRARY)
  if(NOT PLURIX_ZSTD_INCLUDE OR NOT PLURIX_ZSTD_LIBRARY)
    return()
  endif()
  target_compile_definitions(${target} PRIVATE PLURIX_HAS_ZSTD=1)
  target_link_libraries(${target} PRIVATE zstd)  # by name, so that the installed target can move
endfunction()
