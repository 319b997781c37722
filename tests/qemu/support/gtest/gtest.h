// The part of GoogleTest's language that suites in a kernel use, without an operating system: what
// stands in conformance/ is compiled unchanged. Tests are found in a section of the program, since
// a kernel has no constructors that run before it; tests/qemu/support/run_all.cc runs them.
#pragma once

#include <plurix/baremetal/text.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace testing {

class Test {
 public:
  virtual ~Test() = default;
  virtual void RunSetUp() { SetUp(); }

 protected:
  virtual void SetUp() {}
};

namespace detail {

struct TestEntry {
  const char* prefix;
  void (*run)(const char* prefix);
  int line;  ///< tests run in this order, whatever order the compiler has put them in
};

/// One test: told before and after; what fails in between is its failure.
void begin_test(const char* prefix, const char* name);
void end_test();
void skip_test();
bool is_skipped();
void fail_test(std::string_view words);
void add_to_words(std::string_view words);

template <class Value>
void describe(plurix::baremetal::Text& text, const Value& value) {
  if constexpr (std::is_same_v<Value, char>) {
    text << std::string_view(&value, 1);
  } else if constexpr (std::is_enum_v<Value>) {
    text << static_cast<long long>(value);
  } else if constexpr (std::is_integral_v<Value>) {
    text << value;
  } else if constexpr (std::is_convertible_v<Value, std::string_view>) {
    text << std::string_view(value);
  } else {
    text << "(a value that cannot be printed)";
  }
}

/// What stands behind `<<` of an assertion.
class Words {
 public:
  template <class Value>
  Words& operator<<(const Value& value) {
    plurix::baremetal::Text text;
    describe(text, value);
    add_to_words(text.view());
    return *this;
  }
};

/// Lets `return` stand before an assertion's words: binds less tightly than `<<`.
struct AndReturn {
  void operator&(const Words&) const {}
};

class Comparison {
 public:
  template <class A, class B>
  static Comparison equal(const A& a, const B& b) {
    Comparison result;
    result.holds_ = a == b;
    if (result.holds_) return result;
    describe(result.values_ << ": ", a);
    describe(result.values_ << " and ", b);
    return result;
  }
  static Comparison truth(bool value) {
    Comparison result;
    result.holds_ = value;
    return result;
  }
  explicit operator bool() const { return holds_; }

  Words failure(const char* file, int line, const char* what) const {
    plurix::baremetal::Text text;
    text << file << ":" << line << ": " << what << values_.view() << " ";
    fail_test(text.view());
    return {};
  }

 private:
  bool holds_ = false;
  plurix::baremetal::Text values_;
};

inline Words skip() {
  skip_test();
  add_to_words("  skipped: ");
  return {};
}

template <class OneTest>
void run_test(const char* prefix) {
  begin_test(prefix, OneTest::kName);
  {
    OneTest test;
    test.RunSetUp();
    if (!is_skipped()) test.TestBody();
  }
  end_test();
}

template <class T, template <class> class... Tests>
struct TestsOf {
  static void run(const char* prefix) { (run_test<Tests<T>>(prefix), ...); }
};

}  // namespace detail
}  // namespace testing

// The section holds pointers: the compiler may put room between larger things.
#define PLURIX_TEST_ENTRY(name, prefix, runner)                                                \
  constinit static const ::testing::detail::TestEntry name = {prefix, runner, __LINE__};       \
  [[gnu::section("plurix_tests"),                                                              \
    gnu::used]] constinit static const ::testing::detail::TestEntry* const name##_in_section = \
      &name

#define TEST(Suite, Name)                                                                       \
  namespace {                                                                                   \
  struct Suite##_##Name : ::testing::Test {                                                     \
    static constexpr const char* kName = #Suite "." #Name;                                      \
    void TestBody();                                                                            \
  };                                                                                            \
  PLURIX_TEST_ENTRY(entry_##Suite##_##Name, "", (::testing::detail::run_test<Suite##_##Name>)); \
  }                                                                                             \
  void Suite##_##Name::TestBody()

#define TYPED_TEST_SUITE_P(Suite) static_assert(true)

#define TYPED_TEST_P(Suite, Name)                            \
  namespace plurix_tests_##Suite {                           \
    template <class T>                                       \
    struct Name : Suite<T> {                                 \
      using TypeParam = T;                                   \
      using TestFixture = Suite<T>;                          \
      static constexpr const char* kName = #Suite "." #Name; \
      void TestBody();                                       \
    };                                                       \
  }                                                          \
  template <class TypeParam>                                 \
  void plurix_tests_##Suite::Name<TypeParam>::TestBody()

#define REGISTER_TYPED_TEST_SUITE_P(Suite, ...)             \
  namespace plurix_tests_##Suite {                          \
    template <class T>                                      \
    using All = ::testing::detail::TestsOf<T, __VA_ARGS__>; \
  }                                                         \
  static_assert(true)

#define INSTANTIATE_TYPED_TEST_SUITE_P(Prefix, Suite, Type) \
  PLURIX_TEST_ENTRY(entry_##Prefix##_##Suite, #Prefix "/", (plurix_tests_##Suite::All<Type>::run))

#define PLURIX_CHECK_(comparison, what, on_failure)                                        \
  switch (0)                                                                               \
  case 0:                                                                                  \
  default:                                                                                 \
    if (const auto comparison_ = ::testing::detail::Comparison::comparison; comparison_) { \
    } else                                                                                 \
      on_failure comparison_.failure(__FILE__, __LINE__, what)

#define EXPECT_EQ(a, b) PLURIX_CHECK_(equal(a, b), #a " == " #b, )
#define ASSERT_EQ(a, b) \
  PLURIX_CHECK_(equal(a, b), #a " == " #b, return ::testing::detail::AndReturn{}&)
#define EXPECT_TRUE(a) PLURIX_CHECK_(truth(static_cast<bool>(a)), #a, )
#define ASSERT_TRUE(a) \
  PLURIX_CHECK_(truth(static_cast<bool>(a)), #a, return ::testing::detail::AndReturn{}&)
#define EXPECT_FALSE(a) PLURIX_CHECK_(truth(!(a)), "not " #a, )
#define EXPECT_LT(a, b) PLURIX_CHECK_(truth((a) < (b)), #a " < " #b, )
#define EXPECT_LE(a, b) PLURIX_CHECK_(truth((a) <= (b)), #a " <= " #b, )
#define EXPECT_GT(a, b) PLURIX_CHECK_(truth((a) > (b)), #a " > " #b, )
#define EXPECT_GE(a, b) PLURIX_CHECK_(truth((a) >= (b)), #a " >= " #b, )
#define EXPECT_NE(a, b) PLURIX_CHECK_(truth((a) != (b)), #a " != " #b, )
#define GTEST_SKIP() return ::testing::detail::AndReturn{} & ::testing::detail::skip()
