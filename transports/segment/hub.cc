#include "segment/listen_request.h"
#include "segment/medium.h"

#include <plurix/segment/hub.h>
#include <plurix/segment/stream.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <deque>

namespace plurix::segment {
namespace {

using ethernet::MacAddress;

constexpr std::size_t kQueueBytes = 1 << 20;
// In a fuller queue there is no room for what was not meant for the station.
constexpr std::size_t kOverheardBytes = kQueueBytes / 2;
constexpr std::size_t kMostHeld = 1024;
constexpr Duration kLongestDelay = milliseconds(20);
constexpr Duration kNextAwaited = milliseconds(5);
constexpr std::size_t kEthernetHeader = 14;

Instant now() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return {std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

std::int64_t wall_clock_ns() {
  timespec t;
  ::clock_gettime(CLOCK_REALTIME, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

int listen_at(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw SetupError("\"" + path + "\" is no path for a socket");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("no socket", fd, "Look at the limit of open files");
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 16) != 0) {
    fail("cannot listen at " + path, fd,
         "Choose a path that does not exist, in a folder that does");
  }
  return fd;
}

MacAddress address_at(Bytes frame, std::size_t offset) {
  MacAddress address;
  std::memcpy(address.bytes, frame.data() + offset, sizeof address.bytes);
  return address;
}

}  // namespace

// One connection. It remembers the addresses its station has used last.
struct Hub::Port {
  explicit Port(int socket) : fd(socket) {}
  ~Port() { ::close(fd); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  struct Held {
    Instant due;
    bool until_next;
    std::vector<std::byte> frame;
  };

  const int fd;
  bool gone = false;
  bool listens = false;
  StreamReader reader;
  StreamWriter writer{kQueueBytes};
  std::array<MacAddress, 4> addresses{};
  std::size_t next_address = 0;
  std::deque<Held> held;
};

Hub::Hub(const HubOptions& options)
    : options_(options), listener_(listen_at(options.path)), prng_(options.seed) {
  if (!options.pcap_file.empty()) pcap_.emplace(options.pcap_file, options.pcap_limit);
}

Hub::~Hub() {
  if (pcap_) pcap_->flush();
  ::close(listener_);
  ::unlink(options_.path.c_str());
}

void Hub::step(Duration at_most, int other_fd) {
  std::vector<pollfd> watched = {{listener_, POLLIN, 0}, {other_fd, POLLIN, 0}};
  for (const auto& port : ports_) {
    watched.push_back(
        {port->fd, static_cast<short>(port->writer.empty() ? POLLIN : POLLIN | POLLOUT), 0});
  }
  const auto wait_ns = until_due(at_most).ns;
  const timespec timeout = {wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
  (void)::ppoll(watched.data(), watched.size(), &timeout, nullptr);
  // First: who was connected when a frame was sent shall have it.
  if (watched[0].revents != 0) accept_stations();
  for (std::size_t i = 0; i + 2 < watched.size(); ++i) {
    if ((watched[i + 2].revents & ~POLLOUT) != 0) hear(*ports_[i]);
  }
  for (const auto& port : ports_) release(*port, false);
  flush_all();
}

void Hub::accept_stations() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (ports_.size() == kMostStations) {
      ::close(fd);
      continue;
    }
    ports_.push_back(std::make_unique<Port>(fd));
    ++counters_.stations;
  }
}

void Hub::hear(Port& from) {
  if (!from.reader.fill(from.fd)) from.gone = true;
  while (const auto frame = from.reader.next()) {
    if (frame->size() < kEthernetHeader) continue;
    ++counters_.heard;
    if (pcap_) pcap_->write(*frame, wall_clock_ns());
    on_heard(*frame);
    learn(from, address_at(*frame, 6));
    if (is_listen_request(*frame)) {
      from.listens = true;
      continue;
    }
    forward(from, *frame);
  }
  if (from.reader.broken()) from.gone = true;
}

// An address moves with its station: a machine that was started again has a new connection.
void Hub::learn(Port& port, const MacAddress& address) {
  if (address.is_group()) return;
  Port* const known = find(address);
  if (known == &port) return;
  if (known != nullptr) std::replace(known->addresses.begin(), known->addresses.end(), address, {});
  port.addresses[port.next_address++ % port.addresses.size()] = address;
}

Hub::Port* Hub::find(const MacAddress& address) {
  if (address == MacAddress{}) return nullptr;
  for (const auto& port : ports_) {
    const auto& all = port->addresses;
    if (std::find(all.begin(), all.end(), address) != all.end()) return port.get();
  }
  return nullptr;
}

void Hub::forward(const Port& from, Bytes frame) {
  const auto to = address_at(frame, 0);
  if (Port* const known = to.is_group() ? nullptr : find(to)) {
    if (known != &from) deliver(*known, frame);
    return let_overhear(from, *known, frame);
  }
  ++counters_.flooded;
  for (const auto& port : ports_) {
    if (port.get() != &from) deliver(*port, frame);
  }
}

void Hub::let_overhear(const Port& from, const Port& to, Bytes frame) {
  if (frame.size() < kWorthHearing) return;
  for (const auto& port : ports_) {
    if (!port->listens || port.get() == &from || port.get() == &to) continue;
    if (port->writer.waiting() > kOverheardBytes) {
      ++counters_.not_overheard;
      continue;
    }
    ++counters_.overheard;
    deliver(*port, frame);
  }
}

bool Hub::happens(double percent) {
  return percent > 0 && static_cast<double>(prng_.below(1'000'000)) < percent * 10'000;
}

void Hub::deliver(Port& to, Bytes frame) {
  if (happens(options_.faults.drop)) {
    ++counters_.dropped;
    return;
  }
  deliver_once(to, frame);
  if (happens(options_.faults.duplicate)) {
    ++counters_.duplicated;
    deliver_once(to, frame);
  }
}

void Hub::deliver_once(Port& to, Bytes frame) {
  const auto& faults = options_.faults;
  if (happens(faults.delay)) {
    const auto span = static_cast<std::uint32_t>(kLongestDelay.ns);
    if (hold(to, frame, {static_cast<std::int64_t>(prng_.below(span))}, false)) {
      ++counters_.delayed;
      return;
    }
  }
  if (happens(faults.reorder) && hold(to, frame, kNextAwaited, true)) {
    ++counters_.reordered;
    return;
  }
  if (happens(faults.corrupt)) {
    std::vector<std::byte> damaged(frame.begin(), frame.end());
    damaged[prng_.below(static_cast<std::uint32_t>(damaged.size()))] ^= std::byte{1}
                                                                        << prng_.below(8);
    ++counters_.corrupted;
    put(to, damaged);
  } else {
    put(to, frame);
  }
  release(to, true);
}

void Hub::put(Port& to, Bytes frame) {
  const Bytes parts[] = {frame};
  const bool queued = to.writer.put(parts);
  ++(queued ? counters_.delivered : counters_.lost_no_room);
}

bool Hub::hold(Port& to, Bytes frame, Duration time, bool until_next) {
  if (to.held.size() == kMostHeld) return false;
  to.held.push_back({now() + time, until_next, {frame.begin(), frame.end()}});
  return true;
}

void Hub::release(Port& port, bool next_has_come) {
  if (port.held.empty()) return;
  const auto time = now();
  for (auto i = port.held.begin(); i != port.held.end();) {
    if (i->due > time && !(next_has_come && i->until_next)) {
      ++i;
      continue;
    }
    put(port, i->frame);
    i = port.held.erase(i);
  }
}

Duration Hub::until_due(Duration at_most) const {
  auto until = now() + at_most;
  for (const auto& port : ports_) {
    for (const auto& held : port->held) until = earlier(until, held.due);
  }
  return {std::max<std::int64_t>(0, (until - now()).ns)};
}

void Hub::flush_all() {
  for (const auto& port : ports_) {
    if (!port->writer.flush(port->fd)) port->gone = true;
  }
  std::erase_if(ports_, [](const auto& port) { return port->gone; });
}

void Hub::inject(Bytes frame) {
  ++counters_.injected;
  for (const auto& port : ports_) put(*port, frame);
}

}  // namespace plurix::segment
