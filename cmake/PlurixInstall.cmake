# find_package(plurix COMPONENTS core udp posix sim conformance) after `cmake --install`.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(libraries GLOBAL PROPERTY PLURIX_LIBRARIES)
install(TARGETS ${libraries} EXPORT plurixTargets FILE_SET HEADERS)
if(TARGET plurix)
  install(TARGETS plurix RUNTIME)
endif()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/plurix")
install(EXPORT plurixTargets NAMESPACE plurix:: DESTINATION "${package_dir}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/plurixConfig.cmake.in" "${PROJECT_BINARY_DIR}/plurixConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/plurixConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/plurixConfig.cmake" "${PROJECT_BINARY_DIR}/plurixConfigVersion.cmake"
  DESTINATION "${package_dir}")
