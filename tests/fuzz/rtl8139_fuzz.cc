// Drives the RTL8139's driver and a fake chip by arbitrary orders: frames arrive, good, damaged and
// too long, the ring overflows or is scrambled, the cable is pulled, the chip stands still. The
// driver never does what the chip forbids, hands out only what arrived, in order, and works again
// when the chip does.
#include <plurix/base/assert.h>

#include <cstdint>

#include "support/fake_cards.h"

namespace {

using namespace plurix;
using plurix::testing::fake_address;
using plurix::testing::FakeCard;
using plurix::testing::FakeTime;
using Frame = std::vector<std::byte>;

struct Orders {
  FakeTime time;
  FakeCard card{time, 1};
  std::uint32_t sent = 0;  ///< numbers in the frames
  std::uint32_t received = 0;

  Frame numbered(std::size_t size) {
    Frame frame(std::max<std::size_t>(size, 18));
    std::memcpy(frame.data(), fake_address(1).bytes, 6);
    ++sent;
    std::memcpy(frame.data() + 14, &sent, sizeof sent);
    return frame;
  }

  void receive() {
    (void)card.driver.receive({[](void* self, Bytes frame) noexcept {
                                 std::uint32_t number;
                                 std::memcpy(&number, frame.data() + 14, sizeof number);
                                 auto& orders = *static_cast<Orders*>(self);
                                 PLURIX_ASSERT(frame.size() >= 60 && frame.size() <= 1514);
                                 PLURIX_ASSERT(number > orders.received && number <= orders.sent);
                                 orders.received = number;
                               },
                               this});
  }

  void obey(std::uint8_t order, std::uint8_t argument) {
    auto& chip = card.chip;
    const auto transmit = [&](std::size_t size) {
      const Frame frame(size);
      (void)card.driver.transmit(frame, {}, {});
    };
    switch (order % 10) {
      case 0:
        return (void)chip.arrive(numbered(60 + argument * 6u));
      case 1:
        return (void)chip.arrive(numbered(60 + argument * 7u),
                                 rtl8139::ReceiveHeader::kChecksumError);
      case 2:
        for (int i = 0; i < argument; ++i) chip.arrive(numbered(1000));
        return;
      case 3:
        return receive();
      case 4:
        return (void)card.driver.acknowledge();
      case 5:
        return chip.set_link(argument % 2 == 0);
      case 6:
        return chip.send_at_once(argument % 2 == 0);
      case 7:
        for (int i = 0; i < argument; ++i) transmit(14 + argument * 5u);
        return;
      case 8:
        if (argument % 8 == 0) return chip.scramble_ring();
        if (argument % 8 == 1) return chip.abort_next();
        return chip.run_transmitter(argument);
      default:
        return card.driver.wait(time.now + microseconds(argument));
    }
  }

  /// A chip that works again is used again.
  void check_that_it_works() {
    card.chip.set_link(true);
    card.chip.send_at_once(true);
    card.chip.run_transmitter(64);
    for (int i = 0; i < 64; ++i) receive();
    card.chip.run_transmitter(64);
    const auto before = sent;
    for (int i = 0; i < 3; ++i) {
      (void)card.chip.arrive(numbered(100));
      receive();
    }
    PLURIX_ASSERT(received == before + 3);
    PLURIX_ASSERT(card.chip.violations().empty());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto orders = std::make_unique<Orders>();
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 400); i += 2) {
    orders->obey(data[i], data[i + 1]);
  }
  orders->check_that_it_works();
  return 0;
}
