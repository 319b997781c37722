// Network cards for tests: fake chips with the real driver, alone or several on one wire.
#pragma once

#include <plurix/ethernet/transport.h>
#include <plurix/rtl8139/driver.h>

#include <array>
#include <deque>
#include <memory>

#include "rtl8139/testing/fake_chip.h"

namespace plurix::testing {

/// Time that passes only while somebody sleeps.
struct FakeTime {
  Instant now;
};

/// Sleeps in steps of 0.1 ms until the condition holds; lets `on_step` happen between them.
struct FakeSleep {
  FakeTime& time;
  std::function<void()> on_step = [] {};

  void sleep(Instant until, rtl8139::Condition ready) noexcept {
    while (!ready() && time.now < until) {
      time.now = earlier(until, time.now + microseconds(100));
      on_step();
    }
  }
};
static_assert(rtl8139::Sleeper<FakeSleep>);

using FakeDriver =
    rtl8139::Driver<rtl8139::testing::FakeChip, rtl8139::testing::FakeMemory, FakeSleep>;
using FakeCardTransport = ethernet::EthernetTransport<FakeDriver>;

inline ethernet::MacAddress fake_address(unsigned number) {
  return {{std::byte{0x02}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},
           static_cast<std::byte>(number)}};
}

/// One machine: memory, chip, driver, transport.
struct FakeCard {
  FakeCard(FakeTime& time, unsigned number) : chip(memory, fake_address(number)), sleep{time} {
    started = driver.start();
  }

  rtl8139::testing::FakeMemory memory;
  rtl8139::testing::FakeChip chip;
  FakeSleep sleep;
  FakeDriver driver{chip, memory, sleep};
  bool started = false;
  FakeCardTransport transport{driver, 1};
};

/// Four of them on a wire that loses nothing: what has no room in a chip yet waits.
class FakeCards {
 public:
  FakeCards() {
    for (unsigned i = 0; i < 4; ++i) {
      cards_[i] = std::make_unique<FakeCard>(time_, i + 1);
      auto& card = *cards_[i];
      card.chip.on_sent = [this, i](const Frame& frame) { carry(frame, i); };
      card.chip.before_look = [this, i] { deliver(i); };
    }
  }

  FakeCard& card(std::size_t i) { return *cards_[i]; }
  FakeTime& time() { return time_; }

 private:
  using Frame = rtl8139::testing::FakeChip::Frame;

  void carry(const Frame& frame, unsigned from) {
    for (unsigned i = 0; i < 4; ++i) {
      if (i != from) wire_[i].push_back(frame);
    }
  }

  void deliver(unsigned i) {
    auto& wire = wire_[i];
    for (; !wire.empty() && cards_[i]->chip.has_room_for(wire.front().size()); wire.pop_front()) {
      cards_[i]->chip.arrive(wire.front());
    }
  }

  FakeTime time_;
  std::array<std::unique_ptr<FakeCard>, 4> cards_;
  std::array<std::deque<Frame>, 4> wire_;
};

}  // namespace plurix::testing
