// The machine as a kernel finds it, and its interrupts.
#include <gtest/gtest.h>

#include <cstring>

#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

using qemu_test::machine;

TEST(Boot, TellsTheCommandLine) {
  EXPECT_EQ(machine().boot.number("answer", 0), 42U);
  EXPECT_TRUE(machine().boot.option("name") == "machine");
  EXPECT_FALSE(machine().boot.option("nam"));
  EXPECT_EQ(machine().boot.number("name", 7), 7U);
}

TEST(Boot, FindsTheMemory) {
  std::uint64_t bytes = 0;
  for (const auto& range : machine().boot.usable) bytes += range.bytes();
  EXPECT_GT(bytes, std::uint64_t{60} << 20);
  EXPECT_LE(bytes, std::uint64_t{64} << 20);
  EXPECT_GT(machine().memory.bytes_left(), std::size_t{50} << 20);
}

TEST(PhysicalMemory, HandsOutZeroedMemoryOnce) {
  const auto a = machine().memory.take(5'000, 4096, "a");
  const auto b = machine().memory.take(100, 64, "b");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 4096, 0U);
  EXPECT_GE(b.data(), a.data() + a.size());
  for (const auto byte : a) EXPECT_TRUE(byte == std::byte{0});
}

TEST(MemoryFunctions, CopyEveryLengthAndOverlap) {
  for (std::size_t length = 0; length < 100; ++length) {
    unsigned char bytes[256];
    for (unsigned i = 0; i < 256; ++i) bytes[i] = static_cast<unsigned char>(i);
    std::memmove(bytes + 31, bytes + 7, length);
    for (std::size_t i = 0; i < length; ++i) EXPECT_EQ(bytes[31 + i], 7 + i);
    EXPECT_EQ(bytes[31 + length], 31 + length);
    bytes[length] = 200;
    std::memset(bytes, 9, length);
    for (std::size_t i = 0; i < length; ++i) EXPECT_EQ(bytes[i], 9);
    EXPECT_EQ(bytes[length], 200);
  }
}

TEST(MemoryFunctions, CompareAsUnsignedBytes) {
  EXPECT_LT(std::memcmp("ab\x01", "ab\xff", 3), 0);
  EXPECT_EQ(std::memcmp("abc", "abd", 2), 0);
}

TEST(Clock, RunsAsFastAsTheTimer) {
  static constinit volatile unsigned alarms = 0;
  set_interrupt_handler(vector_of_line(kTimerLine),
                        {[](void*, InterruptFrame&) noexcept { alarms = alarms + 1; }, nullptr});
  enable_line(kTimerLine);
  const auto begin = machine().clock.now();
  machine().alarm.set(milliseconds(20));
  while (alarms == 0) sleep_until_interrupt();
  const auto lasted = machine().clock.now() - begin;
  disable_line(kTimerLine);
  EXPECT_EQ(alarms, 1U);
  EXPECT_GE(lasted.ns, 19'000'000);  // no upper bound: the host may be busy
}

TEST(Interrupts, OfAnExceptionReturnBehindIt) {
  static constinit volatile unsigned breakpoints = 0;
  set_interrupt_handler(3, {[](void*, InterruptFrame& frame) noexcept {
                              breakpoints = breakpoints + (frame.rbx == 77 ? 1 : 100);
                              frame.rbx = 78;
                            },
                            nullptr});
  std::uint64_t rbx = 77;
  asm volatile("int3" : "+b"(rbx) : : "memory");
  EXPECT_EQ(breakpoints, 1U);
  EXPECT_EQ(rbx, 78U);
}

}  // namespace
}  // namespace plurix::baremetal
