// The driver of the RTL8139: a FrameDevice over the chip's registers and memory that the chip can
// reach, both given as types, so that the same code drives the chip and a fake of it.
//
//   plurix::rtl8139::Driver<Ports, Dma, Halt> card{ports, dma, halt};
//   if (!card.start()) …                                  // no such chip
//   plurix::ethernet::EthernetTransport net{card, session};
//   interrupt handler: card.acknowledge(); node.on_interrupt(…);
//
// An interrupt only says that it is time to look; what there is to do the driver finds in the chip.
// So a lost interrupt costs time, never a frame.
#pragma once

#include <plurix/ethernet/device.h>
#include <plurix/rtl8139/receive_ring.h>
#include <plurix/rtl8139/send_queue.h>

#include <atomic>

namespace plurix::rtl8139 {

/// Frames since construction.
struct DriverCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t unsent_queue_full = 0;
  std::uint64_t unsent_link_down = 0;
  std::uint64_t unsent_too_long = 0;    ///< more than a buffer holds
  std::uint64_t lost_in_sending = 0;    ///< the chip gave up, or was reset
  std::uint64_t dropped_bad = 0;        ///< received with an error, too short or too long
  std::uint64_t overflows = 0;          ///< times the ring had no room
  std::uint64_t receiver_restarts = 0;  ///< the ring held nonsense
  std::uint64_t chip_restarts = 0;      ///< the transmitter stood still
};

/// Calls come from one thread and the interrupts that the node lets through, never nested; only
/// `acknowledge` may interrupt any of them.
template <RegisterIo Io, DmaMemory Dma, Sleeper Sleep>
class Driver {
 public:
  /// All three outlive it. Nothing happens before `start`.
  Driver(Io& io, Dma& dma, Sleep& sleep) noexcept
      : io_(io),
        sleep_(sleep),
        ring_bus_address_(dma.bus_address()),
        ring_(dma.bytes().first(kRingMemory)),
        queue_(dma.bytes().subspan(kRingMemory, kSendBuffers * kSendBufferBytes),
               dma.bus_address() + static_cast<std::uint32_t>(kRingMemory)) {}
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Resets the chip and switches it on; interrupts may come from here on. False: it does not
  /// answer. May be called again.
  bool start() noexcept {
    write(io_, Config1::Value{0});
    write(io_, Command::kReset);
    for (unsigned looks = 0; read<Command>(io_).has(Command::kReset); ++looks) {
      if (looks == kLooksForReset) return false;
    }
    read_address();
    counters_.lost_in_sending += queue_.restart();
    switch_on();
    note_link();
    write(io_, InterruptStatus::Value{InterruptBit::kAll});
    mask_ = InterruptMask::kAllButTransmitted;
    write(io_, mask_);
    return true;
  }

  ethernet::MacAddress address() const noexcept { return address_; }

  bool transmit(Bytes header, Bytes first, Bytes second) noexcept {
    if (header.size() + first.size() + second.size() > kSendBufferBytes) {
      ++counters_.unsent_too_long;
      return false;
    }
    if (!link_up_.load(std::memory_order_relaxed) && !note_link()) {
      ++counters_.unsent_link_down;
      return false;
    }
    if (queue_.all_in_use()) reclaim();
    if (queue_.full()) return refuse();
    refused_in_a_row_ = 0;
    queue_.fill(header, first, second);
    give();
    return true;
  }

  /// Hands out at most kBatch frames.
  std::size_t receive(ethernet::RawSink sink) noexcept {
    serve_queue();
    std::size_t handed_out = 0;
    while (handed_out < kBatch && frame_ready()) {
      const auto taken = take(sink, kBatch - handed_out);
      if (taken == 0) break;
      handed_out += taken;
      // Only now is there room again for what the overflow kept out.
      (void)acknowledge();
    }
    return handed_out;
  }

  void wait(Instant until) noexcept {
    (void)acknowledge();
    serve_queue();
    sleep_.sleep(until, {[](void* self) noexcept {
                           auto& driver = *static_cast<Driver*>(self);
                           return driver.frame_ready();
                         },
                         this});
  }

  /// Takes note of what the chip interrupts for, so that it ends to interrupt; false if it does not
  /// (an interrupt line can be shared). Any context.
  bool acknowledge() noexcept {
    const auto pending = read<InterruptStatus>(io_);
    if (pending.word == 0 || pending.word == kChipGone) return false;
    write(io_, pending);
    if (pending.has(InterruptStatus::kLinkChange)) note_link();
    if (pending.has(InterruptStatus::kOverflow)) overflows_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  bool link_up() const noexcept { return link_up_.load(std::memory_order_relaxed); }

  DriverCounters counters() const noexcept {
    auto counters = counters_;
    counters.overflows = overflows_.load(std::memory_order_relaxed);
    return counters;
  }

 private:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kToldTogether = 8;  // frames: a fifth of the ring, if they are long
  static constexpr unsigned kLooksForReset = 100'000;  // 10 ms at most, a port access takes 0.1 µs
  static constexpr std::uint16_t kChipGone = 0xffff;
  // The chip sends 64 full frames in 8 ms; who is refused so often has waited far longer.
  static constexpr unsigned kRefusedBeforeRestart = 4096;

  void read_address() noexcept {
    for (unsigned i = 0; i < 6; ++i) {
      address_.bytes[i] = std::byte{read<StationAddress>(io_, i).word};
    }
  }

  // The chip ignores both configurations unless receiver and transmitter are on (section 6.4).
  void switch_on() noexcept {
    ring_.restart();
    write(io_, ReceiveStart::Value{ring_bus_address_});
    write(io_, Command::kReceiverOn | Command::kTransmitterOn);
    write(io_, ReceiveConfig::kPhysicalMatch | ReceiveConfig::kBroadcast |
                   ReceiveConfig::kBurstsUnlimited | ReceiveConfig::kRing64K |
                   ReceiveConfig::kWholeFrames);
    write(io_, kTransmitConfig);
    write(io_, MissedFrames::Value{0});
  }

  bool frame_ready() noexcept { return !read<Command>(io_).has(Command::kRingEmpty); }

  // Every access to the chip costs as much as taking a frame, so it is asked once where it writes,
  // and told now and then how far the ring is read. Returns 0 when the receiver had to be started
  // again.
  std::size_t take(ethernet::RawSink sink, std::size_t most) noexcept {
    const auto written = read<WritePosition>(io_).word;
    std::size_t taken = 0;
    while (taken < most && !ring_.is_read_up_to(written)) {
      if (!take_one(sink, written)) return 0;
      if (++taken % kToldTogether == 0) write(io_, ring_.position());
    }
    if (taken % kToldTogether != 0) write(io_, ring_.position());
    return taken;
  }

  // False when the receiver had to be started again.
  bool take_one(ethernet::RawSink sink, std::size_t written) noexcept {
    const auto entry = ring_.look(written);
    if (entry.kind == RingEntry::Kind::kNonsense) {
      restart_receiver();
      return false;
    }
    if (entry.kind == RingEntry::Kind::kFrame) {
      ++counters_.received;
      sink(entry.frame);
    } else {
      ++counters_.dropped_bad;
    }
    ring_.advance();
    return true;
  }

  // Switching the receiver off and on puts the chip's write position back to the ring's start.
  void restart_receiver() noexcept {
    ++counters_.receiver_restarts;
    write(io_, Command::kTransmitterOn);
    switch_on();
    write(io_, ReadPosition::at(0));
    write(io_, InterruptStatus::kOverflow);
  }

  void serve_queue() noexcept {
    if (queue_.empty()) return;
    reclaim();
    give();
  }

  // That a frame has left is worth an interrupt only if another one waits for its descriptor.
  void give() noexcept {
    queue_.give(io_);
    const auto mask = queue_.is_waiting() ? InterruptMask::kAll : InterruptMask::kAllButTransmitted;
    if (mask == mask_) return;
    mask_ = mask;
    write(io_, mask);
  }

  void reclaim() noexcept {
    queue_.reclaim(io_, [this](SendQueue::End end) {
      if (end == SendQueue::End::kSent) {
        ++counters_.sent;
        return;
      }
      ++counters_.lost_in_sending;
      // It does not go on by itself after an abort (section 6.7).
      if (end == SendQueue::End::kAborted) {
        write(io_, kTransmitConfig | TransmitConfig::kClearAbort);
      }
    });
  }

  bool refuse() noexcept {
    ++counters_.unsent_queue_full;
    if (++refused_in_a_row_ < kRefusedBeforeRestart) return false;
    refused_in_a_row_ = 0;
    ++counters_.chip_restarts;
    (void)start();
    return false;
  }

  bool note_link() noexcept {
    const bool up = !read<MediaStatus>(io_).has(MediaStatus::kLinkDown);
    link_up_.store(up, std::memory_order_relaxed);
    return up;
  }

  static constexpr auto kTransmitConfig =
      TransmitConfig::kBursts1024 | TransmitConfig::kStandardGap;

  Io& io_;
  Sleep& sleep_;
  const std::uint32_t ring_bus_address_;
  ReceiveRing ring_;
  SendQueue queue_;
  ethernet::MacAddress address_;
  InterruptMask::Value mask_ = InterruptMask::kAllButTransmitted;
  unsigned refused_in_a_row_ = 0;
  std::atomic<bool> link_up_ = false;
  std::atomic<std::uint64_t> overflows_ = 0;
  DriverCounters counters_;
};

}  // namespace plurix::rtl8139
