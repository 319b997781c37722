// What the sanitizers change about the world a test runs in.
#pragma once

#include <gtest/gtest.h>

#if defined(__has_feature)
#define PLURIX_HAS_FEATURE(name) __has_feature(name)
#else
#define PLURIX_HAS_FEATURE(name) 0
#endif

namespace plurix::testing {

#if defined(__SANITIZE_THREAD__) || PLURIX_HAS_FEATURE(thread_sanitizer)
constexpr bool kLateSignals = true;
#else
constexpr bool kLateSignals = false;
#endif

/// A part of a sanitizer's runtime may be in the program itself.
#if defined(__SANITIZE_ADDRESS__) || PLURIX_HAS_FEATURE(address_sanitizer)
constexpr bool kRuntimeInProgram = true;
#else
constexpr bool kRuntimeInProgram = kLateSignals;
#endif

}  // namespace plurix::testing

/// ThreadSanitizer holds asynchronous signals back until the program calls into its runtime.
#define NEEDS_PROMPT_SIGNALS() \
  if (plurix::testing::kLateSignals) GTEST_SKIP() << "this sanitizer delivers signals late"
