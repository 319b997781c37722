// The processor's page tables keep what every fault source promises, and tell what was touched.
#include <plurix/base/context.h>
#include <plurix/conformance/fault_source_suite.h>

#include <plurix/baremetal/page_table_fault_source.h>

#include <atomic>
#include <cstring>

#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

constexpr std::uint32_t kPages = 64;

// The window is in the page tables for good, so all tests share one source; each begins with all
// pages closed and zero.
PageTableFaultSource& shared_source() noexcept {
  alignas(PageTableFaultSource) static constinit std::byte storage[sizeof(PageTableFaultSource)];
  static constinit PageTableFaultSource* source = nullptr;
  if (source == nullptr) {
    source = new (storage)
        PageTableFaultSource(qemu_test::machine().memory, HeapGeometry{.pages = kPages});
  }
  return *source;
}

class PageTableWorld {
 public:
  PageTableWorld() noexcept {
    source().protect(0, kPages, Rights::kNone);
    for (std::size_t i = 0; i < kPages * kPageSize; ++i) source().frames()[i] = std::byte{0};
    source().on_restart({[](void* self) noexcept {
                           plurix_restore_context(&static_cast<PageTableWorld*>(self)->before_, 1);
                         },
                         this});
  }

  PageTableFaultSource& source() noexcept { return shared_source(); }

  // An access may run the fault handler, which the compiler does not know of.
  std::byte read(PageIndex page, std::size_t offset) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const auto value = at(page, offset);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return value;
  }
  void write(PageIndex page, std::size_t offset, std::byte value) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    at(page, offset) = value;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  template <class Body>
  bool attempt(Body body) {
    if (plurix_save_context(&before_) != 0) return false;
    body();
    return true;
  }

 private:
  volatile std::byte& at(PageIndex page, std::size_t offset) noexcept {
    return source().view()[std::size_t{page} * kPageSize + offset];
  }

  Context before_;
};

TEST(PageTableFaultSource, TellsWhichPagesWereTouchedAndWhichWritten) {
  PageTableWorld world;
  auto& source = world.source();
  source.protect(0, kPages, Rights::kWrite);
  for (const auto round : {0U, 1U, 2U}) {
    for (PageIndex page = 0; page < kPages; ++page) {
      if (page % 3 == round) (void)world.read(page, 0);
      if (page % 5 == round) world.write(page, 8, std::byte{1});
    }
    for (PageIndex page = 0; page < kPages; ++page) {
      EXPECT_EQ(source.written(page), page % 5 == round) << page;
      EXPECT_EQ(source.accessed(page), page % 3 == round || page % 5 == round) << page;
    }
    source.begin_watching();
  }
}

TEST(PageTableFaultSource, CountsNoAccessOfTheProtocol) {
  PageTableWorld world;
  world.source().protect(4, 1, Rights::kWrite);
  world.source().frames()[4 * kPageSize] = std::byte{3};
  EXPECT_FALSE(world.source().accessed(4));
}

TEST(PageTableFaultSource, LeavesABodyWithInterruptsAsTheyWere) {
  PageTableWorld world;
  world.source().on_fault(
      {[](void*, PageIndex, Access) noexcept { return FaultVerdict::kRestart; }, nullptr});
  EXPECT_FALSE(world.attempt([&] { (void)world.read(1, 0); }));
  EXPECT_TRUE(interrupts_enabled());
}

// mov eax, NUMBER; ret
void write_code(std::byte* place, std::uint32_t number) noexcept {
  constexpr std::uint8_t kMove = 0xb8;
  constexpr std::uint8_t kReturn = 0xc3;
  std::memcpy(place, &kMove, 1);
  std::memcpy(place + 1, &number, sizeof number);
  std::memcpy(place + 5, &kReturn, 1);
}

constinit unsigned brought = 0;

TEST(CodePages, RunFromTheViewAndAreNeverTakenAway) {
  constexpr PageIndex kCode = 20;
  PageTableWorld world;
  auto& source = world.source();
  const auto call = [&] {
    return reinterpret_cast<std::uint32_t (*)()>(source.view() + kCode * kPageSize)();
  };
  const auto bring = [](void*, PageIndex page) noexcept {
    ++brought;
    write_code(shared_source().frames() + std::size_t{page} * kPageSize, 42);
  };
  source.hold_code({kCode, 2, bring, nullptr});
  EXPECT_EQ(call(), 42u);
  EXPECT_EQ(call(), 42u);
  EXPECT_EQ(brought, 1u);

  source.protect(0, kPages, Rights::kNone);
  write_code(source.frames() + kCode * kPageSize, 7);
  EXPECT_EQ(call(), 42u);
  EXPECT_EQ(brought, 1u);

  source.release_code(kCode);
  source.hold_code({kCode, 1, bring, nullptr});
  write_code(source.frames() + kCode * kPageSize, 9);
  source.hold_code({kCode + 5, 1, bring, nullptr});
  source.open_code(kCode);
  EXPECT_EQ(call(), 9u);
  source.release_code(kCode + 5);
  EXPECT_FALSE(source.holds_code(kCode + 5));
  EXPECT_EQ(call(), 9u);
  source.release_code(kCode);
}

}  // namespace
}  // namespace plurix::baremetal

namespace plurix::conformance {

INSTANTIATE_TYPED_TEST_SUITE_P(PageTables, FaultSourceSuite, baremetal::PageTableWorld);

}  // namespace plurix::conformance
