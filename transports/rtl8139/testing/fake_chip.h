// FakeChip: an RTL8139 for tests, as strict as the datasheet: whoever hands it a descriptor out of
// turn, memory it was not given or a frame too long is noted in `violations`. It is a RegisterIo,
// so the driver is compiled on it as it is on port instructions.
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/ethernet/address.h>
#include <plurix/rtl8139/memory.h>
#include <plurix/rtl8139/registers.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace plurix::rtl8139::testing {

/// Memory the chip can reach; what is outside it gets noticed.
class FakeMemory {
 public:
  std::span<std::byte> bytes() noexcept { return bytes_; }
  std::uint32_t bus_address() const noexcept { return kBusAddress; }

  /// Where the chip finds `size` bytes, or null if they are not all there.
  std::byte* at(std::uint32_t bus_address, std::size_t size) noexcept;

 private:
  static constexpr std::uint32_t kBusAddress = 0x0120'0000;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kDmaBytes, std::byte{0xa5});
};
static_assert(DmaMemory<FakeMemory>);

class FakeChip {
 public:
  using Frame = std::vector<std::byte>;

  FakeChip(FakeMemory& memory, const ethernet::MacAddress& address);

  // RegisterIo.
  template <class Word>
  Word read(std::uint16_t offset) noexcept {
    ++accesses_;
    return static_cast<Word>(read_register(offset, sizeof(Word)));
  }
  template <class Word>
  void write(std::uint16_t offset, Word word) noexcept {
    ++accesses_;
    write_register(offset, word, sizeof(Word));
  }

  /// Frames leave at once when they are handed over; otherwise when the test says so.
  void send_at_once(bool yes) { send_at_once_ = yes; }

  /// Sends up to `frames` of those handed over.
  void run_transmitter(unsigned frames = 4);

  /// Gives up on the next frame, as after too many collisions, and stands still.
  void abort_next() { abort_next_ = true; }

  /// Called with every frame that leaves.
  std::function<void(const Frame&)> on_sent = [](const Frame&) {};
  /// Called before the driver looks whether something has arrived.
  std::function<void()> before_look = [] {};

  /// Whether a frame of that size has room in the ring.
  bool has_room_for(std::size_t size) const;

  /// A frame arrives, with an error bit (ReceiveHeader) or without. False if it was not taken in.
  bool arrive(const Frame& frame, std::uint16_t error = 0);

  /// The same in two steps: at first only the header can be seen in memory.
  bool begin_arrival(const Frame& frame);
  void finish_arrival();

  void set_link(bool up);
  bool interrupting() const { return (status_ & mask_) != 0; }

  /// The ring's positions point between frames.
  void scramble_ring();

  std::size_t waiting_to_be_sent() const;
  std::uint32_t missed() const { return missed_; }
  unsigned resets() const { return resets_; }
  std::uint64_t accesses() const { return accesses_; }    ///< to its registers
  std::size_t written_at() const { return written_at_; }  ///< where it puts the next frame
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  static constexpr unsigned kDescriptors = 4;

  std::uint32_t read_register(std::uint16_t offset, std::size_t size);
  std::uint32_t transmit_summary() const;
  void write_register(std::uint16_t offset, std::uint32_t word, std::size_t size);
  void write_command(std::uint8_t command);
  void write_transmit_status(unsigned descriptor, std::uint32_t word);
  void hand_over(unsigned descriptor);
  void note(const std::string& violation) { violations_.push_back(violation); }
  void interrupt(std::uint16_t bits) { status_ = static_cast<std::uint16_t>(status_ | bits); }
  void reset();
  bool wants(const Frame& frame, std::uint16_t error) const;
  void put_header(const Frame& frame, std::uint16_t error);
  void put_frame(const Frame& frame);
  std::byte* ring_at(std::size_t offset, std::size_t size);
  std::size_t room() const;

  FakeMemory& memory_;
  const ethernet::MacAddress address_;
  std::vector<std::string> violations_;
  bool send_at_once_ = true;
  bool abort_next_ = false;
  bool link_up_ = true;
  unsigned resets_ = 0;
  std::uint64_t accesses_ = 0;
  Frame arriving_;

  std::uint8_t command_ = 0;
  std::uint16_t status_ = 0;
  std::uint16_t mask_ = 0;
  std::uint32_t transmit_config_ = 0;
  std::uint32_t receive_config_ = 0;
  std::uint32_t ring_bus_address_ = 0;
  std::size_t read_at_ = 0;
  std::size_t written_at_ = 0;
  bool receiver_stopped_ = false;  ///< by an overflow, until it is acknowledged
  bool transmitter_stopped_ = false;
  std::uint32_t missed_ = 0;
  std::uint32_t transmit_status_[kDescriptors] = {};
  std::uint32_t transmit_start_[kDescriptors] = {};
  unsigned next_handed_ = 0;  ///< the descriptor it expects next
  unsigned next_sent_ = 0;
};
static_assert(RegisterIo<FakeChip>);

}  // namespace plurix::rtl8139::testing
