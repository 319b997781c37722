#include "rtl8139/testing/fake_chip.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace plurix::rtl8139::testing {
namespace {

constexpr std::size_t kShortestOnTheWire = 60;  // without the checksum
constexpr std::size_t kRoomNeverUsed = 4;       // a full ring would look like an empty one

constexpr std::size_t entry_size(std::size_t frame) {
  const auto size = sizeof(ReceiveHeader) + frame + ReceiveHeader::kChecksumBytes;
  return (size + 3) & ~std::size_t{3};
}

template <class R>
unsigned number_of(std::uint16_t offset) {
  return (offset - R::kOffset) / sizeof(typename R::Value::Word);
}

template <class R>
bool is_one_of_four(std::uint16_t offset) {
  return offset >= R::kOffset && offset < R::kOffset + 16;
}

}  // namespace

std::byte* FakeMemory::at(std::uint32_t bus_address, std::size_t size) noexcept {
  const auto offset = std::size_t{bus_address} - kBusAddress;
  if (bus_address < kBusAddress || offset + size > bytes_.size()) return nullptr;
  return bytes_.data() + offset;
}

FakeChip::FakeChip(FakeMemory& memory, const ethernet::MacAddress& address)
    : memory_(memory), address_(address) {
  reset();
}

void FakeChip::reset() {
  command_ = 0;
  status_ = mask_ = 0;
  transmit_config_ = receive_config_ = 0;
  read_at_ = written_at_ = 0;
  receiver_stopped_ = transmitter_stopped_ = false;
  next_handed_ = next_sent_ = 0;
  for (auto& status : transmit_status_) status = TransmitStatus::kDone.word;
}

std::uint32_t FakeChip::read_register(std::uint16_t offset, std::size_t size) {
  if (offset < 6 && size == 1) return std::to_integer<std::uint32_t>(address_.bytes[offset]);
  if (is_one_of_four<TransmitStatus>(offset)) {
    return transmit_status_[number_of<TransmitStatus>(offset)];
  }
  switch (offset) {
    case Command::kOffset:
      before_look();
      return command_ | (read_at_ == written_at_ ? Command::kRingEmpty.word : 0u);
    case WritePosition::kOffset:
      return static_cast<std::uint32_t>(written_at_);
    case InterruptStatus::kOffset:
      return status_;
    case MediaStatus::kOffset:
      return link_up_ ? 0u : MediaStatus::kLinkDown.word;
    case MissedFrames::kOffset:
      return missed_;
    case TransmitSummary::kOffset:
      return transmit_summary();
    default:
      note("read of register " + std::to_string(offset));
      return 0;
  }
}

std::uint32_t FakeChip::transmit_summary() const {
  std::uint32_t summary = 0;
  for (unsigned i = 0; i < kDescriptors; ++i) {
    const TransmitStatus::Value status{transmit_status_[i]};
    if (status.has(TransmitStatus::kDone)) summary |= 1u << i;
    if (status.has(TransmitStatus::kAborted)) summary |= TransmitSummary::aborted(i).word;
    if (status.has(TransmitStatus::kUnderrun)) summary |= TransmitSummary::underrun(i).word;
    if (status.has(TransmitStatus::kOk)) summary |= TransmitSummary::ok(i).word;
  }
  return summary;
}

void FakeChip::write_register(std::uint16_t offset, std::uint32_t word, std::size_t) {
  if (is_one_of_four<TransmitStatus>(offset)) {
    return write_transmit_status(number_of<TransmitStatus>(offset), word);
  }
  if (is_one_of_four<TransmitStart>(offset)) {
    const auto descriptor = number_of<TransmitStart>(offset);
    if ((transmit_status_[descriptor] & TransmitStatus::kDone.word) == 0) {
      note("a descriptor in use was changed");
    }
    transmit_start_[descriptor] = word;
    return;
  }
  const auto on = Command::kReceiverOn.word | Command::kTransmitterOn.word;
  switch (offset) {
    case Config1::kOffset:
      return;
    case Command::kOffset:
      return write_command(static_cast<std::uint8_t>(word));
    case ReceiveStart::kOffset:
      ring_bus_address_ = word;
      return;
    case ReadPosition::kOffset:
      read_at_ = (word + ReadPosition::kBias) % kRingBytes;
      return;
    case InterruptStatus::kOffset:
      status_ = static_cast<std::uint16_t>(status_ & ~word);
      if ((word & InterruptStatus::kOverflow.word) != 0) receiver_stopped_ = false;
      return;
    case InterruptMask::kOffset:
      mask_ = static_cast<std::uint16_t>(word);
      return;
    case MissedFrames::kOffset:
      missed_ = 0;
      return;
    case TransmitConfig::kOffset:
      if ((command_ & on) != on) note("TCR was written while the chip was off");
      if ((word & TransmitConfig::kClearAbort.word) != 0) transmitter_stopped_ = false;
      transmit_config_ = word;
      return;
    case ReceiveConfig::kOffset:
      if ((command_ & on) != on) note("RCR was written while the chip was off");
      if ((word & ReceiveConfig::kRingMask.word) != ReceiveConfig::kRing64K.word) {
        note("a ring of another size than its memory");
      }
      receive_config_ = word;
      return;
    default:
      note("write to register " + std::to_string(offset));
  }
}

void FakeChip::write_command(std::uint8_t command) {
  if ((command & Command::kReset.word) != 0) {
    ++resets_;
    return reset();
  }
  const bool receiver_was_on = (command_ & Command::kReceiverOn.word) != 0;
  const bool receiver_is_on = (command & Command::kReceiverOn.word) != 0;
  if (receiver_is_on && !receiver_was_on) read_at_ = written_at_ = 0;
  command_ = command;
}

void FakeChip::write_transmit_status(unsigned descriptor, std::uint32_t word) {
  const auto size = word & TransmitStatus::kSizeMask;
  if (descriptor != next_handed_ % kDescriptors) note("a descriptor out of turn");
  if ((transmit_status_[descriptor] & TransmitStatus::kDone.word) == 0) note("a descriptor in use");
  if (size > TransmitStatus::kMostBytes) note("a frame of " + std::to_string(size) + " bytes");
  if (size < kShortestOnTheWire) note("a frame that is not padded");
  if (memory_.at(transmit_start_[descriptor], size) == nullptr) note("memory it cannot reach");
  transmit_status_[descriptor] = word & ~TransmitStatus::kDone.word;
  ++next_handed_;
  if (send_at_once_) run_transmitter();
}

void FakeChip::run_transmitter(unsigned frames) {
  for (; frames > 0 && next_sent_ != next_handed_ && link_up_ && !transmitter_stopped_; --frames) {
    hand_over(next_sent_++ % kDescriptors);
  }
}

void FakeChip::hand_over(unsigned descriptor) {
  auto& status = transmit_status_[descriptor];
  const auto size = status & TransmitStatus::kSizeMask;
  if (std::exchange(abort_next_, false)) {
    transmitter_stopped_ = true;
    status |= TransmitStatus::kDone.word | TransmitStatus::kAborted.word;
    return interrupt(InterruptBit::kTransmitError);
  }
  const auto* bytes = memory_.at(transmit_start_[descriptor], size);
  if (bytes == nullptr) return;
  const Frame frame(bytes, bytes + size);
  status |= TransmitStatus::kDone.word | TransmitStatus::kOk.word;
  interrupt(InterruptBit::kTransmitted);
  on_sent(frame);
}

std::size_t FakeChip::waiting_to_be_sent() const { return next_handed_ - next_sent_; }

std::size_t FakeChip::room() const {
  return (read_at_ + kRingBytes - written_at_ - 1) % kRingBytes + 1;
}

bool FakeChip::has_room_for(std::size_t size) const {
  return entry_size(size) + kRoomNeverUsed <= room();
}

bool FakeChip::wants(const Frame& frame, std::uint16_t error) const {
  if ((command_ & Command::kReceiverOn.word) == 0 || !link_up_) return false;
  const bool runt = frame.size() < kShortestOnTheWire;
  if (runt && (receive_config_ & ReceiveConfig::kRunts.word) == 0) return false;
  if (error != 0 && (receive_config_ & ReceiveConfig::kErrors.word) == 0) return false;
  ethernet::MacAddress to;
  std::memcpy(to.bytes, frame.data(), std::min(sizeof to.bytes, frame.size()));
  const auto filter =
      to == ethernet::kBroadcast ? ReceiveConfig::kBroadcast : ReceiveConfig::kPhysicalMatch;
  return (to == address_ || to == ethernet::kBroadcast) && (receive_config_ & filter.word) != 0;
}

bool FakeChip::arrive(const Frame& frame, std::uint16_t error) {
  if (!wants(frame, error)) return false;
  if (receiver_stopped_ || !has_room_for(frame.size())) {
    ++missed_;
    receiver_stopped_ = true;
    interrupt(InterruptBit::kRingOverflow);
    return false;
  }
  put_header(frame, error);
  put_frame(frame);
  return true;
}

bool FakeChip::begin_arrival(const Frame& frame) {
  if (!wants(frame, 0) || !has_room_for(frame.size())) return false;
  put_header(frame, 0);
  arriving_ = frame;
  return true;
}

void FakeChip::finish_arrival() { put_frame(arriving_); }

void FakeChip::put_header(const Frame& frame, std::uint16_t error) {
  const ReceiveHeader header{
      static_cast<std::uint16_t>(error == 0 ? ReceiveHeader::kOk : error),
      static_cast<std::uint16_t>(frame.size() + ReceiveHeader::kChecksumBytes)};
  std::memcpy(ring_at(written_at_, sizeof header), &header, sizeof header);
}

void FakeChip::put_frame(const Frame& frame) {
  const auto size = entry_size(frame.size());
  Frame entry(size - sizeof(ReceiveHeader), std::byte{0xcc});
  std::copy(frame.begin(), frame.end(), entry.begin());
  const auto begin = (written_at_ + sizeof(ReceiveHeader)) % kRingBytes;
  const auto before_end = std::min(entry.size(), kRingBytes - begin);
  std::memcpy(ring_at(begin, before_end), entry.data(), before_end);
  std::memcpy(ring_at(0, 1), entry.data() + before_end, entry.size() - before_end);
  written_at_ = (written_at_ + size) % kRingBytes;
  interrupt(InterruptBit::kReceived);
}

std::byte* FakeChip::ring_at(std::size_t offset, std::size_t size) {
  auto* const place = memory_.at(ring_bus_address_ + static_cast<std::uint32_t>(offset), size);
  static std::byte nowhere[4096];
  if (place == nullptr) note("a ring in memory it cannot reach");
  return place == nullptr ? nowhere : place;
}

void FakeChip::scramble_ring() {
  std::memset(ring_at(read_at_, sizeof(ReceiveHeader)), 0xf0, sizeof(ReceiveHeader));
}

void FakeChip::set_link(bool up) {
  link_up_ = up;
  interrupt(InterruptBit::kLinkChange);
  if (up && send_at_once_) run_transmitter();
}

}  // namespace plurix::rtl8139::testing
