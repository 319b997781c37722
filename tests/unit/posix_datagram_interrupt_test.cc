// Signals on behalf of datagrams, with a socket pair in the place of the network.
#include <plurix/posix/alternate_stack.h>
#include <plurix/posix/datagram_interrupt.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/monotonic_clock.h>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <csetjmp>
#include <cstring>
#include <thread>
#include <vector>

#include "support/sanitizers.h"

namespace plurix::posix {
namespace {

class Wire {
 public:
  Wire() {
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends_.data()) != 0) std::abort();
  }
  ~Wire() {
    for (const int fd : ends_) ::close(fd);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int here() const { return ends_[0]; }
  void send() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  // What finds no room is lost, as on a network.
  void flood() const { (void)!::write(ends_[1], "x", 1); }
  bool receive() const {
    char byte;
    return ::read(ends_[0], &byte, 1) == 1;
  }

 private:
  std::array<int, 2> ends_ = {};
};

// A node reduced to its handler: it reads what has arrived and remembers where it interrupted.
struct Node {
  static void interrupt(void* self, const InterruptContext& where) noexcept {
    auto& node = *static_cast<Node*>(self);
    ++(where.interrupted_in_runtime ? node.in_runtime : node.outside);
    while (node.wire.receive()) node.received.fetch_add(1);
    if (node.leave) {
      DatagramInterrupt::unblock(where);
      std::longjmp(node.start, 1);
    }
  }

  void attach(Duration period = milliseconds(1)) {
    interrupts.attach(wire.here(), interrupt, this, period);
  }

  AlternateStack stack;
  Wire wire;
  DatagramInterrupt interrupts;
  std::atomic<int> received{0};
  std::atomic<int> in_runtime{0};
  std::atomic<int> outside{0};
  volatile bool leave = false;
  std::jmp_buf start = {};
};

// A loop the compiler keeps.
void compute(int steps) {
  for (int i = 0; i < steps; ++i) asm volatile("" ::: "memory");
}

// Computes without a system call until `done` or for two seconds.
template <class Done>
bool compute_until(Done done, Duration patience = milliseconds(2000)) {
  const MonotonicClock clock;
  const auto end = clock.now() + patience;
  while (!done()) {
    compute(1000);
    if (clock.now() > end) return false;
  }
  return true;
}

TEST(DatagramInterrupt, ATickLetsAComputingThreadAnswer) {
  Node node;
  node.attach();
  node.wire.send();
  EXPECT_TRUE(compute_until([&] { return node.received == 1; }));
}

TEST(DatagramInterrupt, AThreadThatKeepsComputingIsInterruptedByEachDatagram) {
  Node node;
  node.attach();
  ASSERT_TRUE(compute_until([&] { return node.interrupts.per_datagram(); }));
  for (int i = 1; i <= 100; ++i) {
    // The signal comes to this thread before its own system call returns.
    node.wire.send();
    ASSERT_EQ(node.received, i);
  }
  EXPECT_GE(node.interrupts.datagram_signals(), 50U);
}

TEST(DatagramInterrupt, AThreadThatLooksItselfIsLeftAlone) {
  Node node;
  node.attach();
  compute_until([&] {
    node.interrupts.entered();
    return node.interrupts.ticks() >= 20;
  });
  EXPECT_FALSE(node.interrupts.per_datagram());
  EXPECT_EQ(node.interrupts.datagram_signals(), 0U);
}

TEST(DatagramInterrupt, QuietEndsTheSignalPerDatagram) {
  Node node;
  node.attach(milliseconds(20));
  ASSERT_TRUE(compute_until([&] { return node.interrupts.per_datagram(); }));
  node.interrupts.quiet();
  EXPECT_FALSE(node.interrupts.per_datagram());
  node.wire.send();
  EXPECT_EQ(node.interrupts.datagram_signals(), 0U);
}

TEST(DatagramInterrupt, AThreadThatComputedLongAnswersAtOnceNextTime) {
  Node node;
  node.attach();
  node.interrupts.computing();
  ASSERT_TRUE(compute_until([&] { return node.interrupts.per_datagram(); }));
  node.interrupts.quiet();
  EXPECT_TRUE(node.interrupts.computing());
  EXPECT_TRUE(node.interrupts.per_datagram());
  // It did not this time, so it is not expected to next time.
  node.interrupts.quiet();
  EXPECT_FALSE(node.interrupts.computing());
  EXPECT_FALSE(node.interrupts.per_datagram());
}

TEST(DatagramInterrupt, NoTickDisturbsASleepWithItsMask) {
  Node node;
  node.attach();
  const MonotonicClock clock;
  const auto begin = clock.now();
  const timespec timeout = {0, 50'000'000};
  const auto ticks = node.interrupts.ticks();
  EXPECT_EQ(::ppoll(nullptr, 0, &timeout, &node.interrupts.sleep_mask()), 0);
  EXPECT_GE((clock.now() - begin).ns, 50'000'000);
  EXPECT_LE(node.interrupts.ticks() - ticks, 4U);
  // Afterwards the timer goes on.
  EXPECT_TRUE(compute_until([&] { return node.interrupts.ticks() > ticks + 4; }));
}

TEST(DatagramInterrupt, TellsTheRuntimeLibraryFromTheProgram) {
  Node node;
  node.attach();
  std::vector<char> text(1 << 20, 'x');
  text.back() = '\0';
  volatile std::size_t length = 0;
  ASSERT_TRUE(compute_until([&] {
    length = std::strlen(text.data());
    return node.in_runtime >= 10;
  }));
  if (testing::kRuntimeInProgram) return;
  node.outside = 0;
  ASSERT_TRUE(compute_until([&] {
    compute(1'000'000);
    return node.outside >= 10;
  }));
}

TEST(DatagramInterrupt, AThreadThatSleepsInASystemCallAnswersToo) {
  Node node;
  node.attach();
  node.wire.send();
  const MonotonicClock clock;
  const auto end = clock.now() + milliseconds(2000);
  while (node.received == 0 && clock.now() < end) {
    const timespec while_away = {0, 500'000'000};
    ::nanosleep(&while_away, nullptr);
  }
  EXPECT_EQ(node.received, 1);
}

TEST(DatagramInterrupt, TheHandlerMayLeaveTheInterruptedCode) {
  NEEDS_PROMPT_SIGNALS();
  Node node;
  node.leave = true;
  volatile int left = 0;
  if (setjmp(node.start) != 0) left = left + 1;
  if (left == 0) node.attach();
  if (left < 20) compute_until([] { return false; });
  node.leave = false;
  EXPECT_EQ(left, 20);
}

TEST(DatagramInterrupt, AFloodOfDatagramsDoesNotPileUpHandlers) {
  Node node;
  node.attach();
  ASSERT_TRUE(compute_until([&] { return node.interrupts.per_datagram(); }));
  std::atomic<bool> over = false;
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([&] {
      while (!over) node.wire.flood();
    });
  }
  // Long: four senders and whatever else the machine does leave this thread little.
  EXPECT_TRUE(compute_until([&] { return node.received >= 20'000; }, milliseconds(60'000)));
  over = true;
  for (auto& sender : senders) sender.join();
}

TEST(DatagramInterrupt, OneThreadHasOne) {
  Node first;
  first.attach();
  Node second;
  EXPECT_THROW(second.attach(), EnvironmentError);
  first.interrupts.detach();
  EXPECT_NO_THROW(second.attach());
}

TEST(DatagramInterrupt, EachThreadIsInterruptedForItsOwnSocket) {
  NEEDS_PROMPT_SIGNALS();
  constexpr int kThreads = 4;
  std::array<std::atomic<Node*>, kThreads> nodes = {};
  std::array<bool, kThreads> done = {};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Node node;
      node.attach();
      nodes[i] = &node;
      done[i] = compute_until([&] { return node.received == 5; });
      nodes[i] = nullptr;
    });
  }
  for (auto& node : nodes) {
    while (node == nullptr) std::this_thread::yield();
  }
  for (int round = 0; round < 5; ++round) {
    for (auto& node : nodes) node.load()->wire.send();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, (std::array<bool, kThreads>{true, true, true, true}));
}

}  // namespace
}  // namespace plurix::posix
