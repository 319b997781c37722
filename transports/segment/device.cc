#include "segment/medium.h"

#include <plurix/segment/device.h>

#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>

namespace plurix::segment {
namespace {

using ethernet::MacAddress;

// Frames come through another process, so the CPU is offered to it between looks. Longer would keep
// it from those who have to answer.
constexpr Duration kSpin = microseconds(30);

Instant now() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return {std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

MacAddress draw_address() {
  MacAddress address;
  if (::getrandom(address.bytes, sizeof address.bytes, 0) != sizeof address.bytes) {
    fail("no random address", -1, "Permit getrandom");
  }
  // Locally administered, one station (IEEE 802, section 8.2.2).
  address.bytes[0] = (address.bytes[0] & std::byte{0xfc}) | std::byte{0x02};
  return address;
}

std::unique_ptr<SegmentDevice::Medium> open(const std::string& place, MacAddress& address) {
  constexpr std::string_view kHub = "hub:";
  constexpr std::string_view kInterface = "interface:";
  if (place.starts_with(kInterface)) {
    return SegmentDevice::Medium::bind_to_interface(place.substr(kInterface.size()), address);
  }
  if (!place.starts_with(kHub)) {
    throw SetupError("\"" + place + "\" is no segment; write hub:PATH or interface:NAME");
  }
  if (address == MacAddress{}) address = draw_address();
  return SegmentDevice::Medium::connect_to_hub(place.substr(kHub.size()));
}

}  // namespace

void fail(const std::string& what, int fd, const std::string& what_to_do) {
  const int error = errno;
  if (fd >= 0) ::close(fd);
  throw SetupError(what + ": " + std::strerror(error) + " (errno " + std::to_string(error) + "). " +
                   what_to_do);
}

SegmentDevice::Medium::~Medium() { ::close(fd_); }

SegmentDevice::SegmentDevice(const SegmentOptions& options) : address_(options.address) {
  if (address_.is_group()) throw SetupError("a station's address is not that of a group");
  medium_ = open(options.place, address_);
}

SegmentDevice::~SegmentDevice() = default;

int SegmentDevice::fd() const noexcept { return medium_->fd(); }

void SegmentDevice::set_sleep_mask(const sigset_t& mask) noexcept {
  sleep_mask_ = mask;
  has_sleep_mask_ = true;
}

void SegmentDevice::listen() noexcept { medium_->listen(address_); }

bool SegmentDevice::transmit(Bytes header, Bytes first, Bytes second) noexcept {
  const bool sent = medium_->put(header, first, second);
  ++(sent ? counters_.sent : counters_.unsent_no_room);
  return sent;
}

std::size_t SegmentDevice::receive(ethernet::RawSink sink) noexcept {
  medium_->flush();
  std::size_t handed_out = 0;
  while (handed_out < kBatch) {
    const auto frame = medium_->take();
    if (!frame) break;
    ++handed_out;
    sink(*frame);
  }
  counters_.received += handed_out;
  return handed_out;
}

void SegmentDevice::wait(Instant until) noexcept {
  const auto spin_end = earlier(until, now() + kSpin);
  do {
    if (medium_->ready()) return;
    ::sched_yield();
  } while (now() < spin_end);
  if (now() < until) sleep(until);
}

void SegmentDevice::sleep(Instant until) noexcept {
  ++counters_.sleeps;
  const auto for_ns = std::max<std::int64_t>(0, (until - now()).ns);
  const timespec timeout = {for_ns / 1'000'000'000, for_ns % 1'000'000'000};
  const auto events = medium_->events();
  pollfd readable = {events == 0 ? -1 : medium_->fd(), events, 0};
  if (::ppoll(&readable, 1, &timeout, has_sleep_mask_ ? &sleep_mask_ : nullptr) > 0) {
    medium_->flush();
  }
}

}  // namespace plurix::segment
